/**
 * mailSink: deliveries become mails.
 *
 *     import { mailSink } from "@waterpark/waterpark/sinks/mail";
 *     export default mailSink({
 *       server: "smtp.example:587",
 *       login: { user: "waterpark", passwordEnv: "SMTP_PASSWORD" },
 *       from: "waterpark@example.org",
 *       to: "oncall-{key.facility}@example.org",
 *       subject: "{type} of {key}",
 *     });
 *
 * A mail is done when the server has taken it; whether somebody reads it the server alone could tell. Its `Message-ID` is
 * made of the effect's id, the same at every attempt: mail systems drop what they have had. A mail leaves the house: what
 * may stand in it is for those to say who answer for the patients' data; `text` makes it from the delivery.
 *
 * @module
 */
import { createTransport, type Transporter } from "npm:nodemailer@10.6.0";
import { connect } from "node:net";
import {
  defineSink,
  type Delivery,
  type DeliveryEnd,
  type SinkConnection,
  type SinkDefinition,
} from "@waterpark/waterpark";
import { type Login, passwordOf, permissionsOf, type Tls, tlsContext } from "./credentials.ts";
import { effectDigest } from "./effect_digest.ts";
import { hostPort } from "./host_port.ts";
import { MissingOption, type Template, template } from "./template.ts";

/** Which server, from whom, to whom. */
export interface MailSinkOptions {
  /** the sink's name; usual: `mail` */
  readonly name?: string;
  /** `host:port` of the server that takes mail in: 465 speaks TLS from the first byte, others begin it (STARTTLS) */
  readonly server: string;
  /** `false`: plain text, for a server on the same machine; usual: TLS, by the authorities that the system trusts */
  readonly tls?: Tls;
  readonly login?: Login;
  /** one address */
  readonly from: string;
  /** one address or several with commas; may have gaps, of which each fills part of one address */
  readonly to: string;
  /** usual: `{type} of {key}` */
  readonly subject?: string;
  /** What it says; usual: the field `text` of a JSON object, else the whole body as text. */
  readonly text?: (delivery: Delivery) => string;
  /** what this machine calls itself to the server; usual: `[127.0.0.1]` */
  readonly helloName?: string;
  /** ms until the server must have answered; usual: 30000 */
  readonly timeoutMs?: number;
  /** as in `SinkDefinition` */
  readonly retry?: SinkDefinition["retry"];
  /** as in `SinkDefinition` */
  readonly whenDead?: SinkDefinition["whenDead"];
}

const TLS_FROM_THE_START = 465;
const CONNECTIONS_MAX = 2;
/** RFC 5321, as far as it is used; no spaces, quotes or brackets, so that a gap cannot add an address. */
const ADDRESS = /^[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?$/i;

/**
 * A sink that sends mails; a plugin's module exports the answer as its default. It may connect to the server, read the
 * variable and the files that it names, and nothing else.
 *
 * @throws {TypeError} when the server or an address cannot be used
 *
 * @example
 * ```ts
 * import { mailSink } from "./mail.ts";
 * const sink = mailSink({ server: "smtp.example:587", from: "w@example.org", to: "{key.id}@example.org" });
 * if (sink.permissions?.net?.[0] !== "smtp.example:587") throw new Error("unreachable");
 * ```
 */
export function mailSink(options: MailSinkOptions): SinkDefinition & { readonly plugin: "sink" } {
  const { name = "mail", server, login, tls = true, from, timeoutMs = 30_000, retry, whenDead } = options;
  const at = hostPort(server);
  if (at === null) throw new TypeError("Cannot use the server as it must be host:port");
  if (!ADDRESS.test(from)) throw new TypeError("Cannot use `from` as it must be one address");
  const to = options.to.split(",").map((one) => template(one.trim(), { what: "to" }));
  const subject = template(options.subject ?? "{type} of {key}", { what: "subject" });
  return defineSink({
    name,
    permissions: { net: [server], ...permissionsOf({ tls, login }) },
    retry,
    whenDead,
    async open(): Promise<SinkConnection> {
      const transport = createTransport(
        {
          pool: true,
          maxConnections: CONNECTIONS_MAX,
          ...at,
          secure: tls !== false && at.port === TLS_FROM_THE_START,
          requireTLS: tls !== false && at.port !== TLS_FROM_THE_START,
          ignoreTLS: tls === false,
          tls: await tlsContext(tls) ?? {},
          name: options.helloName ?? "[127.0.0.1]",
          connectionTimeout: timeoutMs,
          greetingTimeout: timeoutMs,
          socketTimeout: timeoutMs,
          disableFileAccess: true,
          disableUrlAccess: true,
          // It would resolve the name itself, for which it has no permission; the platform does when it connects.
          getSocket(_: unknown, callback: (error: Error | null, options?: { connection: unknown }) => void) {
            const socket = connect(at);
            const timer = setTimeout(() => socket.destroy(new Error("not in time")), timeoutMs);
            socket.once("error", (error: Error) => {
              clearTimeout(timer);
              callback(error);
            });
            socket.once("connect", () => {
              clearTimeout(timer);
              socket.removeAllListeners("error");
              callback(null, { connection: socket });
            });
          },
          ...(login === undefined ? {} : { auth: { user: login.user, pass: passwordOf(login) } }),
        } as Parameters<typeof createTransport>[0],
      );
      const text = options.text ?? usualText;
      return {
        deliver: (all) => Promise.all(all.map((delivery) => send(transport, delivery, { from, to, subject, text }))),
        async check() {
          await transport.verify();
          return `${server} takes mail${login === undefined ? "" : ` from ${login.user}`}`;
        },
        close: () => Promise.resolve(transport.close()),
      };
    },
  });
}

async function send(
  transport: Transporter,
  delivery: Delivery,
  { from, to, subject, text }: {
    from: string;
    to: readonly Template[];
    subject: Template;
    text: (delivery: Delivery) => string;
  },
): Promise<DeliveryEnd> {
  try {
    const addresses = to.map((one) => one.fill(delivery, (value) => value));
    if (!addresses.every((address) => ADDRESS.test(address))) {
      return { state: "dead", code: "mail/bad-address", text: "what it says fills no address" };
    }
    const { response } = await transport.sendMail({
      from,
      to: addresses,
      subject: subject.fill(delivery, (value) => value.replace(/\p{Cc}+/gu, " ")),
      text: text(delivery),
      messageId: `<${(await effectDigest(delivery.id)).slice(0, 40)}@${from.slice(from.indexOf("@") + 1)}>`,
      headers: { "X-Waterpark-Type": delivery.type.replace(/[^!-~]+/g, "_"), "Auto-Submitted": "auto-generated" },
    });
    return { state: "done", answer: String(response).slice(0, 200) };
  } catch (error) {
    return meaningOf(error);
  }
}

function meaningOf(error: unknown): DeliveryEnd {
  if (error instanceof MissingOption) return { state: "dead", code: "mail/missing-option", text: error.message };
  const { code = "", originalCode = "", responseCode = 0, command = "" } = error as {
    code?: string;
    originalCode?: string;
    responseCode?: number;
    command?: string;
  };
  // What the server says may quote the mail; its number and the command say enough.
  const said = `the server answers ${responseCode} to ${command || "us"}`;
  if (code === "EAUTH") return { state: "retry", code: "mail/not-let-in", text: "the server does not let us in" };
  if (/TLS|CERT/.test(code + originalCode)) {
    return { state: "retry", code: "mail/no-tls", text: "the server does not speak TLS, or not ours" };
  }
  if (responseCode >= 500) return { state: "dead", code: "mail/refused", text: said };
  if (responseCode >= 400) return { state: "retry", code: "mail/not-now", text: said };
  if (code === "ETIMEDOUT") return { state: "retry", code: "mail/timeout", text: "the server did not answer in time" };
  return { state: "retry", code: "mail/unreachable", text: "the server cannot be reached" };
}

function usualText({ bytes, contentType }: Delivery): string {
  const text = new TextDecoder().decode(bytes);
  if (!/[/+]json\b/.test(contentType)) return text;
  try {
    const value = JSON.parse(text);
    return typeof value?.text === "string" ? value.text : text;
  } catch {
    return text;
  }
}
