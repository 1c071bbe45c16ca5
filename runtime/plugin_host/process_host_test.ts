import assert from "node:assert/strict";
import type { FoldAnswer } from "../actors/mod.ts";
import { ByteReader } from "../wire/mod.ts";
import { SeededRandom, SimulatedTime, simulatedWorld } from "../world/mod.ts";
import type { ProcessHostConfig } from "./config.ts";
import type { HostProcess, HostProcessEvents } from "./host_process.ts";
import { decodeFold, encodeAnswer, encodeTexts, FrameCutter, HOST_FRAME } from "./host_protocol.ts";
import { ProcessHost } from "./process_host.ts";
import type { LoadAnswer } from "./version_shelf.ts";

/** A host that answers only when told to; one after the other, as processes come and go. */
class FakeHosts {
  readonly time = new SimulatedTime();
  readonly world = simulatedWorld({ time: this.time, random: new SeededRandom(1) });
  readonly deaths: [string, number][] = [];
  readonly answers = new Map<string, FoldAnswer>();
  readonly host: ProcessHost;
  born = 0;
  /** calls of the present process without an answer: number and key */
  calls: { number: number; key: string }[] = [];
  loads: string[] = [];
  #events: HostProcessEvents | null = null;

  constructor(config: Partial<ProcessHostConfig> = {}) {
    this.host = new ProcessHost({
      world: this.world,
      config,
      onDeath: (reason, calls) => this.deaths.push([reason, calls]),
      spawn: (events) => this.#spawn(events),
    });
    this.host.start();
    this.run(0);
  }

  run(ms: number): void {
    this.time.runUntil(this.time.nowMs + ms);
  }

  load(hash: string): { answer?: LoadAnswer } {
    const told: { answer?: LoadAnswer } = {};
    this.host.load(hash, "count", new Uint8Array(10), (answer) => told.answer = answer);
    return told;
  }

  loaded(hash: string, code = ""): void {
    this.#say(encodeTexts(HOST_FRAME.loaded, [hash, code, code || '{"name":"count","actorKind":"patient"}']));
  }

  fold(key: string, hash = "v1", payloadBytes = 10): void {
    const payload = new Uint8Array(payloadBytes);
    const message = { id: "m", seq: 1, atMs: 0, type: "", contentType: "text/plain", payload };
    const request = { plugin: "count", hash, key, after: 0, wantProjections: false, fresh: false, switches: {} };
    this.answers.delete(key);
    this.host.fold({ ...request, messages: [message] }, (answer) => {
      assert.ok(!this.answers.has(key), "answered once");
      this.answers.set(key, answer);
    });
  }

  /** answers the oldest call */
  answer(): string {
    const call = this.calls.shift()!;
    this.#say(encodeAnswer(call.number, { answer: { state: "ok", at: 1, results: [] }, projections: undefined }));
    return call.key;
  }

  die(reason = "plugin_host/died"): void {
    const events = this.#events!;
    this.#events = null;
    this.calls = [];
    this.loads = [];
    events.onExit(reason);
  }

  garbage(): void {
    this.#say(Uint8Array.of(3, 0, 0, 0, HOST_FRAME.answer, 1, 2));
  }

  #say(frame: Uint8Array): void {
    for (const each of new FrameCutter().push(frame)) this.#events!.onFrame(each);
  }

  #spawn(events: HostProcessEvents): HostProcess {
    this.born++;
    this.#events = events;
    this.world.soon(() => this.#say(encodeTexts(HOST_FRAME.ready, [])));
    const cutter = new FrameCutter();
    return {
      send: (frame) => {
        for (const each of cutter.push(frame)) {
          const reader = new ByteReader(each);
          const kind = reader.u8();
          if (kind === HOST_FRAME.load) this.loads.push(reader.text());
          if (kind !== HOST_FRAME.fold) continue;
          const { call, request } = decodeFold(reader);
          this.calls.push({ number: call, key: request.key });
        }
      },
      kill: (reason) => this.world.soon(() => this.#events === events && this.die(reason)),
    };
  }
}

function started(config: Partial<ProcessHostConfig> = {}): FakeHosts {
  const hosts = new FakeHosts(config);
  hosts.load("v1");
  hosts.loaded("v1");
  return hosts;
}

const LOST = { state: "down", lonely: false, code: "plugin_host/died" };

Deno.test("calls wait for their version, then go out in order", () => {
  const hosts = new FakeHosts();
  const told = hosts.load("v1");
  hosts.fold("a");
  hosts.fold("b");
  assert.deepEqual([hosts.loads, hosts.calls], [["v1"], []]);
  hosts.loaded("v1");
  assert.deepEqual(told.answer, { state: "loaded", name: "count", actorKind: "patient" });
  assert.deepEqual([hosts.answer(), hosts.answer()], ["a", "b"]);
  assert.equal(hosts.answers.get("b")?.state, "ok");
});

Deno.test("a death answers what was on its way; the suspects then run alone", () => {
  const hosts = started({ windowCalls: 2 });
  for (const key of ["a", "b", "c"]) hosts.fold(key);
  hosts.die();
  assert.deepEqual([hosts.answers.get("a"), hosts.answers.get("b"), hosts.answers.get("c")], [LOST, LOST, undefined]);
  assert.deepEqual(hosts.deaths, [["plugin_host/died", 2]]);
  for (const key of ["a", "b"]) hosts.fold(key);
  hosts.run(50);
  assert.deepEqual([hosts.born, hosts.loads], [2, ["v1"]]);
  hosts.loaded("v1");
  // c waited all the time and is nobody's suspect; a comes alone, and so is found out
  assert.deepEqual(hosts.calls.map((call) => call.key), ["c"]);
  hosts.answer();
  assert.deepEqual(hosts.calls.map((call) => call.key), ["a"]);
  hosts.die();
  assert.deepEqual(hosts.answers.get("a"), { ...LOST, lonely: true });
  assert.equal(hosts.answers.has("b"), false);
  hosts.run(200);
  hosts.loaded("v1");
  assert.equal(hosts.answer(), "b");
  assert.equal(hosts.host.stats().suspects, 1);
  // a is let off in the end, and all go together again
  hosts.run(10_500);
  for (const key of ["d", "e"]) hosts.fold(key);
  assert.deepEqual(hosts.calls.map((call) => call.key), ["d", "e"]);
});

Deno.test("a silent host that owes an answer is killed, an idle one is not", () => {
  const hosts = started();
  hosts.run(60_000);
  assert.equal(hosts.born, 1);
  hosts.fold("a");
  hosts.run(1_700);
  assert.deepEqual(hosts.answers.get("a"), { state: "down", lonely: true, code: "plugin_host/stuck" });
  assert.equal(hosts.born, 2);
});

Deno.test("a host that talks nonsense is killed", () => {
  const hosts = started();
  hosts.garbage();
  hosts.run(100);
  assert.deepEqual(hosts.deaths, [["plugin_host/bad-answer", 0]]);
  assert.equal(hosts.born, 2);
});

Deno.test("no room: busy at once, by count and by bytes; room again after answers", () => {
  const hosts = started({ callsMax: 2, callBytesMax: 10_000 });
  const busy = { state: "down", lonely: false, code: "plugin_host/busy" };
  hosts.fold("big", "v1", 20_000);
  for (const key of ["a", "b", "c"]) hosts.fold(key);
  hosts.run(0);
  assert.deepEqual([hosts.answers.get("big"), hosts.answers.get("c")], [busy, busy]);
  hosts.answer();
  hosts.fold("c");
  hosts.run(0);
  assert.equal(hosts.answers.has("c"), false);
});

Deno.test("processes that die young are followed more and more slowly", () => {
  const hosts = started();
  const births: number[] = [];
  for (let i = 0; i < 8; i++) {
    const before = hosts.born;
    const sinceMs = hosts.time.nowMs;
    hosts.die();
    while (hosts.born === before) hosts.run(5);
    births.push(Math.round((hosts.time.nowMs - sinceMs) / 50) * 50);
  }
  assert.deepEqual(births, [50, 100, 200, 400, 800, 1600, 2000, 2000]);
});

Deno.test("a version at whose loading two processes died is broken; its actors are told, the others go on", () => {
  const hosts = started();
  const told = hosts.load("v2");
  hosts.fold("a", "v2");
  for (let i = 0; i < 2; i++) {
    if (i > 0) hosts.loaded("v1");
    assert.equal(hosts.loads.at(-1), "v2");
    hosts.die();
    hosts.run(200);
  }
  assert.equal(told.answer?.state, "failed");
  hosts.loaded("v1");
  hosts.run(0);
  const answer = hosts.answers.get("a");
  assert.deepEqual(answer?.state === "fault" && [answer.at, answer.code], [1, "plugin_host/does-not-load"]);
  hosts.fold("b");
  assert.equal(hosts.answer(), "b");
});

Deno.test("unknown versions, versions that fail, and a closed host have their answers", async () => {
  const hosts = started();
  hosts.fold("a", "v9");
  const told = hosts.load("v2");
  hosts.loaded("v2", "plugin_host/not-a-plugin");
  assert.equal(told.answer?.state === "failed" && told.answer.code, "plugin_host/not-a-plugin");
  hosts.fold("b", "v2");
  hosts.fold("c");
  hosts.run(0);
  const codes = ["a", "b"].map((key) => (hosts.answers.get(key) as { code: string }).code);
  assert.deepEqual(codes, ["plugin_host/not-loaded", "plugin_host/not-a-plugin"]);
  const closed = hosts.host.close();
  hosts.run(0);
  await closed;
  assert.deepEqual(hosts.answers.get("c"), { state: "down", lonely: false, code: "plugin_host/closed" });
  assert.deepEqual(hosts.deaths, []);
});
