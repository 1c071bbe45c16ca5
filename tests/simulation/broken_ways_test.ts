/**
 * Two nodes that cannot reach each other, for good, though everybody else reaches both: nobody is suspected for it, no
 * request fails, the topology is heard of, and copies do not fall behind. Cut both ways, and one way.
 */
import assert from "node:assert/strict";
import type { RequestResult } from "../../runtime/node/mod.ts";
import { SYSTEM_SHARD } from "../../runtime/topology/mod.ts";
import { SimulatedCluster, type SimulatedNode } from "./cluster.ts";
import { emptyJournal } from "./journal.ts";
import { calmOptions } from "./options.ts";

const ENCODER = new TextEncoder();
const ACTORS = 60;

class Neighbours {
  readonly cluster: SimulatedCluster;
  /** how long the slowest request took, ms */
  slowestMs = 0;
  #ids = 0;

  constructor(seed: number) {
    this.cluster = new SimulatedCluster({ ...calmOptions(seed, 8), shardsPerSet: 4 }, emptyJournal());
    assert(this.cluster.start());
    this.wait(1000);
  }

  node(name: string): SimulatedNode {
    return this.cluster.nodes.get(name)!;
  }

  wait(ms: number): void {
    this.cluster.time.runUntil(this.cluster.time.nowMs + ms);
  }

  cut(a: string, b: string, options: { isOneWay: boolean }): void {
    this.cluster.network.cut(`${a}:4600`, `${b}:4600`, options);
  }

  /** The node that writes the system shard. */
  get first(): string {
    return this.cluster.living().find(({ core }) => core.replication.isWriter(SYSTEM_SHARD))!.name;
  }

  /** A message to each actor by way of each of these nodes, then a read of it: all must succeed. */
  sendAndRead(via: readonly string[]): void {
    const { time } = this.cluster;
    const fromMs = time.nowMs;
    let open = 0;
    const bad: unknown[] = [];
    for (const name of via) {
      const { core } = this.node(name);
      for (let i = 0; i < ACTORS; i++) {
        const key = `patient/H${i % 9}/${i}`;
        const id = `m${++this.#ids}`;
        open++;
        const message = { key, id, type: "", contentType: "text/plain", payload: ENCODER.encode(id), atMs: 0 };
        core.post({ ...message, sender: "" }, (answer) => {
          this.slowestMs = Math.max(this.slowestMs, time.nowMs - fromMs);
          if (answer.state !== "recorded") {
            bad.push([name, key, answer]);
            return void open--;
          }
          const request = {
            shard: this.cluster.shardOf(key),
            key,
            mode: "fresh" as const,
            at: 0,
            after: answer.receipt.seq,
          };
          core.reading.read(request, (result) => {
            this.slowestMs = Math.max(this.slowestMs, time.nowMs - fromMs);
            open--;
            if (!result.ok) bad.push([name, key, result]);
          });
        });
      }
    }
    while (open > 0 && time.nowMs < fromMs + 15_000) this.wait(10);
    assert.deepEqual([open, bad], [0, []]);
  }

  /** Changes the topology by way of this node. */
  command(via: string): void {
    let result: RequestResult | undefined;
    const { core } = this.node(via);
    const ack = core.directory.topology!.state.ack ?? { copies: 3, dataCenters: 2 };
    core.directory.command({ type: "ack", copies: ack.copies === 3 ? 4 : 3, dataCenters: 2 }, (r) => result = r);
    for (let waited = 0; result === undefined && waited < 15_000; waited += 50) this.wait(50);
    assert(result?.ok, JSON.stringify(result));
  }

  versions(): number[] {
    return this.cluster.living().map(({ core }) => core.directory.topology!.version);
  }
}

for (const isOneWay of [false, true]) {
  Deno.test(`ways: two that have lost each other ${isOneWay ? "one way" : "both ways"} lose no request`, () => {
    const town = new Neighbours(isOneWay ? 5 : 4);
    const { cluster } = town;
    // The node that matters most to the other: it writes the topology.
    const a = town.first;
    const b = cluster.names.find((name) => name.slice(0, 2) !== a.slice(0, 2))!;
    town.sendAndRead([a, b]);
    town.slowestMs = 0;
    town.cut(a, b, { isOneWay });
    town.sendAndRead([a, b]);
    assert(town.slowestMs < 1500, `the slowest waited ${town.slowestMs} ms`);
    const atFirstMs = town.slowestMs;
    town.wait(10_000);
    town.slowestMs = 0;
    town.sendAndRead([a, b]);
    assert(
      town.slowestMs < 500,
      `once the way is known the slowest waited ${town.slowestMs} ms, at first ${atFirstMs}`,
    );
    assert(!town.node(a).core.isSuspect(town.node(b).core.self.incarnation), "alive, say the others");
    assert(!town.node(b).core.isSuspect(town.node(a).core.self.incarnation));
    for (const name of [a, b]) assert(town.node(name).core.relaying.counts.sent > 0, `${name} sent by a relay`);
    const passed = cluster.living().reduce((sum, { core }) => sum + core.relaying.counts.passed, 0);
    assert(passed > 0);

    town.command(b);
    town.command(a);
    town.wait(500);
    assert.deepEqual(new Set(town.versions()).size, 1, `all know the topology: ${town.versions()}`);
    assert.deepEqual(cluster.unwhole({ inPlace: false }), [], "and their copies are whole");

    // The relay dies: another one is found.
    const relay = cluster.nodes.get(
      [...cluster.nodes.values()].find(({ core }) =>
        core.self.incarnation === town.node(a).core.membership.viaOf(town.node(b).core.self.incarnation)
      )!.name,
    )!;
    cluster.crash(relay.name);
    town.sendAndRead([a, b]);

    cluster.network.healAll();
    town.wait(5000);
    const before = town.node(a).core.relaying.counts.sent;
    town.sendAndRead([a, b]);
    assert.equal(town.node(a).core.relaying.counts.sent, before, "directly again");
  });
}

Deno.test("ways: whom nobody reaches is suspected, and has no relay", () => {
  const town = new Neighbours(6);
  const [alone, ...others] = town.cluster.names.toReversed();
  for (const other of others) town.cut(alone, other, { isOneWay: false });
  town.wait(6000);
  const { incarnation } = town.node(alone).core.self;
  for (const name of others) {
    const { core } = town.node(name);
    assert(core.isSuspect(incarnation) && core.membership.viaOf(incarnation) === 0, name);
  }
  town.sendAndRead(others.slice(0, 2));
});
