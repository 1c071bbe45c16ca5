import assert from "node:assert/strict";
import fc from "fast-check";
import type { MessageProposal, ProposeAnswer } from "../wire/mod.ts";
import { SeededRandom, SimulatedTime, simulatedWorld } from "../world/mod.ts";
import { Replication } from "./replication.ts";
import type { Desired } from "./shard_state.ts";

/** A handful of nodes and one shard; frames take 1 to 5 ms, more and worse where told. */
class Group {
  readonly time = new SimulatedTime();
  readonly random: SeededRandom;
  readonly nodes = new Map<number, { replication: Replication; alive: boolean }>();
  readonly committed = new Map<number, string>();
  readonly writersOfTerm = new Map<number, number>();
  readonly violations: string[] = [];
  lossRate = 0;
  doubleRate = 0;
  slowRate = 0;
  #cuts = new Set<string>();
  #suspects = new Set<string>();

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
  }

  start(incarnation: number): Replication {
    const node: { replication: Replication; alive: boolean } = { alive: true, replication: undefined! };
    node.replication = new Replication({
      world: simulatedWorld({ time: this.time, random: this.random, isAlive: () => node.alive }),
      self: { name: `N-A-${incarnation}`, incarnation },
      send: (to, _lane, payload) => this.#send(incarnation, to, payload),
      isSuspect: (other) => other !== incarnation && this.#suspects.has(`${incarnation}>${other}`),
      aliveForMs: () => 60_000,
      rttP99Ms: () => 5,
      nameOf: (other) => `N-A-${other}`,
      dataCenterOf: () => "N",
      shardText: (shard) => String(shard),
      ackRule: () => ({ copies: 3, dataCenters: 1 }),
      onCommitted: (shard, first, last) => this.#check(incarnation, shard, first, last),
      onWriter: () => {},
      onDropped: () => {},
      config: { tickMs: 20, staggerMsMin: 20, staggerMsMax: 250, stableAfterMs: 0, catchUpsMax: 4, waitersMax: 1000 },
    });
    this.nodes.set(incarnation, node);
    return node.replication;
  }

  birth(members: number[]): void {
    for (const member of members) this.start(member).birth(7, members);
  }

  desire(desired: Desired): void {
    for (const { replication } of this.nodes.values()) replication.setDesired(7, desired);
  }

  crash(incarnation: number): void {
    this.nodes.get(incarnation)!.alive = false;
    this.time.after(300, () => this.#suspectEverywhere(incarnation, true));
  }

  /** Cuts both ways; the two sides suspect each other after a while, and stop when it is healed. */
  cut(a: number, b: number, forMs: number): void {
    this.#cuts.add(`${a}>${b}`).add(`${b}>${a}`);
    this.time.after(300, () => this.#suspectPair(a, b, this.#cuts.has(`${a}>${b}`)));
    this.time.after(forMs, () => {
      this.#cuts.delete(`${a}>${b}`);
      this.#cuts.delete(`${b}>${a}`);
      this.#suspectPair(a, b, false);
    });
  }

  writer(): number | null {
    for (const [incarnation, node] of this.nodes) {
      const state = node.replication.stateOf(7);
      if (!node.alive || state?.role !== "writer") continue;
      const newer = [...this.nodes.values()].some((n) => n.alive && (n.replication.stateOf(7)?.term ?? 0) > state.term);
      if (!newer) return incarnation;
    }
    return null;
  }

  /** Proposes to whoever writes until it is recorded; null when there was no writer in time. */
  post(proposal: Partial<MessageProposal> & { id: string }, untilMs: number): ProposeAnswer | null {
    const full: MessageProposal = {
      key: "patient/H/1",
      type: "",
      contentType: "text/plain",
      atMs: 0,
      payload: new TextEncoder().encode(proposal.id),
      sender: "",
      n: 0,
      oldest: 0,
      term: 0,
      ifMatch: -1,
      ...proposal,
    };
    let result: ProposeAnswer | null = null;
    const attempt = () => {
      const writer = this.writer();
      if (writer === null) return void this.time.after(20, attempt);
      this.nodes.get(writer)!.replication.propose(7, full, (answer) => {
        if (answer.state === "moved" || answer.state === "busy" || answer.state === "unknown") {
          this.time.after(20, attempt);
        } else result = answer;
      });
    };
    attempt();
    while (result === null && this.time.nowMs < untilMs) if (!this.time.step()) break;
    return result;
  }

  ids(incarnation: number): string[] {
    const { replication } = this.nodes.get(incarnation)!;
    const store = replication.store(7)!;
    return store.history("patient/H/1", 0, 1000).filter((i) => i <= replication.commitIndex(7)).map((i) =>
      store.message(i).id
    );
  }

  #suspectPair(a: number, b: number, isSuspect: boolean): void {
    this.#suspect(a, b, isSuspect);
    this.#suspect(b, a, isSuspect);
  }

  #suspectEverywhere(incarnation: number, isSuspect: boolean): void {
    for (const other of this.nodes.keys()) if (other !== incarnation) this.#suspect(other, incarnation, isSuspect);
  }

  #suspect(by: number, incarnation: number, isSuspect: boolean): void {
    const node = this.nodes.get(by);
    if (!node?.alive) return;
    if (isSuspect) {
      this.#suspects.add(`${by}>${incarnation}`);
      node.replication.suspected(incarnation);
    } else if (this.nodes.get(incarnation)!.alive && this.#suspects.delete(`${by}>${incarnation}`)) {
      node.replication.alive(incarnation);
    }
  }

  #send(from: number, to: number, payload: Uint8Array): boolean {
    if (this.random.next() < this.lossRate) return true;
    const copies = this.random.next() < this.doubleRate ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      const delayMs = 1 + this.random.next() * 4 + (this.random.next() < this.slowRate ? this.random.next() * 500 : 0);
      this.time.after(delayMs, () => {
        const node = this.nodes.get(to);
        if (node?.alive && !this.#cuts.has(`${from}>${to}`)) node.replication.receive(from, payload);
      });
    }
    return true;
  }

  #check(incarnation: number, shard: number, first: number, last: number): void {
    const node = this.nodes.get(incarnation)!.replication;
    const store = node.store(shard)!;
    for (let index = first; index <= last; index++) {
      const entry = Array.from(store.copyRange(index, 1, index).bytes).join();
      const known = this.committed.get(index);
      if (known === undefined) this.committed.set(index, entry);
      else if (known !== entry) this.violations.push(`index ${index} was committed with two contents`);
    }
    const state = node.stateOf(shard)!;
    if (state.role !== "writer") return;
    const other = this.writersOfTerm.get(state.term);
    if (other !== undefined && other !== incarnation) this.violations.push(`two writers commit in term ${state.term}`);
    this.writersOfTerm.set(state.term, incarnation);
  }
}

Deno.test("replication: a message is recorded on three of five before its receipt is given", () => {
  const group = new Group(1);
  group.birth([1, 2, 3, 4, 5]);
  const answer = group.post({ id: "a" }, 1000);
  assert.equal(answer?.state, "recorded");
  assert.ok(answer?.state === "recorded" && answer.receipt.copies.length >= 3 && answer.receipt.seq === 1);
  const again = group.post({ id: "a" }, 2000);
  assert.ok(again?.state === "recorded" && again.duplicate && again.receipt.index === answer.receipt.index);
  assert.equal(group.post({ id: "a", payload: new Uint8Array([1]) }, 3000)?.state, "conflict");
  assert.equal(group.post({ id: "b", ifMatch: 0 }, 4000)?.state, "mismatch");
  assert.equal(group.post({ id: "b", ifMatch: 1 }, 5000)?.state, "recorded");
});

Deno.test("replication: a lost writer is followed by the next member, and nothing acknowledged is lost", () => {
  const group = new Group(2);
  group.birth([1, 2, 3, 4, 5]);
  group.post({ id: "a" }, 1000);
  group.crash(1);
  const crashedAtMs = group.time.nowMs;
  const answer = group.post({ id: "b" }, crashedAtMs + 5000);
  assert.ok(answer?.state === "recorded" && answer.receipt.seq === 2);
  assert.equal(group.writer(), 2, "members campaign in placement order");
  assert.ok(group.time.nowMs - crashedAtMs < 1000, `took ${group.time.nowMs - crashedAtMs} ms`);
  assert.deepEqual(group.violations, []);
});

Deno.test("replication: one joint swap replaces two members and moves the writer", () => {
  const group = new Group(3);
  group.birth([1, 2, 3, 4, 5]);
  for (let i = 0; i < 50; i++) group.post({ id: `m${i}` }, group.time.nowMs + 1000);
  group.start(6);
  group.start(7);
  group.desire({ voters: [6, 2, 3, 7, 5], learners: [] });
  group.time.runUntil(group.time.nowMs + 5000);
  assert.equal(group.writer(), 6);
  assert.deepEqual([...group.nodes.get(6)!.replication.members(7)].sort(), [2, 3, 5, 6, 7]);
  assert.equal(group.ids(7).length, 50);
  assert.equal(group.nodes.get(1)!.replication.store(7), null, "who left has freed its memory");
  assert.equal(group.nodes.get(4)!.replication.store(7), null);
  assert.equal(group.post({ id: "after" }, group.time.nowMs + 2000)?.state, "recorded");
});

Deno.test("replication: a quiet shard sends nothing", () => {
  const group = new Group(4);
  group.birth([1, 2, 3, 4, 5]);
  group.post({ id: "a" }, 1000);
  group.time.runUntil(group.time.nowMs + 3000);
  assert.equal([...group.nodes.values()].reduce((sum, n) => sum + n.replication.counts().awake, 0), 0);
  for (const node of group.nodes.values()) assert.equal(node.replication.commitIndex(7), 2);
});

Deno.test("replication: a fresh read is refused where no majority confirms the writer", () => {
  const group = new Group(5);
  group.birth([1, 2, 3, 4, 5]);
  group.post({ id: "a" }, 1000);
  let index: number | null | undefined;
  group.nodes.get(1)!.replication.readFresh(7, (i) => index = i);
  group.time.runUntil(group.time.nowMs + 200);
  assert.equal(index, 2);
  for (const other of [2, 3, 4]) group.cut(1, other, 60_000);
  index = undefined;
  group.nodes.get(1)!.replication.readFresh(7, (i) => index = i);
  group.time.runUntil(group.time.nowMs + 250);
  assert.equal(index, undefined, "no answer while nobody confirms");
  group.nodes.get(1)!.replication.propose(7, {
    ...({} as MessageProposal),
    key: "patient/H/1",
    id: "lost",
    type: "",
    contentType: "",
    atMs: 0,
    payload: new Uint8Array(1),
    sender: "",
    n: 0,
    oldest: 0,
    term: 0,
    ifMatch: -1,
  }, () => {});
  group.time.runUntil(group.time.nowMs + 2000);
  assert.equal(index, null, "the stale writer has stepped down and says so");
  assert.deepEqual(group.violations, []);
});

Deno.test("replication: under loss, doubling, delay, cuts and crashes, what is committed is committed for ever", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
      const group = new Group(seed);
      group.birth([1, 2, 3, 4, 5]);
      group.lossRate = group.random.next() * 0.1;
      group.doubleRate = group.random.next() * 0.1;
      group.slowRate = group.random.next() * 0.1;
      const recorded: string[] = [];
      let crashes = 0;
      let next = 6;
      let members = [1, 2, 3, 4, 5];
      for (let i = 0; i < 30; i++) {
        const chance = group.random.next();
        if (chance < 0.08 && crashes < 2) {
          crashes++;
          const victim = members[group.random.below(5)];
          if (group.nodes.get(victim)!.alive) {
            group.crash(victim);
            group.start(next);
            members = members.map((m) => m === victim ? next : m);
            next++;
            const desired = { voters: members, learners: [] };
            group.time.after(500, () => group.desire(desired));
          }
        } else if (chance < 0.25) {
          const [a, b] = [members[group.random.below(5)], members[group.random.below(5)]];
          if (a !== b) group.cut(a, b, 200 + group.random.below(2000));
        } else if (chance < 0.35) {
          members = [...members.slice(1), members[0]];
          group.desire({ voters: members, learners: [] });
        }
        const answer = group.post({ id: `m${i}` }, group.time.nowMs + 400);
        if (answer?.state === "recorded") recorded.push(`m${i}`);
      }
      group.lossRate = group.doubleRate = group.slowRate = 0;
      group.time.runUntil(group.time.nowMs + 5000);
      const last = group.post({ id: "last" }, group.time.nowMs + 20_000);
      assert.equal(last?.state, "recorded", "it takes messages again after the faults");
      group.time.runUntil(group.time.nowMs + 3000);
      assert.deepEqual(group.violations, []);
      const ids = group.ids(group.writer()!);
      assert.equal(new Set(ids).size, ids.length, "nothing twice");
      for (const id of recorded) assert.ok(ids.includes(id), `${id} was acknowledged`);
      for (const member of members) {
        if (group.nodes.get(member)!.alive) assert.deepEqual(group.ids(member), ids, "every copy has the history");
      }
    }),
    { numRuns: 60 },
  );
});
