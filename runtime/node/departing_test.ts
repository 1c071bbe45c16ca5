import assert from "node:assert/strict";
import type { WholeView } from "../gateway/mod.ts";
import type { PostResult } from "../mailroom/mod.ts";
import { MemoryNetwork } from "../transport/mod.ts";
import { mintIncarnation, SeededRandom, SimulatedTime, simulatedWorld } from "../world/mod.ts";
import { configWith } from "./config.ts";
import { NodeCore } from "./core.ts";
import type { DepartureReason } from "./departing.ts";
import { CoreService } from "./service.ts";

const NAMES = ["TN-A-1", "TN-B-1", "TX-A-1", "TX-B-1", "FL-A-1", "UT-A-1"];
const LEAVES = "TX-A-1";

/** Six whole nodes on a network in memory; `due` has who was told to go, and why. */
class Town {
  readonly time = new SimulatedTime();
  readonly cores = new Map<string, NodeCore>();
  readonly due: [string, DepartureReason][] = [];
  readonly network = new MemoryNetwork({
    world: simulatedWorld({ time: this.time, random: new SeededRandom(6) }),
    latencyMs: 5,
  });

  constructor() {
    NAMES.forEach((name, i) => {
      const world = simulatedWorld({ time: this.time, random: new SeededRandom(i + 1) });
      const address = `${name}:4600`;
      const core = new NodeCore({
        world,
        config: configWith({ replication: { stableAfterMs: 1000 }, absentAfterMs: 5000 }),
        self: { name, incarnation: mintIncarnation(world), address, http: null, mllp: null },
        carriers: [this.network.carrier(address)],
        secret: null,
        fold: () => {},
        onPlugins: () => {},
        onDue: (reason) => this.due.push([name, reason]),
      });
      core.mesh.listenSync(address);
      this.cores.set(name, core);
      if (i === 0) return core.create({ expect: NAMES.length, shardsPerSet: 8 });
      const join = () =>
        core.mesh.dialOnce(`${NAMES[0]}:4600`, (dialled) => {
          const peer = "peer" in dialled ? dialled.peer : null;
          if (peer === null || peer.clusterId === null) return void world.after(100, join);
          core.join(
            { incarnation: peer.incarnation, clusterId: peer.clusterId },
            (result) => void (result.ok || world.after(100, join)),
          );
        });
      join();
    });
    this.run(8000);
  }

  run(ms: number): void {
    this.time.runUntil(this.time.nowMs + ms);
  }

  crash(name: string): void {
    this.network.crash(`${name}:4600`);
    void this.core(name).close();
  }

  core(name: string): NodeCore {
    return this.cores.get(name)!;
  }

  /** Runs until `done` has been called; its value. */
  ask<T>(ask: (done: (value: T) => void) => void, msMax = 20_000): T {
    let value: T | undefined;
    ask((given) => value = given);
    for (let ms = 0; value === undefined && ms < msMax; ms += 10) this.run(10);
    assert.ok(value !== undefined, "there is an answer in time");
    return value;
  }

  whole(): WholeView {
    return this.ask((done) => this.core("UT-A-1").wholeness.ask(done));
  }

  send(by: string, number: number): PostResult {
    return this.ask((done) =>
      this.core(by).post({
        key: `patient/H/${number}`,
        id: `m${number}`,
        type: "",
        contentType: "text/plain",
        payload: new Uint8Array(1),
        atMs: 0,
        sender: "",
      }, done)
    );
  }
}

Deno.test("a node that goes hands everything over, and is handed nothing back", () => {
  const town = new Town();
  assert.equal(town.whole().whole, true);
  const core = town.core(LEAVES);
  assert.ok(core.replication.counts().writers > 3);
  assert.equal(town.ask<number>((done) => core.departing.handOver(done)), 0);
  town.run(3000);
  // Placement names it and it is stable: but for its word the others would have given its shards back.
  assert.equal(core.replication.counts().writers, 0);
  const { nodes, whole } = town.whole();
  assert.equal(nodes.find(({ name }) => name === LEAVES)!.leaving, true);
  assert.equal(whole, true, "it is still there with its copies");
  // Until it is gone it takes messages as ever.
  for (let i = 0; i < 20; i++) assert.equal(town.send(LEAVES, i).state, "recorded");
  assert.equal(new CoreService(core).readiness().ready, false);
});

Deno.test("who is alone with its copies does not wait for somebody to take over", () => {
  const town = new Town();
  for (const name of NAMES) if (name !== LEAVES) town.core(name).departing.handOver(() => {});
  town.run(2000);
  const { writers } = town.core(LEAVES).replication.counts();
  assert.ok(writers > 0);
  const beganMs = town.time.nowMs;
  assert.equal(town.ask<number>((done) => town.core(LEAVES).departing.handOver(done)), 0, "nobody stays who could");
  assert.ok(town.time.nowMs - beganMs < 1000);
  assert.equal(town.core(LEAVES).replication.counts().writers, writers);
});

Deno.test("a node that drains is told when nothing is left on it; one that is asked to leave, at once", () => {
  const town = new Town();
  const { incarnation } = town.core(LEAVES).self;
  const command = { type: "drain", name: LEAVES, incarnation } as const;
  town.core("FL-A-1").directory.command(command, () => {});
  for (let ms = 0; town.due.length === 0 && ms < 20_000; ms += 100) town.run(100);
  assert.deepEqual(town.due, [[LEAVES, "drained"]]);
  assert.deepEqual([town.core(LEAVES).replication.counts().replicas, town.whole().whole], [1, true]);
  town.crash(LEAVES);
  town.run(3000);
  assert.equal(town.whole().whole, true, "nobody counts on it any more");

  const other = town.core("TN-B-1").self.incarnation;
  const ask = (about: number) =>
    town.ask((done) => town.core("FL-A-1").requests.ask(other, "leave", about, { timeoutMs: 1000, done }));
  assert.deepEqual(ask(other + 1), { ok: true, value: false }, "an earlier or later life is not meant");
  assert.equal(town.due.length, 1);
  assert.deepEqual(ask(other), { ok: true, value: true });
  assert.deepEqual(town.due[1], ["TN-B-1", "told"]);
});

Deno.test("a living node that was removed learns it, answers for nothing, and its shards go on", () => {
  const town = new Town();
  const core = town.core(LEAVES);
  const service = new CoreService(core);
  const { incarnation } = core.self;
  town.core("FL-A-1").directory.command({ type: "remove", name: LEAVES, incarnation }, () => {});
  town.run(1000);
  assert.deepEqual(town.due, [[LEAVES, "removed"]]);
  assert.deepEqual(service.readiness(), { ready: false, reason: "removed from the topology" });
  const result = town.send(LEAVES, 1);
  assert.ok(result.state === "refused" && result.code === "node/removed" && result.outcome === "not-applied");
  assert.throws(() => service.place({ facility: "H", id: "1" }), { code: "node/removed" });
  for (let i = 0; i < 30; i++) assert.equal(town.send("UT-A-1", i).state, "recorded");
  town.run(20_000);
  assert.equal(town.whole().whole, true);
  assert.equal(town.due.length, 1, "told again, it knows already");
});

Deno.test("who was cut off when it was removed is told once it is back", () => {
  const town = new Town();
  for (const name of NAMES) if (name !== LEAVES) town.network.cut(`${LEAVES}:4600`, `${name}:4600`);
  town.run(1000);
  const { incarnation } = town.core(LEAVES).self;
  town.core("FL-A-1").directory.command({ type: "remove", name: LEAVES, incarnation }, () => {});
  town.run(10_000);
  assert.deepEqual(town.due, []);
  town.network.healAll();
  town.run(10_000);
  assert.deepEqual(town.due, [[LEAVES, "removed"]]);
});
