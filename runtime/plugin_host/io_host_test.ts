import assert from "node:assert/strict";
import { SeededRandom, SimulatedTime, simulatedWorld } from "../world/mod.ts";
import type { HostProcessEvents } from "./host_process.ts";
import { type IoAnswer, IoHost } from "./io_host.ts";
import { type IoAbout, readAbout } from "./io_manifest.ts";
import { decodeIo, deliveriesOf, encodeIo, IO_FRAME, type IoFrame } from "./io_protocol.ts";
import type { Delivery, DeliveryEnd } from "./io_sdk.ts";

const ABOUT: IoAbout = {
  plugin: "sink",
  name: "lab",
  permissions: {},
  limits: { callMs: 1_000, openMax: 2 },
  batchMax: 3,
};

/** A process that does what the test says. */
function started() {
  const time = new SimulatedTime();
  const world = simulatedWorld({ time, random: new SeededRandom(1) });
  const lives: { events: HostProcessEvents; asked: IoFrame[]; killed: string }[] = [];
  const questions: string[] = [];
  const host = new IoHost({
    world,
    bundle: Uint8Array.of(1),
    about: ABOUT,
    onAsk: (verb, value, _bytes, done) => {
      questions.push(`${verb} ${JSON.stringify(value)}`);
      done({ value: 7 });
    },
    spawn: (events) => {
      const life = { events, asked: [] as IoFrame[], killed: "" };
      lives.push(life);
      return {
        send: (frame) => void life.asked.push(decodeIo(frame.subarray(4))),
        kill: (reason) => {
          life.killed = reason;
          world.soon(() => events.onExit(reason));
        },
      };
    },
  });
  const say = (kind: number, call: number, head: unknown) =>
    lives.at(-1)!.events.onFrame(encodeIo(kind, call, head).subarray(4));
  return { time, host, lives, questions, say, run: (ms: number) => time.runUntil(time.nowMs + ms) };
}

const delivery = (n: number): Delivery => ({
  ...{ id: `e${n}`, key: { kind: "patient", facility: "H", id: `${n}` }, seq: 1, attempt: 1, type: "t" },
  ...{ contentType: "text/plain", bytes: Uint8Array.of(n), options: {} },
});

Deno.test("i/o host: starts when it is first asked, loads, and makes calls of what comes in one turn", () => {
  const s = started();
  const ends: (DeliveryEnd | null)[] = Array(8).fill(null);
  for (let n = 0; n < 8; n++) s.host.deliver(delivery(n), (end) => ends[n] = end);
  s.run(1);
  assert.deepEqual(s.lives[0].asked.map(({ kind }) => kind), [IO_FRAME.load], "nothing before it has loaded");
  s.say(IO_FRAME.loaded, 0, { value: {} });
  const calls = s.lives[0].asked.slice(1);
  assert.deepEqual(calls.map((call) => deliveriesOf(call).map(({ bytes }) => bytes[0])), [[0, 1, 2], [3, 4, 5]]);
  s.say(IO_FRAME.answer, calls[0].call, {
    value: [{ state: "done" }, { state: "dead", code: "x/y", text: "no" }, { state: "??" }],
  });
  s.run(1);
  assert.deepEqual(ends.slice(0, 3), [
    { state: "done" },
    { state: "dead", code: "x/y", text: "no" },
    { state: "retry", code: "plugin_host/bad-answer", text: "the sink gave no end for this delivery" },
  ]);
  assert.deepEqual(deliveriesOf(s.lives[0].asked[3]).length, 2, "the rest has its turn");
});

Deno.test("i/o host: who does not answer is late, who is late too often is ended, and the next one goes on", async () => {
  const s = started();
  const answers: IoAnswer[] = [];
  const ask = () => void s.host.check().then((answer) => answers.push(answer));
  ask();
  s.run(1);
  s.say(IO_FRAME.loaded, 0, { value: {} });
  for (let i = 0; i < 3; i++) {
    s.run(1_001);
    ask();
    s.run(1);
  }
  await Promise.resolve();
  const codes = answers.map((answer) => answer.state === "failed" && answer.code);
  assert.deepEqual(codes, Array(3).fill("plugin_host/deadline"));
  assert.deepEqual([s.lives[0].killed, s.host.stats().deaths], ["plugin_host/stuck", 1]);
  s.run(300);
  assert.equal(s.lives.length, 2);
  s.lives[1].events.onFrame(Uint8Array.of(9, 9));
  assert.equal(s.lives[1].killed, "plugin_host/bad-answer");
});

Deno.test("i/o host: the plugin's questions are answered; what it asks after its end is not heard", () => {
  const s = started();
  void s.host.run();
  s.run(1);
  s.say(IO_FRAME.loaded, 0, { value: {} });
  s.say(IO_FRAME.ask, 5, { verb: "cursor", value: {} });
  const { kind, call, head } = s.lives[0].asked.at(-1)!;
  assert.deepEqual([kind, call, head], [IO_FRAME.told, 5, { value: 7 }]);
  const [first] = s.lives;
  first.events.onExit("plugin_host/died");
  first.events.onFrame(encodeIo(IO_FRAME.ask, 6, { verb: "send", value: {} }).subarray(4));
  assert.deepEqual(s.questions, ["cursor {}"]);
});

Deno.test("i/o manifest: what is no manifest says why; defaults are filled in", () => {
  const sink = readAbout({ plugin: "sink", name: "lab" });
  assert.ok(typeof sink !== "string" && sink.retry?.attempts === 8 && sink.whenDead === "skip");
  const problems = [
    null,
    { name: "lab" },
    { plugin: "sink", name: "Lab" },
    { plugin: "sink", name: "lab", permissions: { run: ["sh"] } },
    { plugin: "sink", name: "lab", permissions: { net: ["a,b"] } },
    { plugin: "sink", name: "lab", limits: { callMs: 0 } },
    { plugin: "sink", name: "lab", limits: { cpu: 1 } },
    { plugin: "sink", name: "lab", whenDead: "cry" },
    { plugin: "sink", name: "lab", retry: { firstMs: 10, mostMs: 1 } },
    { plugin: "source", name: "lab" },
  ].map(readAbout);
  assert.ok(problems.every((problem) => typeof problem === "string"), JSON.stringify(problems));
});
