import assert from "node:assert/strict";
import { encodeMllp, MllpDecoder } from "./mllp_decoder.ts";
import { noMllpCounts } from "./mllp_counters.ts";
import { MllpSession, type MllpSessionOptions } from "./mllp_session.ts";
import type { HandledView, PostAnswer } from "./service.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const hl7 = (patient: string, controlId: string, rest = "") =>
  bytesOf(`MSH|^~\\&|A|FAC|B|G|20260101||QBP^Q22|${controlId}|P|2.5${rest}\rPID|||${patient}\r`);
const DONE: HandledView = { isHandled: true, standstill: "" };

/** A session that waits for handlers, which the test ends one by one. */
function conversation(options: Partial<MllpSessionOptions> = {}) {
  const handlers: { id: string; end: (view: HandledView | Error) => void }[] = [];
  const answers: string[] = [];
  const decoder = new MllpDecoder(1 << 20);
  let seq = 0;
  const session = new MllpSession({
    counters: noMllpCounts(),
    route: {},
    messageBytesMax: 4096,
    inFlightMax: 4,
    application: "handled",
    service: {
      newId: () => "0123456789abcdef",
      nowWallMs: () => 1767225600000,
      post: () => Promise.resolve({ state: "recorded", receipt: { seq: ++seq }, duplicate: false } as PostAnswer),
      whenHandled: ({ id }, seq) =>
        new Promise((resolve, reject) => {
          const end = (view: HandledView | Error) => view instanceof Error ? reject(view) : resolve(view);
          handlers.push({ id: `${id} ${seq}`, end });
        }),
    },
    write(bytes) {
      for (const event of decoder.push(bytes)) {
        assert.ok(event.state === "message");
        const text = new TextDecoder("latin1").decode(event.bytes);
        for (const line of text.split("\r")) if (line.startsWith("MSA") || line.startsWith("QAK")) answers.push(line);
      }
      return Promise.resolve();
    },
    ...options,
  });
  const send = (...messages: Uint8Array[]) =>
    session.receive(Uint8Array.from(messages.flatMap((message) => [...encodeMllp(message)])));
  return { session, handlers, answers, send };
}

const settled = async () => {
  for (let i = 0; i < 60; i++) await Promise.resolve();
};

Deno.test("mllp, handled: in original mode the one answer says what handlers made of it", async () => {
  const { session, handlers, answers, send } = conversation();
  await send(hl7("1", "a"), hl7("2", "b"), hl7("3", "c"), hl7("4", "d"));
  await settled();
  assert.deepEqual([answers, handlers.map(({ id }) => id)], [[], ["1 1", "2 2", "3 3", "4 4"]]);
  handlers[3].end(new Error("the node is gone"));
  handlers[2].end({ ...DONE, isHandled: false });
  handlers[1].end({ ...DONE, standstill: "plugin_host/threw" });
  handlers[0].end({ ...DONE, reply: { count: 1 } });
  await session.drain();
  assert.deepEqual(answers, [
    "MSA|AA|a",
    "MSA|AE|b|plugin_host/threw: recorded, but a handler stands still",
    "MSA|AE|c|actors/timeout: recorded, and handled later",
    "MSA|AE|d|actors/timeout: recorded, and handled later",
  ]);
});

Deno.test("mllp, handled: a reply that answers this message goes out in AA's place, in its charset; another does not", async () => {
  const { session, handlers, answers, send } = conversation();
  const inLatin = "||||||8859/1";
  await send(hl7("1", "a", inLatin), hl7("2", "b", inLatin), hl7("3", "c", inLatin));
  await settled();
  const reply = (id: string, said: string) =>
    ({ ...DONE, reply: `MSH|^~\\&|B|G|A|FAC|20260101||RSP^K22|r|P|2.5\nMSA|AA|${id}\nQAK|${said}` }) as const;
  handlers[0].end(reply("a", "Müller"));
  handlers[1].end(reply("another", "x"));
  handlers[2].end(reply("c", "Ł"));
  await session.drain();
  assert.deepEqual(answers.map((line) => line.slice(0, 30)), [
    "MSA|AA|a",
    "QAK|Müller",
    "MSA|AE|b|gateway/bad-reply: re",
    "MSA|AE|c|gateway/bad-reply: re",
  ]);
});

Deno.test("mllp, handled: CA comes at once and holds nobody up; the application's answers come behind, in order", async () => {
  const { session, handlers, answers, send } = conversation();
  await send(hl7("1", "a", "|||AL|AL"), hl7("2", "b", "|||AL|AL"), hl7("3", "c", "|||AL|NE"));
  await settled();
  assert.deepEqual(answers, ["MSA|CA|a", "MSA|CA|b", "MSA|CA|c"]);
  assert.deepEqual([handlers.length, session.pending], [2, 2], "nobody waits for an answer that is not wanted");
  handlers[1].end(DONE);
  await settled();
  assert.equal(answers.length, 3);
  handlers[0].end(DONE);
  await session.drain();
  assert.deepEqual(answers.slice(3), ["MSA|AA|a", "MSA|AA|b"]);
});

Deno.test("mllp, handled: answers of errors, or of successes, only; one answer for both where that is set", async () => {
  const { session, handlers, answers, send } = conversation();
  await send(hl7("1", "a", "||||ER"), hl7("2", "b", "||||ER"), hl7("3", "c", "||||SU"), hl7("4", "d", "||||SU"));
  await settled();
  for (const i of [0, 2]) handlers[i].end(DONE);
  for (const i of [1, 3]) handlers[i].end({ ...DONE, standstill: "x/y" });
  await session.drain();
  assert.deepEqual(answers.map((line) => line.slice(0, 8)), ["MSA|AE|b", "MSA|AA|c"]);

  const one = conversation({ acknowledge: "aa" });
  await one.send(hl7("1", "a", "|||AL"), hl7("2", "b", "|||NE|NE"));
  await settled();
  one.handlers[0].end(DONE);
  await one.session.drain();
  assert.deepEqual(one.answers, ["MSA|AA|a"]);
});

Deno.test("mllp, handled: what waits for handlers counts as under way", async () => {
  const { session, handlers, answers, send } = conversation({ inFlightMax: 2 });
  const all = ["a", "b", "c"].map((id, i) => hl7(String(i), id, "|||AL|AL"));
  const sent = send(...all);
  await settled();
  assert.deepEqual(answers, ["MSA|CA|a", "MSA|CA|b"]);
  handlers[0].end(DONE);
  await sent;
  await settled();
  assert.deepEqual(answers.slice(2), ["MSA|AA|a", "MSA|CA|c"]);
  for (const { end } of handlers) end(DONE);
  await session.drain();
});

Deno.test("mllp, handled: a batch is answered by one frame, when all of it is handled", async () => {
  let frame = new Uint8Array(0);
  const { session, handlers, send } = conversation({
    write: (bytes) => {
      frame = new Uint8Array(bytes).slice(1, -2);
      return Promise.resolve();
    },
  });
  const parts = [bytesOf("BHS|^~\\&|A|FAC\r"), hl7("1", "a"), hl7("2", "b", "|||AL|AL"), bytesOf("BTS|2\r")];
  await send(Uint8Array.from(parts.flatMap((part) => [...part])));
  await settled();
  assert.equal(frame.length, 0);
  for (const { end } of handlers) end(DONE);
  await session.drain();
  const said = [...new TextDecoder().decode(frame).matchAll(/MSA[^\r]*/g)].map(([line]) => line);
  assert.deepEqual(said, ["MSA|AA|a", "MSA|CA|b", "MSA|AA|b"]);
});

Deno.test("mllp, handled: what is being written is still under way", async () => {
  let taken = () => {};
  const { session, handlers, send } = conversation({ write: () => new Promise<void>((resolve) => taken = resolve) });
  await send(hl7("1", "a"));
  await settled();
  handlers[0].end(DONE);
  await settled();
  assert.equal(session.pending, 1);
  taken();
  await session.drain();
  assert.equal(session.pending, 0);
});
