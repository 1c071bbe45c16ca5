import assert from "node:assert/strict";
import fc from "fast-check";
import { type ActorKey, WaterparkError } from "../base/mod.ts";
import { isHl7Batch, parseHl7 } from "../wire/mod.ts";
import { SeededRandom, SimulatedTime, simulatedWorld } from "../world/mod.ts";
import { Admission } from "./admission.ts";
import { encodeMllp, MllpDecoder } from "./mllp_decoder.ts";
import { noMllpCounts } from "./mllp_counters.ts";
import type { MllpOddity } from "./mllp_recorder.ts";
import { MllpSession, type MllpSessionOptions } from "./mllp_session.ts";
import type { HandledView, PostAnswer, PostRequest } from "./service.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const hl7 = (patient: string, controlId: string, rest = "") =>
  bytesOf(`MSH|^~\\&|A|FAC|B|G|20260101||ADT^A08|${controlId}|P|2.5${rest}\rPID|||${patient}\r`);

type Answer = { state: "refused"; code: string; outcome: "not-applied" | "unknown"; message: string };
const RECORDED = { state: "recorded", receipt: {}, duplicate: false } as PostAnswer;
const BUSY: Answer = { state: "refused", code: "mailroom/busy", outcome: "not-applied", message: "busy" };

/** A session whose recording is answered by hand, or at once where `answers` says how. */
function conversation(
  options: Partial<MllpSessionOptions> & {
    answers?: (request: PostRequest) => PostAnswer;
    whenHandled?: (key: ActorKey, seq: number) => Promise<HandledView>;
  } = {},
) {
  const posted: PostRequest[] = [];
  const waiting: ((answer: PostAnswer | Error) => void)[] = [];
  const decoder = new MllpDecoder(1 << 20);
  const acks: string[] = [];
  const counters = noMllpCounts();
  let ids = 0;
  const session = new MllpSession({
    counters,
    route: {},
    messageBytesMax: 4096,
    inFlightMax: 64,
    service: {
      whenHandled: options.whenHandled ?? (() => Promise.resolve({ isHandled: true, standstill: "" })),
      newId: () => `0123456789abcde${ids++}`,
      nowWallMs: () => 1767225600000,
      post(request) {
        posted.push(request);
        if (options.answers !== undefined) return Promise.resolve(options.answers(request));
        return new Promise((resolve, reject) =>
          waiting.push((answer) => answer instanceof Error ? reject(answer) : resolve(answer))
        );
      },
    },
    write(bytes) {
      for (const event of decoder.push(bytes)) {
        assert.equal(event.state, "message");
        if (event.state !== "message") continue;
        if (isHl7Batch(event.bytes)) {
          acks.push(new TextDecoder().decode(event.bytes).replaceAll(/\r(?:ERR|MSH)[^\r]*/g, ""));
          continue;
        }
        const ack = parseHl7(event.bytes);
        acks.push(`${ack.get("MSA-1")} ${ack.get("MSA-2")}`.trim());
      }
      return Promise.resolve();
    },
    ...options,
  });
  const send = (...messages: Uint8Array[]) =>
    session.receive(Uint8Array.from(messages.flatMap((message) => [...encodeMllp(message)])));
  return { session, posted, waiting, acks, counters, send };
}

const settled = async () => {
  for (let i = 0; i < 30; i++) await Promise.resolve();
};

Deno.test("mllp: a message is recorded in its patient's actor and acknowledged afterwards", async () => {
  const { posted, waiting, acks, send, session, counters } = conversation();
  assert.equal(await send(hl7("1001^^^MRN", "77")), true);
  await settled();
  assert.deepEqual(acks, [], "nothing is acknowledged before it is recorded");
  const { payload, ...rest } = posted[0];
  assert.deepEqual(rest, {
    key: { kind: "patient", facility: "FAC", id: "1001" },
    id: "FAC/77",
    type: "ADT^A08",
    contentType: "x-application/hl7-v2+er7",
    sender: "mllp:0123456789abcde0.0",
  });
  assert.deepEqual(payload, hl7("1001^^^MRN", "77"), "as sent");
  waiting[0](RECORDED);
  await session.drain();
  assert.deepEqual(acks, ["AA 77"]);
  assert.equal(counters.accepted, 1);
});

Deno.test("mllp: answers leave in the order of arrival, whatever is recorded first", async () => {
  const { waiting, acks, send, session } = conversation();
  await send(hl7("1", "a"), hl7("2", "b"), hl7("3", "c"));
  waiting[2](RECORDED);
  waiting[1](BUSY);
  await settled();
  assert.deepEqual(acks, []);
  waiting[0](RECORDED);
  await session.drain();
  assert.deepEqual(acks, ["AA a", "AE b", "AA c"]);
});

Deno.test("mllp: one patient's messages go one after the other, and none overtakes a refused one", async () => {
  const { posted, waiting, acks, send, session } = conversation();
  await send(hl7("1", "a"), hl7("2", "b"), hl7("1", "c"), hl7("1", "d"));
  assert.deepEqual(posted.map((p) => p.id), ["FAC/a", "FAC/b"]);
  waiting[0](RECORDED);
  await settled();
  assert.deepEqual(posted.map((p) => p.id), ["FAC/a", "FAC/b", "FAC/c"]);
  waiting[2](BUSY);
  waiting[1](RECORDED);
  await session.drain();
  assert.deepEqual(acks, ["AA a", "AA b", "AE c", "AE d"]);
  assert.equal(posted.length, 3);
  await send(hl7("1", "c"), hl7("1", "d"));
  waiting[3](RECORDED);
  await settled();
  waiting[4](RECORDED);
  await session.drain();
  assert.deepEqual(acks.slice(4), ["AA c", "AA d"], "sent again, they are recorded in order");
});

Deno.test("mllp: another message under the same id is refused, or kept under id~digest; an alert either way", async () => {
  const answers = (request: PostRequest) =>
    request.id !== "FAC/a" ? RECORDED : { ...BUSY, code: "mailroom/conflict", message: "other bytes" };
  for (const conflicts of ["reject", "keep"] as const) {
    const alerts: string[] = [];
    const { posted, acks, send, session, counters } = conversation({
      onAlert: (code) => alerts.push(code),
      answers,
      conflicts,
    });
    await send(hl7("1", "a"), hl7("1", "b"));
    await session.drain();
    assert.deepEqual(acks, [conflicts === "keep" ? "AA a" : "AR a", "AA b"], "what comes behind it is not held up");
    assert.equal(posted[0].id, "FAC/a");
    if (conflicts === "keep") assert.match(posted[1].id ?? "", /^FAC\/a~[0-9a-f]{16}$/);
    assert.deepEqual([alerts, counters.conflicts], [["gateway/mllp-conflict"], 1]);
  }
});

Deno.test("mllp: in enhanced mode what is asked for is told, after the message is recorded; else nothing", async () => {
  const { acks, send, session, waiting, counters } = conversation();
  await send(hl7("1", "a", "|||AL|AL"), hl7("2", "b", "|||NE|NE"), hl7("3", "c", "|||ER|"), hl7("4", "d"));
  await settled();
  assert.deepEqual(acks, [], "CA is a promise: not before the quorum has it");
  for (const answer of waiting) answer(RECORDED);
  await session.drain();
  assert.deepEqual(acks, ["CA a", "AA a", "AA d"]);
  assert.equal(counters.accepted, 4);
  const busy = conversation({ answers: () => BUSY });
  await busy.send(hl7("1", "a", "|||AL|AL"), hl7("2", "b", "|||SU|"), hl7("3", "c", "|||ER|AL"));
  await busy.session.drain();
  assert.deepEqual(busy.acks, ["CE a", "CE c"]);
  const single = conversation({ answers: () => RECORDED, acknowledge: "aa" });
  await single.send(hl7("1", "a", "|||AL|AL"), hl7("2", "b", "|||NE|NE"));
  await single.session.drain();
  assert.deepEqual(single.acks, ["AA a"]);
});

Deno.test("mllp: a batch's messages are recorded one by one, in order, and answered by one batch", async () => {
  const text = (...parts: Uint8Array[]) => parts.map((part) => new TextDecoder().decode(part)).join("");
  const batch = (...messages: Uint8Array[]) =>
    bytesOf(`BHS|^~\\&|LAB|HOSPX|WP|DC|||||b1\r${text(...messages)}BTS|${messages.length}\r`);
  const oddities: MllpOddity[] = [];
  const { acks, send, session, waiting, posted, counters } = conversation({
    inFlightMax: 3,
    onOddity: (oddity) => oddities.push(oddity),
  });
  const sending = send(
    batch(hl7("1", "a"), hl7("2", "b"), hl7("1", "c"), hl7("3", "d"), bytesOf("MSH|^~\\&|A|FAC\r")),
    hl7("3", "e"),
  );
  const answerAll = async () => {
    for (let done = 0; done < waiting.length; done++) {
      waiting[done](posted[done].id === "FAC/b" ? BUSY : RECORDED);
      await settled();
    }
  };
  await settled();
  assert.deepEqual(posted.map(({ id }) => id), ["FAC/a", "FAC/b"], "no more at a time than a connection may have");
  waiting[0](RECORDED);
  await settled();
  assert.equal(acks.length, 0, "nothing is answered before all of it is recorded");
  await answerAll();
  await sending;
  await answerAll();
  await session.drain();
  assert.deepEqual(posted.map(({ id }) => id), ["FAC/a", "FAC/b", "FAC/c", "FAC/d", "FAC/e"]);
  assert.deepEqual(acks[0].split("\r").slice(1), [
    "MSA|AA|a",
    "MSA|AE|b|mailroom/busy: busy",
    "MSA|AA|c",
    "MSA|AA|d",
    ...acks[0].split("\r").slice(5),
  ]);
  assert.match(acks[0], /^BHS\|\^~\\&\|WP\|DC\|LAB\|HOSPX\|[^\r]*\|b1\r[^]*\rMSA\|AR\|\|wire\/no-key[^\r]*\rBTS\|5\r$/);
  assert.equal(acks[1], "AA e");
  assert.deepEqual([counters.batches, counters.messages, counters.accepted, counters.deferred, counters.rejected], [
    1,
    6,
    4,
    1,
    1,
  ]);
  assert.deepEqual([oddities.length, counters.duplicates], [0, 0]);
  const short = conversation({ answers: () => RECORDED, onOddity: (oddity) => oddities.push(oddity) });
  await short.send(bytesOf(`BHS|^~\\&\r${text(hl7("1", "a"))}BTS|2\r`), bytesOf("FHS|\r" + "MSH|\r".repeat(10_001)));
  await short.session.drain();
  assert.deepEqual([oddities, short.acks.length, short.acks[1]], [["short batch", "too large"], 2, "AR"]);
});

Deno.test("mllp: what is no message is counted and told by its kind", async () => {
  const oddities: MllpOddity[] = [];
  const { session, send, counters } = conversation({
    answers: () => ({ ...RECORDED, duplicate: true } as PostAnswer),
    onOddity: (oddity) => oddities.push(oddity),
  });
  await session.receive(bytesOf("noise\x0bhello\x1c\r"));
  await send(hl7("1", "a"), hl7("1" + "x".repeat(5000), "big"));
  await session.receive(bytesOf("\x0bMSH|^~\\&|cut"));
  await session.drain();
  session.ended();
  assert.deepEqual(oddities, ["no HL7", "bytes outside frames", "too large", "no end"]);
  assert.deepEqual(
    [
      counters.notHl7,
      counters.garbageBytes,
      counters.tooLarge,
      counters.cutOff,
      counters.duplicates,
      counters.rejected,
    ],
    [1, 5, 1, 1, 1, 2],
  );
});

Deno.test("mllp: a feed's charset goes with its messages, and reads their keys", async () => {
  const { posted, send, session } = conversation({ answers: () => RECORDED, route: { charset: "8859/2" } });
  const latin2 = (charset: string) =>
    Uint8Array.from(
      new TextDecoder("latin1").decode(hl7("\x00", "a", `||||||${charset}`)),
      (c) => c === "\0" ? 0xa3 : c.charCodeAt(0),
    );
  await send(latin2(""), latin2("8859/1"));
  await session.drain();
  assert.deepEqual(posted.map(({ key }) => key.id), ["Ł", "£"]);
  assert.equal(posted[0].contentType, "x-application/hl7-v2+er7; charset=8859/2");
});

Deno.test("mllp: AR is for never, AE for all that may work later", async () => {
  const answers: Record<string, PostAnswer | Error> = {
    "FAC/busy": BUSY,
    "FAC/unknown": { ...BUSY, code: "mailroom/unknown", outcome: "unknown" },
    "FAC/large": { ...BUSY, code: "mailroom/too-large" },
    "FAC/thrown": new WaterparkError("Cannot record", { code: "mailroom/no-majority", outcome: "not-applied" }),
    "FAC/bug": new Error("boom"),
  };
  const { posted, acks, send, session, counters } = conversation({
    answers(request) {
      const answer = answers[request.id ?? ""];
      if (answer instanceof Error) throw answer;
      return answer;
    },
  });
  await send(
    ...Object.keys(answers).map((id, i) => hl7(`${i}`, id.slice(4))),
    bytesOf("GET / HTTP/1.1"),
    bytesOf("MSH|^~\\&|A|FAC|||x||ADT^A08|nokey|P|2.5"),
    hl7("12", "bad").map((byte) => byte === 0x31 ? 1 : byte),
    hl7("1" + "x".repeat(5000), "big"),
    hl7("1", "y".repeat(300)),
  );
  await session.drain();
  assert.deepEqual(acks, [
    "AE busy",
    "AE unknown",
    "AR large",
    "AE thrown",
    "AE bug",
    "AR",
    "AR nokey",
    "AR bad",
    "AR big",
    `AR ${"y".repeat(300)}`,
  ]);
  assert.equal(posted.length, 5);
  assert.deepEqual([counters.deferred, counters.rejected, counters.tooLarge], [4, 6, 1]);
});

Deno.test("mllp: acknowledgements are not acknowledged, and a message without control id stands once", async () => {
  const { posted, acks, send, session } = conversation({ answers: () => RECORDED });
  const ack = "MSH|^~\\&|A|FAC|||x||ACK^A08|9|P|2.5\rMSA|AA|1\r";
  await send(bytesOf(ack), bytesOf(`BHS|^~\\&\r${ack}${ack}BTS|2\r`), hl7("1", ""), hl7("1", ""));
  await session.drain();
  assert.deepEqual(acks, ["AA", "AA"]);
  assert.match(posted[0].id ?? "", /^FAC\/~[0-9a-f]{16}$/);
  assert.equal(posted[0].id, posted[1].id);
});

Deno.test("mllp: a peer with too many open messages is not read on", async () => {
  const { waiting, posted, acks, send } = conversation({ inFlightMax: 2 });
  let isRead = false;
  const reading = send(hl7("1", "a"), hl7("2", "b"), hl7("3", "c")).then(() => isRead = true);
  await settled();
  assert.deepEqual([posted.length, isRead], [2, false]);
  waiting[0](RECORDED);
  await reading;
  assert.deepEqual([posted.length, acks], [3, ["AA a"]]);
});

Deno.test("mllp: a broken connection ends the session, a stranger's protocol too", async () => {
  const broken = conversation({ answers: () => RECORDED, write: () => Promise.reject(new Error("reset")) });
  await broken.send(hl7("1", "a"));
  await broken.session.drain();
  assert.equal(await broken.send(hl7("1", "b")), false);
  const stranger = conversation();
  assert.equal(await stranger.session.receive(new Uint8Array(60_000).fill(65)), true);
  assert.equal(await stranger.session.receive(new Uint8Array(60_000).fill(65)), false);
  assert.equal(stranger.counters.garbageBytes, 120_000);
});

Deno.test("mllp: every message is answered once, in order, and each patient's log holds the sent order", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(3), fc.boolean()), { maxLength: 20 }),
      fc.array(fc.nat(19), { maxLength: 40 }),
      async (messages, order) => {
        const { waiting, acks, posted, send, session } = conversation();
        const recorded: string[] = [];
        await send(...messages.map(([patient], i) => hl7(`${patient}`, `${i}`)));
        const done = new Set<number>();
        const answer = async (i: number) => {
          if (i >= waiting.length || done.has(i)) return;
          done.add(i);
          const number = Number(posted[i].id?.slice(4));
          if (messages[number][1]) recorded.push(`${posted[i].key.id} ${number}`);
          waiting[i](messages[number][1] ? RECORDED : BUSY);
          await settled();
        };
        for (const i of order) await answer(i);
        for (let i = 0; i < waiting.length; i++) await answer(i);
        await session.drain();
        assert.deepEqual(acks.map((ack) => ack.slice(3)), messages.map((_, i) => `${i}`));
        assert.deepEqual(acks.filter((ack) => ack.startsWith("AA")).length, recorded.length);
        for (let patient = 0; patient < 4; patient++) {
          const mine = recorded.filter((entry) => entry.startsWith(`${patient} `)).map((e) => Number(e.slice(2)));
          assert.deepEqual(mine, mine.toSorted((a, b) => a - b));
          const refused = messages.findIndex(([p, ok]) => p === patient && !ok);
          if (refused >= 0) assert.ok(mine.every((number) => number < refused), "nothing overtook the refused");
        }
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("mllp: who comes when more is under way than gets done is told AE at once, unrecorded", async () => {
  const world = simulatedWorld({ time: new SimulatedTime(), random: new SeededRandom(1) });
  const admission = new Admission(world, { openMin: 1, openMax: 1, stayMs: 1000 });
  const { posted, waiting, acks, send, session } = conversation({ admission });
  await send(hl7("1", "a"), hl7("2", "b"));
  await settled();
  assert.equal(posted.length, 1);
  waiting[0](RECORDED);
  await settled();
  assert.deepEqual([acks, admission.open], [["AA a", "AE b"], 0]);
  await send(hl7("2", "b"));
  await settled();
  waiting[1](RECORDED);
  await session.drain();
  assert.deepEqual(acks, ["AA a", "AE b", "AA b"]);
});

Deno.test("mllp: whatever comes, nothing is thrown, and each frame has its one answer", async () => {
  const piece = fc.constantFrom(
    "\x0b",
    "\x1c\r",
    "\r",
    "MSH|^~\\&|A|FAC|||x||ADT^A08|7|P|2.5\r",
    "MSH|^~\\&|A|FAC|||x||ADT^A08|8|P|2.5|||AL|AL\r",
    "MSH#!*?%#A#FAC###x##ADT!A08#9#P#2.3\r",
    "PID|||1\r",
    "PID|||\xff\\X0D\\",
    "BHS|^~\\&|A\r",
    "FHS",
    "BTS|2\r",
    "BTS",
    "FTS|",
    "MSH",
    "MSA|AA|1",
    "\0",
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 30 }), fc.integer({ min: 1, max: 40 }), async (pieces, size) => {
      const bytes = Uint8Array.from(pieces.join(""), (character) => character.charCodeAt(0));
      const { session, acks, counters } = conversation({ answers: () => RECORDED });
      for (let at = 0; at < bytes.length; at += size) {
        assert.equal(await session.receive(bytes.subarray(at, at + size)), true);
      }
      session.ended();
      await session.drain();
      assert.equal(session.pending, 0);
      const { messages, accepted, deferred, rejected } = counters;
      assert.equal(accepted + deferred + rejected, messages);
      assert.ok(acks.length <= 2 * messages + counters.batches);
    }),
    { numRuns: 500 },
  );
});
