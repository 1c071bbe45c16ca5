import assert from "node:assert/strict";
import type { FoldAnswer } from "../actors/mod.ts";
import { ByteReader } from "../wire/mod.ts";
import { SeededRandom, SimulatedTime, simulatedWorld } from "../world/mod.ts";
import type { HostProcess, HostProcessEvents } from "./host_process.ts";
import { HostPool, hostsFor } from "./host_pool.ts";
import { decodeFold, encodeAnswer, encodeTexts, FrameCutter, HOST_FRAME } from "./host_protocol.ts";
import type { LoadAnswer } from "./version_shelf.ts";

/** Hosts that do as they are told at once, but for those in `sulking`. */
class Desk {
  readonly time = new SimulatedTime();
  readonly world = simulatedWorld({ time: this.time, random: new SeededRandom(1) });
  readonly pool: HostPool;
  /** per process, in the order of their births: its calls' keys */
  readonly calls: string[][] = [];
  readonly events: HostProcessEvents[] = [];
  readonly sulking = new Set<number>();
  refusal = new Map<number, string>();

  constructor(hosts: number) {
    this.pool = new HostPool({ world: this.world, hosts, spawn: (events) => this.#spawn(events) });
  }

  run(ms = 0): void {
    this.time.runUntil(this.time.nowMs + ms);
  }

  fold(key: string): FoldAnswer[] {
    const told: FoldAnswer[] = [];
    const message = { id: "m", seq: 1, atMs: 0, type: "", contentType: "text/plain", payload: new Uint8Array(1) };
    const request = { plugin: "p", hash: "v1", key, after: 0, wantProjections: false, fresh: false, switches: {} };
    this.pool.fold({ ...request, messages: [message] }, (answer) => told.push(answer));
    return told;
  }

  #spawn(events: HostProcessEvents): HostProcess {
    const number = this.events.push(events) - 1;
    const calls: string[] = this.calls[number] = [];
    const say = (bytes: Uint8Array) => {
      const frames = new FrameCutter().push(bytes.slice());
      this.world.soon(() => frames.forEach((frame) => events.onFrame(frame)));
    };
    say(encodeTexts(HOST_FRAME.ready, []));
    const cutter = new FrameCutter();
    const take = (frame: Uint8Array) => {
      const reader = new ByteReader(frame);
      const kind = reader.u8();
      if (kind === HOST_FRAME.load) {
        const code = this.refusal.get(number) ?? "";
        say(encodeTexts(HOST_FRAME.loaded, [reader.text(), code, code || '{"name":"p","actorKind":"patient"}']));
      }
      if (kind !== HOST_FRAME.fold) return;
      const { call, request } = decodeFold(reader);
      calls.push(request.key);
      if (this.sulking.has(number)) return;
      say(encodeAnswer(call, { answer: { state: "ok", at: 1, results: [] }, projections: undefined }));
    };
    return {
      send: (bytes) => cutter.push(bytes).forEach(take),
      kill: (reason) => this.world.soon(() => events.onExit(reason)),
    };
  }
}

const KEYS = Array.from({ length: 600 }, (_, i) => `patient/H/${i}`);

Deno.test("an actor is always folded by the same host, and all hosts have about as many", () => {
  const desk = new Desk(3);
  desk.pool.start();
  desk.pool.load("v1", "p", new Uint8Array(1));
  desk.run();
  for (const key of [...KEYS, ...KEYS]) {
    desk.fold(key);
    desk.run();
  }
  assert.equal(desk.calls.length, 3);
  for (const calls of desk.calls) {
    assert.ok(calls.length > 300 && calls.length < 500, `${calls.length} of 1200`);
    assert.equal(new Set(calls).size, calls.length / 2);
  }
  const { folds, isReady, deaths, open } = desk.pool.stats();
  assert.deepEqual({ folds, isReady, deaths, open }, { folds: 1200, isReady: true, deaths: 0, open: 0 });
});

Deno.test("a host that dies holds up its own actors only", () => {
  const desk = new Desk(2);
  desk.pool.start();
  desk.pool.load("v1", "p", new Uint8Array(1));
  desk.run();
  desk.sulking.add(0);
  const told = KEYS.slice(0, 20).map((key) => [desk.pool.placeOf(key), desk.fold(key)] as const);
  desk.run();
  for (const [place, answers] of told) assert.equal(answers.length, place, "only the other one has answered");
  desk.events[0].onExit("plugin_host/died");
  desk.run(60);
  for (const [place, [answer]] of told) assert.equal(answer.state, place === 0 ? "down" : "ok");
  assert.equal(desk.events.length, 3, "one process was started anew");
  for (const key of KEYS) assert.equal(desk.fold(key).length, 0);
  desk.run();
  assert.equal(desk.pool.stats().open, 0);
});

Deno.test("a version is loaded when it is in all hosts; one that refuses it speaks for all", () => {
  const desk = new Desk(2);
  const told: LoadAnswer[] = [];
  desk.pool.start();
  desk.pool.load("v1", "p", new Uint8Array(1), (answer) => told.push(answer));
  desk.run();
  assert.deepEqual(told, [{ state: "loaded", name: "p", actorKind: "patient" }]);
  desk.refusal.set(1, "plugin_host/not-a-plugin");
  desk.pool.load("v2", "p", new Uint8Array(1), (answer) => told.push(answer));
  desk.run();
  assert.equal(told.length, 2);
  assert.equal(told[1].state, "failed");
});

Deno.test("half of the cores, at least one host and at most eight", () => {
  assert.deepEqual([1, 2, 3, 4, 16, 128].map(hostsFor), [1, 1, 1, 2, 8, 8]);
});

Deno.test("closed: the processes end, and open calls are told", async () => {
  const desk = new Desk(2);
  desk.pool.start();
  desk.pool.load("v1", "p", new Uint8Array(1));
  desk.run();
  desk.sulking.add(0).add(1);
  const told = KEYS.slice(0, 10).flatMap((key) => [desk.fold(key)]);
  const closed = desk.pool.close();
  desk.run();
  await closed;
  for (const [answer] of told) assert.deepEqual(answer, { state: "down", lonely: false, code: "plugin_host/closed" });
});
