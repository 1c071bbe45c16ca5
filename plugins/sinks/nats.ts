/**
 * natsSink: deliveries become messages of a NATS JetStream stream.
 *
 *     import { natsSink } from "@waterpark/waterpark/sinks/nats";
 *     export default natsSink({ name: "to-nats", servers: ["n1:4222", "n2:4222"], subject: "adt.{key.facility}.{key.id}" });
 *
 * The message's id (`Nats-Msg-Id`) is the effect's: within its duplicate window (two minutes, where the stream says nothing
 * else) the stream takes each only once, whoever sends it. It is done when the stream has acknowledged it. The headers are
 * `Type`, `Seq` and `Content-Type`.
 *
 * @module
 */
import {
  connect,
  credsAuthenticator,
  headers as newHeaders,
  type NatsConnection,
} from "npm:@nats-io/transport-node@3.4.0";
import { jetstream, type JetStreamClient, jetstreamManager } from "npm:@nats-io/jetstream@3.4.0";
import {
  defineSink,
  type Delivery,
  type DeliveryEnd,
  type SinkConnection,
  type SinkDefinition,
} from "@waterpark/waterpark";
import { type Login, passwordOf, permissionsOf, type Tls, tlsContext } from "./credentials.ts";
import { MissingOption, type Template, template } from "./template.ts";

/** Which NATS, which subject. */
export interface NatsSinkOptions {
  /** the sink's name; usual: `nats` */
  readonly name?: string;
  /** `host:port` of every server: the sink connects to these, and to none that they tell of */
  readonly servers: readonly string[];
  /** where to; may have gaps: `{key}` fills three tokens, any other gap one */
  readonly subject: string;
  /** the stream that must take it; left out: whichever listens to the subject */
  readonly stream?: string;
  readonly tls?: Tls;
  /** one of three: user and password, the environment variable that has a token, or a file of credentials */
  readonly login?: Login;
  readonly tokenEnv?: string;
  readonly credsFile?: string;
  /** ms until the stream must have acknowledged; usual: 5000 */
  readonly timeoutMs?: number;
  /** as in `SinkDefinition` */
  readonly retry?: SinkDefinition["retry"];
  /** as in `SinkDefinition` */
  readonly whenDead?: SinkDefinition["whenDead"];
}

const BATCH_MAX = 200;
/** What headers may take of the bytes that a server takes at a time. */
const HEADER_BYTES_MAX = 2_048;
/** JetStream's number for a message that is longer than the stream takes. */
const STREAM_MESSAGE_EXCEEDS_MAXIMUM = 10_054;

/**
 * A sink that publishes to JetStream; a plugin's module exports the answer as its default. It may connect to the servers,
 * read the variable and the files that it names, and nothing else.
 *
 * @throws {TypeError} when servers or subject cannot be used
 *
 * @example
 * ```ts
 * import { natsSink } from "./nats.ts";
 * const sink = natsSink({ servers: ["nats.example:4222"], subject: "lab.{key}", tokenEnv: "NATS_TOKEN" });
 * if (sink.permissions?.env?.[0] !== "NATS_TOKEN") throw new Error("unreachable");
 * ```
 */
export function natsSink(options: NatsSinkOptions): SinkDefinition & { readonly plugin: "sink" } {
  const { name = "nats", servers, login, tls, tokenEnv, credsFile, timeoutMs = 5_000, retry, whenDead } = options;
  if (servers.length === 0 || !servers.every((server) => /^[^\s,/]+:\d+$/.test(server))) {
    throw new TypeError("Cannot use the servers as each must be host:port, and there must be one");
  }
  if (/[\s*>]/.test(options.subject.replace(/\{[^}]*\}/g, ""))) {
    throw new TypeError("Cannot use the subject as one that is published to has no wildcards and no spaces");
  }
  const subject = template(options.subject, { what: "subject" });
  const needed = permissionsOf({ tls, login });
  return defineSink({
    name,
    permissions: {
      net: servers,
      read: [...needed.read, ...credsFile === undefined ? [] : [credsFile]],
      env: [...needed.env, ...tokenEnv === undefined ? [] : [tokenEnv]],
    },
    batchMax: BATCH_MAX,
    retry,
    whenDead,
    async open(): Promise<SinkConnection> {
      const context = await tlsContext(tls);
      const connection = await connect({
        servers: [...servers],
        ignoreClusterUpdates: true,
        name: `waterpark-${name}`,
        timeout: timeoutMs,
        maxReconnectAttempts: -1,
        reconnectTimeWait: 250,
        reconnectJitter: 100,
        // a login that is refused now may be mended there without anything being done here
        ignoreAuthErrorAbort: true,
        ...(login === undefined ? {} : { user: login.user, pass: passwordOf(login) }),
        ...(tokenEnv === undefined ? {} : { token: passwordOf({ user: "", passwordEnv: tokenEnv }) }),
        ...(credsFile === undefined ? {} : { authenticator: credsAuthenticator(await Deno.readFile(credsFile)) }),
        ...(context === null ? {} : { tls: context }),
      });
      const client = jetstream(connection, { timeout: timeoutMs });
      return {
        deliver: (all) =>
          Promise.all(all.map((delivery) => publish(delivery, { connection, client, subject, options, timeoutMs }))),
        check: () => check(connection, { subject: subject.isFixed ? options.subject : null, stream: options.stream }),
        close: () => connection.close(),
      };
    },
  });
}

interface Line {
  connection: NatsConnection;
  client: JetStreamClient;
  subject: Template;
  options: NatsSinkOptions;
  timeoutMs: number;
}

async function publish(
  delivery: Delivery,
  { connection, client, subject, options, timeoutMs }: Line,
): Promise<DeliveryEnd> {
  const bytesMax = (connection.info?.max_payload ?? Infinity) - HEADER_BYTES_MAX;
  if (delivery.bytes.length > bytesMax) {
    return {
      state: "dead",
      code: "nats/too-large",
      text: `the server takes ${bytesMax} bytes, it has ${delivery.bytes.length}`,
    };
  }
  try {
    const headers = newHeaders();
    headers.set("Type", visible(delivery.type));
    headers.set("Seq", String(delivery.seq));
    headers.set("Content-Type", visible(delivery.contentType));
    const { stream, seq, duplicate } = await client.publish(subject.fill(delivery, token), delivery.bytes, {
      msgID: visible(delivery.id),
      headers,
      timeout: timeoutMs,
      ...(options.stream === undefined ? {} : { expect: { streamName: options.stream } }),
    });
    return { state: "done", answer: `${stream} ${seq}${duplicate ? ", was there" : ""}` };
  } catch (error) {
    return meaningOf(error);
  }
}

function meaningOf(error: unknown): DeliveryEnd {
  const { name, code, cause } = error as { name?: string; code?: number; cause?: { name?: string } };
  if (error instanceof MissingOption) return { state: "dead", code: "nats/missing-option", text: error.message };
  switch (name) {
    case "InvalidSubjectError":
      return { state: "dead", code: "nats/bad-subject", text: "NATS takes no such subject" };
    case "JetStreamNotEnabled":
      return { state: "retry", code: "nats/no-stream", text: "no stream listens to its subject" };
    case "JetStreamApiError":
      return code === STREAM_MESSAGE_EXCEEDS_MAXIMUM
        ? { state: "dead", code: "nats/too-large", text: "it is longer than the stream takes" }
        : { state: "retry", code: "nats/refused", text: `the stream refuses it (${code})` };
  }
  if ([name, cause?.name].includes("PermissionViolationError")) {
    return { state: "retry", code: "nats/not-let-in", text: "NATS does not let us publish to its subject" };
  }
  if ([name, cause?.name].includes("TimeoutError")) {
    return { state: "retry", code: "nats/timeout", text: "the stream did not acknowledge in time" };
  }
  return { state: "retry", code: "nats/unreachable", text: "no server can be reached" };
}

async function check(
  connection: NatsConnection,
  { subject, stream }: { subject: string | null; stream?: string },
): Promise<string> {
  await connection.flush();
  const server = `${connection.getServer()} (NATS ${connection.info?.version})`;
  const manager = await jetstreamManager(connection, { checkAPI: false });
  if (stream !== undefined) await manager.streams.info(stream);
  const found = stream ?? (subject === null ? null : await manager.streams.find(subject));
  return found === null ? server : `${server}; the stream ${found} takes it`;
}

/** A value as one token of a subject; `{key}` as three. */
function token(value: string, gap: string): string {
  if (gap === "key") return value.split("/").map((part) => token(part, "")).join(".");
  return value === "" ? "%" : percentEncoded(value, /[^!-~]+|[.*>%]+/gu);
}

/** Headers are visible ASCII. */
function visible(value: string): string {
  return percentEncoded(value, /[^!-~]+/gu);
}

function percentEncoded(value: string, what: RegExp): string {
  return value.toWellFormed().replace(what, (some) => {
    const bytes = new TextEncoder().encode(some);
    return Array.from(bytes, (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("");
  });
}
