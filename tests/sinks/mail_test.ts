/**
 * mailSink, bundled and behind its walls, against an SMTP server (npm:smtp-server) that goes away in between.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { SMTPServer } from "npm:smtp-server@3.21.6";
import { startSink } from "./bundled_sink.ts";
import { withCertificate } from "./certificate.ts";
import { deliverAll, deliveries, delivery, repeatsIn } from "./deliver_all.ts";
import { freePort } from "./server_process.ts";

interface Mail {
  to: string[];
  head: string;
  text: string;
  /** of the effect, as the sink's text says it */
  id: string;
  user: string | null;
}

/** A server; `refusal` answers a mail in its place. */
class MailServer implements AsyncDisposable {
  readonly port = freePort();
  readonly mails: Mail[] = [];
  refusal: (to: string) => { code: number } | null = () => null;
  readonly #options: Record<string, unknown>;
  #server: SMTPServer | null = null;

  constructor(options: Record<string, unknown>) {
    this.#options = options;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  start(): Promise<void> {
    this.#server = new SMTPServer({
      ...this.#options,
      logger: false,
      closeTimeout: 1,
      onAuth: ({ username, password }, _session, done) =>
        password === "right" ? done(null, { user: username }) : done(new Error("no")),
      onRcptTo: ({ address }, _session, done) => {
        const refused = this.refusal(address);
        done(
          refused === null ? null : Object.assign(new Error("the patient is Jane Doe"), { responseCode: refused.code }),
        );
      },
      onData: (stream, session, done) => {
        const chunks: Uint8Array[] = [];
        stream.on("data", (chunk: Uint8Array) => chunks.push(chunk));
        stream.on("end", () => {
          const [head, ...rest] = Buffer.concat(chunks).toString().split("\r\n\r\n");
          const text = rest.join("\r\n\r\n").trim();
          const to = session.envelope.rcptTo.map(({ address }) => address);
          const { patient, seq } = JSON.parse(text.startsWith("{") ? text : "{}");
          const id = `patient/HOSPX/${patient}#${seq}#feed#0`;
          this.mails.push({ to, head, text, id, user: session.user as unknown as string ?? null });
          done();
        });
      },
    });
    this.#server.on("error", () => {});
    return new Promise((resolve) => this.#server!.listen(this.port, "127.0.0.1", () => resolve()));
  }

  stop(): Promise<void> {
    return new Promise((resolve) => this.#server!.close(() => resolve()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

const PLAIN = { disabledCommands: ["AUTH", "STARTTLS"] };
const ADDRESSES = { from: "waterpark@example.org", to: "oncall-{key.facility}@example.org, ward@example.org" };

Deno.test("mail: two hundred deliveries, the server away in between, each there in order, under one id at every attempt", async () => {
  await using server = new MailServer(PLAIN);
  await server.start();
  const options = { ...ADDRESSES, server: server.address, tls: false, timeoutMs: 2_000 };
  await using sink = await startSink("mail mailSink", options);
  assert.deepEqual(sink.about.permissions, { net: [server.address], read: [], env: [] });
  const all = deliveries(20, 10);
  let restarted: Promise<void> | null = null;
  const tally = await deliverAll(sink, all, {
    msMax: 60_000,
    onDone: (done) => {
      if (done === 80) {
        restarted = server.stop().then(() => new Promise((r) => setTimeout(r, 1_000))).then(() => server.start());
      }
    },
  });
  await restarted;
  assert.deepEqual([tally.done, [...tally.dead]], [200, []]);
  assert(tally.retries > 0, "nothing was under way when the server went");
  repeatsIn(server.mails, all);
  const [mail] = server.mails;
  assert.deepEqual(mail.to, ["oncall-HOSPX@example.org", "ward@example.org"]);
  assert.match(mail.head, /^Subject: ORU\^R01 of patient\/HOSPX\/\d+\r$/m);
  const messageIds = new Map(server.mails.map(({ id, head }) => [id, /^Message-ID: (\S+)\r?$/m.exec(head)?.[1]]));
  for (const { id, head } of server.mails) assert.equal(/^Message-ID: (\S+)\r?$/m.exec(head)?.[1], messageIds.get(id));
  assert.equal(new Set(messageIds.values()).size, 200);
});

Deno.test("mail: an alert says its text; what is refused for good is dead, what is refused for now comes again", async () => {
  await using server = new MailServer(PLAIN);
  await server.start();
  await using sink = await startSink("mail mailSink", {
    server: server.address,
    tls: false,
    from: "waterpark@example.org",
    to: "{option.to}",
    subject: "{option.subject}",
  });
  const say = (to: string, subject = "ok") =>
    delivery(1, 1, {
      options: { to, subject },
      bytes: new TextEncoder().encode(JSON.stringify({ state: "begins", text: "HOSPX is silent since 08:15" })),
    });
  const endOf = async (to: string, subject?: string) => (await sink.deliver([say(to, subject)]))[0];
  assert.equal((await endOf("a@example.org", "two\r\nBcc: thief@example.org")).state, "done");
  const [mail] = server.mails;
  assert.equal(mail.text, "HOSPX is silent since 08:15");
  assert.deepEqual(mail.to, ["a@example.org"]);
  assert.match(mail.head, /^Subject: two Bcc: thief@example.org\r?$/m);
  for (const to of ["a@example.org, b@example.org", "a@example.org\r\nBcc: b@example.org", "nobody", ""]) {
    assert.deepEqual(await endOf(to), {
      state: "dead",
      code: "mail/bad-address",
      text: "what it says fills no address",
    });
  }
  server.refusal = (to) => to.startsWith("gone") ? { code: 550 } : to.startsWith("full") ? { code: 452 } : null;
  const [gone, full] = [await endOf("gone@example.org"), await endOf("full@example.org")];
  assert.deepEqual([gone.state, full.state], ["dead", "retry"]);
  assert.doesNotMatch(JSON.stringify([gone, full]), /Jane/, "what a server says may quote the mail");
  const { options: _, ...without } = say("a@example.org");
  const [missing] = await sink.deliver([{ ...without, options: {} }]);
  assert.equal(missing.state === "dead" && missing.code, "mail/missing-option");
});

Deno.test("mail: TLS is begun, by an authority that is trusted; the login is right or it is tried again", async () => {
  await withCertificate(async ({ caFile, cert, key }) => {
    await using server = new MailServer({ cert, key });
    await server.start();
    const login = { user: "waterpark", passwordEnv: "SMTP_PASSWORD" };
    // the certificate is for localhost
    const address = `localhost:${server.port}`;
    const options = { ...ADDRESSES, server: address, login };
    const endWith = async (more: Record<string, unknown>, password: string) => {
      await using sink = await startSink("mail mailSink", { ...options, ...more }, { SMTP_PASSWORD: password });
      const [end] = await sink.deliver([delivery(1, 1)]);
      const checked = await sink.check().catch(() => "not checked");
      return [end.state === "done" ? "done" : end.code, checked];
    };
    const trusting = { tls: { caFile } };
    assert.deepEqual(await endWith(trusting, "right"), ["done", `${address} takes mail from waterpark`]);
    assert.equal(server.mails[0].user, "waterpark");
    assert.deepEqual(await endWith(trusting, "wrong"), ["mail/not-let-in", "not checked"]);
    const [code] = await endWith({}, "right");
    assert.equal(code, "mail/no-tls", "nobody vouches for it");
    assert.equal(server.mails.length, 1);
  });
});
