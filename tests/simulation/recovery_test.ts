/**
 * An operator's worst day: two data centers of four are gone, and with them the majority of many shards and of the system
 * shard. He recovers; then the lost ones come back.
 */
import assert from "node:assert/strict";
import type { RequestResult } from "../../runtime/node/mod.ts";
import { SYSTEM_SHARD } from "../../runtime/topology/mod.ts";
import { SimulatedCluster, type SimulatedNode } from "./cluster.ts";
import { emptyJournal } from "./journal.ts";
import { calmOptions } from "./options.ts";

const ENCODER = new TextEncoder();

class WorstDay {
  readonly cluster: SimulatedCluster;

  constructor(seed: number) {
    this.cluster = new SimulatedCluster(calmOptions(seed, 8), emptyJournal());
    assert(this.cluster.start());
  }

  node(name: string): SimulatedNode {
    return this.cluster.nodes.get(name)!;
  }

  wait(ms: number): void {
    this.cluster.time.runUntil(this.cluster.time.nowMs + ms);
  }

  ask(ask: (done: (result: RequestResult) => void) => void): RequestResult {
    let result: RequestResult | undefined;
    ask((answer) => result = answer);
    for (let waited = 0; result === undefined && waited < 15_000; waited += 50) this.wait(50);
    assert(result !== undefined, "asked, and never answered");
    return result;
  }

  /** Sends to each of so many actors through `via`; those that were acknowledged. */
  send(via: string, id: string, count = 40): string[] {
    const keys: string[] = [];
    let open = count;
    for (let i = 0; i < count; i++) {
      const key = `patient/H${i % 5}/${i}`;
      const payload = ENCODER.encode(`${id} of ${key}`);
      const message = { key, id, type: "", contentType: "text/plain", payload, atMs: 0, sender: "" };
      this.node(via).core.post(message, (answer) => {
        open--;
        if (answer.state === "recorded") keys.push(key);
      });
    }
    for (let waited = 0; open > 0 && waited < 15_000; waited += 50) this.wait(50);
    return keys.sort();
  }

  /** Everything that stands still as these nodes see it, the system shard first. */
  recoverAll(at: string, nodes = this.cluster.living()): number {
    const standing = new Set(nodes.flatMap(({ core }) => core.replication.standingStill()));
    const shards = [...standing].sort((a, b) => b - a);
    for (const shard of shards) {
      const result = this.ask((done) => this.node(at).core.recovering.recover(shard, {}, done));
      assert(result.ok, JSON.stringify(result));
    }
    return shards.length;
  }

  ids(name: string, key: string): string[] {
    const { core } = this.node(name);
    const store = core.replication.store(core.directory.topology!.shardOf(key))!;
    return store.history(key, 0, 100).map((index) => store.message(index).id);
  }

  writerOf(key: string): string {
    const { core } = this.cluster.living()[0];
    const shard = core.directory.topology!.shardOf(key);
    return this.cluster.living().find((node) => node.core.replication.isWriter(shard))!.name;
  }
}

Deno.test("worst day: half the cluster dies for good; what is left is recovered and takes messages again", () => {
  const day = new WorstDay(77);
  const recorded = day.send("FL-A-1", "before");
  assert.equal(recorded.length, 40);
  day.wait(500);
  for (const name of ["TN-A-1", "TN-B-1", "TX-A-1", "TX-B-1"]) day.cluster.crash(name);
  day.wait(5000);
  const { core } = day.node("FL-A-1");
  assert(core.recovering.standingStill > 0, "it is an alarm by now");
  const taken = day.send("FL-A-1", "meanwhile");
  assert(taken.length < 40, "some shards have lost their majority");

  // Refused where there is no need.
  const healthy = Array.from({ length: 1024 }, (_, shard) => shard).find((shard) =>
    day.cluster.living().some(({ core }) =>
      core.replication.isWriter(shard) && !core.replication.standingStill().includes(shard)
    )
  )!;
  const refused = day.ask((done) => core.recovering.recover(healthy, {}, done));
  assert(!refused.ok && refused.code === "topology/has-majority");

  assert(day.recoverAll("FL-A-1") > 10);
  for (const name of ["TN-A-1", "TN-B-1", "TX-A-1", "TX-B-1"]) {
    const result = day.ask((done) => core.directory.command({ type: "remove", name }, done));
    assert(result.ok, JSON.stringify(result));
  }
  day.wait(20_000);
  assert.equal(core.recovering.standingStill, 0);
  assert.equal(day.send("UT-B-1", "after").length, 40, "every actor takes messages");
  for (const key of recorded) {
    const ids = day.ids(day.writerOf(key), key);
    assert(ids[0] === "before" && ids.at(-1) === "after", `${key}: ${ids}`);
  }
  const topology = core.directory.topology!;
  for (const { core } of day.cluster.living()) {
    assert.equal(core.directory.topology!.version, topology.version);
    assert.equal(core.replication.generations.of(SYSTEM_SHARD), 2);
  }
});

Deno.test("worst day: a cut, not a death: the other side's acknowledged messages are found and sent again", () => {
  const day = new WorstDay(78);
  assert.equal(day.send("FL-A-1", "before").length, 40);
  const [here, there] = [["FL-A-1", "FL-B-1", "UT-A-1"], ["TN-A-1", "TN-B-1", "TX-A-1", "TX-B-1", "UT-B-1"]];
  const address = (name: string) => day.node(name).address;
  for (const a of here) for (const b of there) day.cluster.network.cut(address(a), address(b), {});
  day.wait(3000);
  const theirs = day.send("TX-A-1", "theirs");
  assert(theirs.length > 0, "the majority goes on");
  // The operator sees three nodes of eight, believes the rest dead, and recovers.
  assert(day.recoverAll("FL-A-1", here.map((name) => day.node(name))) > 10);
  const { core } = day.node("FL-A-1");
  const incarnations = there.map((name) => day.node(name).core.self.incarnation);
  assert(day.ask((done) => core.directory.command({ type: "absent", incarnations, force: true }, done)).ok);
  day.wait(10_000);
  assert.equal(day.send("FL-A-1", "ours").length, 40);

  for (const a of here) for (const b of there) day.cluster.network.heal(address(a), address(b));
  for (let waited = 0; waited < 60_000 && day.cluster.unwhole({ inPlace: false }).length > 0; waited += 1000) {
    day.wait(1000);
  }
  assert.deepEqual(day.cluster.unwhole({ inPlace: false }), []);
  const lost = there.flatMap((name) =>
    day.node(name).core.replication.generations.lost.map((copy) => ({ name, copy }))
  );
  assert(lost.length > 0);
  const recorded = () => theirs.filter((key) => day.ids(day.writerOf(key), key).includes("theirs"));
  assert(recorded().length < theirs.length, "what they had acknowledged was not in the recovered copies");
  for (const { name, copy: { shard, generation } } of lost) {
    if (shard === SYSTEM_SHARD) continue;
    const at = day.node(name).core;
    const ask = { shard, generation, after: 0 };
    const result = day.ask((done) =>
      core.requests.ask(at.self.incarnation, "lost-resend", ask, { timeoutMs: 10_000, done })
    );
    assert(result.ok && (result.value as { refused: unknown[] }).refused.length === 0, JSON.stringify(result));
    assert(
      day.ask((done) => core.requests.ask(at.self.incarnation, "lost-discard", ask, { timeoutMs: 10_000, done })).ok,
    );
  }
  assert.deepEqual(recorded(), theirs, "nothing that anybody was promised is missing now");
  for (const key of theirs) {
    const ids = day.ids(day.writerOf(key), key);
    assert.deepEqual(ids.toSorted(), ["before", "ours", "theirs"], `${key}: each once`);
  }
});
