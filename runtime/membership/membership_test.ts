import assert from "node:assert/strict";
import fc from "fast-check";
import { FRAME } from "../wire/mod.ts";
import { SeededRandom, SimulatedTime, simulatedWorld, type World } from "../world/mod.ts";
import { ClockOffsets } from "./clock_offsets.ts";
import { Membership } from "./membership.ts";
import { pongFrame } from "./ping_frames.ts";
import { RoundTrips } from "./round_trips.ts";

/** Nodes 1..n over links that can be cut one way; `stall(node, ms)` lets one stand still. */
class Town {
  readonly time = new SimulatedTime();
  readonly members = new Map<number, Membership>();
  readonly cut = new Set<string>();
  readonly log: string[] = [];
  readonly #stalledUntil = new Map<number, number>();

  /** @param wrongMs how far a node's wall clock is ahead */
  constructor(
    readonly nodes: number[],
    readonly delayMs: (from: number, to: number) => number = () => 5,
    readonly wrongMs = new Map<number, number>(),
  ) {
    for (const node of nodes) {
      const member = new Membership({
        world: this.#world(node),
        self: { name: `TN-A-${node}`, incarnation: node },
        send: (to, type, payload) => {
          if (this.cut.has(`${node}>${to}`)) return false;
          this.time.after(this.delayMs(node, to), () => this.#deliver(node, { to, type, payload }));
          return true;
        },
        onSuspect: (other) => this.log.push(`${this.time.nowMs} ${node} suspects ${other}`),
        onAlive: (other) => this.log.push(`${this.time.nowMs} ${node} trusts ${other}`),
      });
      this.members.set(node, member);
      member.setPeers(nodes.map((incarnation) => ({ name: `TN-A-${incarnation}`, incarnation })));
      member.start();
    }
  }

  /** No frame passes between them any more; as a closed link both hear of it when `told`. */
  separate(a: number, b: number, told: boolean): void {
    this.cut.add(`${a}>${b}`).add(`${b}>${a}`);
    if (!told) return;
    this.members.get(a)!.linkDown(b);
    this.members.get(b)!.linkDown(a);
  }

  stall(node: number, ms: number): void {
    this.#stalledUntil.set(node, this.time.nowMs + ms);
  }

  #deliver(from: number, frame: { to: number; type: number; payload: Uint8Array }): void {
    if (this.cut.has(`${from}>${frame.to}`)) return;
    const waitMs = (this.#stalledUntil.get(frame.to) ?? 0) - this.time.nowMs;
    if (waitMs > 0) return void this.time.after(waitMs, () => this.#deliver(from, frame));
    this.members.get(frame.to)!.receive(from, frame.type, frame.payload);
  }

  #world(node: number): World {
    const world = simulatedWorld({ time: this.time, random: new SeededRandom(node) });
    const run = (fn: () => void) => {
      const waitMs = (this.#stalledUntil.get(node) ?? 0) - this.time.nowMs;
      if (waitMs > 0) this.time.after(waitMs, fn);
      else fn();
    };
    return {
      ...world,
      nowWallMs: () => world.nowWallMs() + (this.wrongMs.get(node) ?? 0),
      after: (delayMs, fn) => world.after(delayMs, () => run(fn)),
    };
  }
}

Deno.test("membership: in calm nobody is suspected, and round trips are measured", () => {
  const town = new Town([1, 2, 3, 4], (from, to) => from + to === 7 ? 40 : 5);
  town.time.runUntil(5000);
  assert.deepEqual(town.log, []);
  assert.equal(town.members.get(1)!.rttP99Ms(), 10);
  assert.equal(town.members.get(4)!.rttP99Ms(), 80);
});

Deno.test("membership: a dead node is suspected by all within 150 ms of its links' closing", () => {
  const town = new Town([1, 2, 3, 4, 5]);
  town.time.runUntil(1000);
  for (const other of [2, 3, 4, 5]) town.separate(1, other, true);
  town.time.runUntil(1150);
  assert.deepEqual([2, 3, 4, 5].filter((other) => town.members.get(other)!.isSuspect(1)), [2, 3, 4, 5]);
  assert.ok(!town.members.get(2)!.isSuspect(3));
});

Deno.test("membership: a node that falls silent without closing its links is suspected within 425 ms", () => {
  const town = new Town([1, 2, 3]);
  town.time.runUntil(1000);
  for (const other of [2, 3]) town.separate(1, other, false);
  town.time.runUntil(1425);
  assert.deepEqual([2, 3].filter((other) => town.members.get(other)!.isSuspect(1)), [2, 3]);
});

Deno.test("membership: of two that have lost each other, a third says that both live", () => {
  const town = new Town([1, 2, 3]);
  town.time.runUntil(1000);
  town.separate(1, 2, true);
  town.time.runUntil(10_000);
  assert.deepEqual(town.log, []);
  town.separate(1, 3, true);
  town.time.runUntil(11_000);
  assert.ok(town.members.get(2)!.isSuspect(1) && town.members.get(3)!.isSuspect(1));
  assert.ok(!town.members.get(2)!.isSuspect(3));
});

Deno.test("membership: who stood still for a second suspects nobody when it goes on, others forgive it", () => {
  const town = new Town([1, 2, 3]);
  town.time.runUntil(1000);
  town.stall(1, 1000);
  town.time.runUntil(6000);
  assert.deepEqual(town.log.filter((line) => line.includes(" 1 suspects")), []);
  assert.ok(!town.members.get(2)!.isSuspect(1) && !town.members.get(3)!.isSuspect(1));
});

Deno.test("membership law: with delays below 90 ms and pauses below 100 ms nobody is ever suspected", () => {
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const random = new SeededRandom(seed);
      const town = new Town([1, 2, 3, 4], () => 1 + random.below(88));
      for (let i = 0; i < 5; i++) {
        town.time.after(random.below(2000), () => town.stall(1 + random.below(4), random.below(20)));
      }
      town.time.runUntil(3000);
      assert.deepEqual(town.log, []);
    }),
    { numRuns: 15 },
  );
});

Deno.test("membership: garbage is counted, and nobody's word counts unasked", () => {
  const town = new Town([1, 2, 3]);
  town.time.runUntil(1000);
  const member = town.members.get(1)!;
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 24 }),
      fc.constantFrom(FRAME.PING, FRAME.PONG, FRAME.PING_REQUEST),
      (b, t) => {
        member.receive(2, t, b);
      },
    ),
    { numRuns: 200 },
  );
  assert.ok(member.malformed > 0);
  town.separate(1, 3, false);
  town.separate(2, 3, false);
  for (let i = 0; i < 500; i++) {
    town.time.runUntil(town.time.nowMs + 5);
    member.receive(2, FRAME.PONG, pongFrame({ number: 4_000_000_000, about: 3, wallMs: 0 }));
  }
  assert.ok(member.isSuspect(3));
  member.stop();
});

Deno.test("membership: a clock that is off is found by its owner, and moves nobody else's", () => {
  const wrongMs = new Map<number, number>();
  const town = new Town([1, 2, 3, 4], (from) => from === 1 ? 80 : 5, wrongMs);
  assert.equal(town.members.get(1)!.clockAheadMs(), 0, "nobody was heard yet");
  town.time.runUntil(1000);
  for (const member of town.members.values()) assert.ok(Math.abs(member.clockAheadMs()) <= 40);
  wrongMs.set(3, 5000);
  assert.equal(town.members.get(3)!.clockAheadMs() > 4900, true, "a jump shows at once");
  town.time.runUntil(2000);
  assert.ok(Math.abs(town.members.get(3)!.clockAheadMs() - 5000) <= 40);
  for (const node of [1, 2, 4]) assert.ok(Math.abs(town.members.get(node)!.clockAheadMs()) <= 40);
  wrongMs.set(3, -9000);
  town.time.runUntil(3000);
  assert.ok(Math.abs(town.members.get(3)!.clockAheadMs() + 9000) <= 40);
  town.separate(3, 1, false);
  town.separate(3, 2, false);
  town.separate(3, 4, false);
  town.time.runUntil(40_000);
  assert.equal(town.members.get(3)!.clockAheadMs(), 0, "what was heard long ago does not count");
});

Deno.test("clocks: of an even number the nearer one counts, and slow answers do not", () => {
  const clocks = new ClockOffsets();
  const hear = (peer: number, wallMs: number, tripMs = 10) => clocks.heard(peer, { wallMs, tripMs, nowMs: 100 });
  hear(1, 1000);
  assert.equal(clocks.aheadMs(1000, 100), -5);
  hear(2, 9000);
  assert.equal(clocks.aheadMs(1000, 100), -5);
  hear(3, 9000, 1001);
  assert.equal(clocks.aheadMs(1000, 100), -5);
  hear(3, 9000);
  assert.equal(clocks.aheadMs(1000, 100), -8005);
  clocks.keep([{ incarnation: 1 }]);
  assert.equal(clocks.aheadMs(1000, 100), -5);
});

Deno.test("round trips: the 99th percentile of what was answered, each once", () => {
  const trips = new RoundTrips();
  assert.equal(trips.p99Ms(), 0);
  for (let i = 1; i <= 200; i++) {
    trips.sent(i, 7, 0);
    trips.answered(i, 8, 9999);
    trips.answered(i, 7, i);
    trips.answered(i, 7, 9999);
  }
  assert.ok(Math.abs(trips.p99Ms() - 198) <= 10);
  trips.answered(0, 0, 5);
  trips.answered(5000, 7, 5);
});
