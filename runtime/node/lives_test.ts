import assert from "node:assert/strict";
import type { PostResult } from "../mailroom/mod.ts";
import { defineHandler, effect, InlineHost } from "../plugin_host/mod.ts";
import { ENTRY } from "../storage/mod.ts";
import { MemoryNetwork } from "../transport/mod.ts";
import { mintIncarnation, SeededRandom, SimulatedTime, simulatedWorld } from "../world/mod.ts";
import { configWith } from "./config.ts";
import { NodeCore } from "./core.ts";
import type { ReadMode } from "../gateway/mod.ts";
import type { RequestResult } from "./requests.ts";

const KEY = "patient/H/1";
const NAMES = ["TN-A-1", "TN-B-1", "TX-A-1", "FL-A-1", "UT-A-1"];
const HASH = "a".repeat(64);

/** `admit` asks for `day` three seconds later, `discharge` takes it back and ends the life; each day is told a ward. */
const stay = defineHandler({
  name: "stay",
  kind: "patient",
  initial: { messages: 0 },
  handle(_key, { messages }, message) {
    const next = { messages: messages + 1 };
    if (message.type === "admit") return ["ok", next, [effect.schedule("day", { afterMs: 3000 }, { type: "day" })]];
    if (message.type === "discharge") return ["ok", next, [effect.cancel("day"), effect.retire()]];
    if (message.type !== "day") return ["ok", next, []];
    return ["ok", next, [effect.send({ kind: "ward", facility: "H", id: "W" }, { type: "told" })]];
  },
});

interface Life {
  core: NodeCore;
  isAlive: boolean;
}

/** Five whole nodes in four data centers, on a network in memory. */
class Town {
  readonly time = new SimulatedTime();
  readonly random = new SeededRandom(5);
  readonly lives = new Map<string, Life>();
  readonly network = new MemoryNetwork({
    world: simulatedWorld({ time: this.time, random: new SeededRandom(6) }),
    latencyMs: 5,
  });

  constructor() {
    for (const name of NAMES) this.boot(name);
    this.run(5000);
    const deploy = {
      type: "deploy",
      name: "stay",
      kind: "handler",
      actorKind: "patient",
      hash: HASH,
      url: "file:///stay.ts",
      bytes: new Uint8Array(1),
      stage: "live",
      atMs: 0,
    } as const;
    this.core(NAMES[0]).directory.command(deploy, () => {});
    this.run(2000);
  }

  core(name: string): NodeCore {
    return this.lives.get(name)!.core;
  }

  run(ms: number): void {
    this.time.runUntil(this.time.nowMs + ms);
  }

  boot(name: string): void {
    const life = { isAlive: true } as Life;
    const random = new SeededRandom(this.random.next32());
    const world = simulatedWorld({ time: this.time, random, isAlive: () => life.isAlive });
    const address = `${name}:4600`;
    const host = new InlineHost({ world });
    const core = life.core = new NodeCore({
      world,
      config: configWith({ replication: { stableAfterMs: 2000 }, absentAfterMs: 5000 }),
      self: { name, incarnation: mintIncarnation(world), address, http: null, mllp: null },
      carriers: [this.network.carrier(address)],
      secret: null,
      fold: host.fold,
      onPlugins: () => host.load(HASH, stay),
    });
    core.mesh.listenSync(address);
    const others = [...this.lives.keys()].filter((other) => other !== name);
    this.lives.set(name, life);
    if (others.length === 0) return core.create({ expect: NAMES.length, shardsPerSet: 1 });
    const join = () =>
      core.mesh.dialOnce(`${others[0]}:4600`, (result) => {
        if ("error" in result || result.peer.clusterId === null) return void world.after(100, join);
        const { incarnation, clusterId } = result.peer;
        core.join({ incarnation, clusterId }, (answer) => {
          if (!answer.ok) world.after(100, join);
        });
      });
    join();
  }

  crash(name: string): void {
    this.lives.get(name)!.isAlive = false;
    this.network.crash(`${name}:4600`);
  }

  post(via: string, type: string, id: string): PostResult {
    const results: PostResult[] = [];
    const payload = new TextEncoder().encode("{}");
    const posting = { key: KEY, id, type, contentType: "application/json", payload, sender: "" };
    const { core } = this.lives.get(via)!;
    core.post({ ...posting, atMs: core.world.nowWallMs() }, (result) => results.push(result));
    this.run(1000);
    assert.equal(results.length, 1);
    return results[0];
  }

  ask(via: string, what: "read" | "history", mode: ReadMode = "fresh"): RequestResult {
    const results: RequestResult[] = [];
    const { reading } = this.core(via);
    const request = { shard: this.shard(), key: KEY, mode, after: 0 };
    if (what === "read") reading.read({ ...request, at: 0 }, (result) => results.push(result));
    else reading.history({ ...request, limit: 100, waitMs: 0 }, (result) => results.push(result));
    this.run(1000);
    assert.equal(results.length, 1);
    return results[0];
  }

  types(via: string): string[] {
    const result = this.ask(via, "history");
    assert.ok(result.ok);
    return (result.value as { events: { type: string }[] }).events.map(({ type }) => type);
  }

  shard(): number {
    return this.core(NAMES[1]).directory.require().shardOf(KEY);
  }

  writer(): string {
    return NAMES.find((name) => this.lives.get(name)!.isAlive && this.core(name).replication.isWriter(this.shard()))!;
  }
}

function codeOf(result: RequestResult): string {
  return result.ok ? "" : result.code;
}

Deno.test("a whole cluster: a timer fires under the next writer, a life ends everywhere, and the next one begins", () => {
  const town = new Town();
  const first = town.writer();
  const via = NAMES.find((name) => name !== first)!;
  assert.equal(town.post(via, "admit", "a").state, "recorded");
  const admitted = town.post(via, "admit", "b");
  assert.ok(admitted.state === "recorded");
  town.crash(first);
  assert.deepEqual(town.types(via), ["admit", "admit"], "the second took the first one's place and is not due");
  town.run(3000);
  assert.deepEqual(town.types(via), ["admit", "admit", "day"]);

  const discharged = town.post(via, "discharge", "c");
  assert.ok(discharged.state === "recorded" && discharged.receipt.seq === 4);
  town.run(3000);
  assert.equal(codeOf(town.ask(via, "read")), "actors/retired");
  assert.deepEqual(town.types(via), []);
  const shard = town.shard();
  for (const [name, { core, isAlive }] of town.lives) {
    const store = isAlive ? core.replication.store(shard) : null;
    if (store === null) continue;
    const kinds: number[] = [admitted.receipt.index, discharged.receipt.index].map((index) => store.kindAt(index));
    assert.deepEqual(kinds, [ENTRY.HOLLOW, ENTRY.HOLLOW], name);
    assert.equal(core.effects.owed(), 0);
  }

  const again = town.post(via, "admit", "b");
  assert.ok(again.state === "recorded");
  assert.equal(again.duplicate, true);
  const { seq, index, term, digest } = admitted.receipt;
  assert.deepEqual({ ...again.receipt, copies: [] }, { ...admitted.receipt, copies: [], seq, index, term, digest });
  assert.equal(codeOf(town.ask(via, "read")), "actors/retired", "a duplicate begins no life");

  // a new life of the crashed node is fed the log, freed as it is
  town.boot(first);
  town.run(30_000);
  const copy = town.core(first).replication.store(shard);
  assert.ok(copy !== null && copy.kindAt(admitted.receipt.index) === ENTRY.HOLLOW);
  const next = town.post(via, "note", "d");
  assert.ok(next.state === "recorded" && next.receipt.seq === 5);
  for (const [node, mode] of [[via, "fresh"], [first, "nearest"]] as const) {
    const read = town.ask(node, "read", mode);
    assert.ok(read.ok);
    const { seq, projections } = read.value as { seq: number; projections: unknown };
    assert.deepEqual({ seq, projections }, { seq: 5, projections: { stay: { messages: 1 } } });
  }
  assert.deepEqual(town.types(first), ["note"]);
  assert.equal(town.core(via).timers.counts().open, 0);
});
