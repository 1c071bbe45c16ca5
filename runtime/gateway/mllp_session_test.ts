import assert from "node:assert/strict";
import fc from "fast-check";
import { WaterparkError } from "../base/mod.ts";
import { parseHl7 } from "../wire/mod.ts";
import { SeededRandom, SimulatedTime, simulatedWorld } from "../world/mod.ts";
import { Admission } from "./admission.ts";
import { encodeMllp, MllpDecoder } from "./mllp_decoder.ts";
import { MllpSession, type MllpSessionOptions, noMllpCounts } from "./mllp_session.ts";
import type { PostAnswer, PostRequest } from "./service.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const hl7 = (patient: string, controlId: string) =>
  bytesOf(`MSH|^~\\&|A|FAC|B|G|20260101||ADT^A08|${controlId}|P|2.5\rPID|||${patient}\r`);

type Answer = { state: "refused"; code: string; outcome: "not-applied" | "unknown"; message: string };
const RECORDED = { state: "recorded", receipt: {}, duplicate: false } as PostAnswer;
const BUSY: Answer = { state: "refused", code: "mailroom/busy", outcome: "not-applied", message: "busy" };

/** A session whose recording is answered by hand, or at once where `answers` says how. */
function conversation(options: Partial<MllpSessionOptions> & { answers?: (request: PostRequest) => PostAnswer } = {}) {
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

Deno.test("mllp: the same id with other bytes is recorded under id~digest, with an alert", async () => {
  const alerts: string[] = [];
  const { posted, acks, send, session, counters } = conversation({
    onAlert: (code) => alerts.push(code),
    answers: (request) =>
      request.id?.includes("~") ? RECORDED : { ...BUSY, code: "mailroom/conflict", message: "other bytes" },
  });
  await send(hl7("1", "a"));
  await session.drain();
  assert.deepEqual(acks, ["AA a"]);
  assert.equal(posted[0].id, "FAC/a");
  assert.match(posted[1].id ?? "", /^FAC\/a~[0-9a-f]{16}$/);
  assert.deepEqual([alerts, counters.conflicts], [["gateway/mllp-conflict"], 1]);
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
  await send(bytesOf("MSH|^~\\&|A|FAC|||x||ACK^A08|9|P|2.5\rMSA|AA|1\r"), hl7("1", ""), hl7("1", ""));
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
