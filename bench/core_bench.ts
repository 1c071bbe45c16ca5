/**
 * What the rooms of a node cost without the world around them: whole nodes in one process, in virtual time, on a network
 * in memory that takes a millisecond. No sockets, no HTTP, no other process: what is left is our own code, so a profile
 * of it is short, and the figure hardly depends on what else the machine does.
 *
 *     deno run -A bench/core_bench.ts [--nodes 5] [--shards-per-set 64] [--in-flight 1024] [--messages 200000]
 *         [--actors 10000] [--message-bytes 300] [--route any|writer]
 *
 * `--route any` hands messages to nodes in turn, as clients do that know nothing; `writer` to the node that writes.
 */
import { parseArgs } from "node:util";
import { configWith, NodeCore } from "../runtime/node/mod.ts";
import { MemoryNetwork } from "../runtime/transport/mod.ts";
import { mintIncarnation, SeededRandom, SimulatedTime, simulatedWorld } from "../runtime/world/mod.ts";
import { nodeNames } from "./cluster.ts";
import { cpuSeconds } from "./processes.ts";

/** How it is set up. */
export interface CoreBenchOptions {
  nodes: number;
  shardsPerSet: number;
  inFlight: number;
  messages: number;
  actors: number;
  messageBytes: number;
  route: "any" | "writer";
  /** sets these actors apart from others; default none */
  keyPrefix?: string;
}

/** Whole nodes on a network in memory, their shards born. */
export class Town {
  readonly time = new SimulatedTime();
  readonly cores: NodeCore[];

  constructor({ nodes, shardsPerSet }: { nodes: number; shardsPerSet: number }) {
    const world = simulatedWorld({ time: this.time, random: new SeededRandom(1000) });
    const network = new MemoryNetwork({ world, latencyMs: 1 });
    const names = nodeNames(nodes);
    this.cores = names.map((name, i) => {
      const world = simulatedWorld({ time: this.time, random: new SeededRandom(i + 1) });
      const address = `${name}:4600`;
      const core = new NodeCore({
        world,
        config: configWith({}),
        self: { name, incarnation: mintIncarnation(world), address, http: null, mllp: null },
        carriers: [network.carrier(address)],
        secret: null,
        fold: () => {},
        onPlugins: () => {},
      });
      core.mesh.listenSync(address);
      return core;
    });
    this.cores[0].create({ expect: nodes, shardsPerSet });
    for (const core of this.cores.slice(1)) this.#join(core, `${names[0]}:4600`);
    this.run(8000);
  }

  /** Lets so much time pass. */
  run(ms: number): void {
    this.time.runUntil(this.time.nowMs + ms);
  }

  /** The node that writes the shard of this key. */
  writerOf(key: string): NodeCore {
    const shard = this.cores[0].directory.require().shardOf(key);
    return this.cores.find((core) => core.replication.stateOf(shard)?.role === "writer") ?? this.cores[0];
  }

  #join(core: NodeCore, address: string): void {
    const again = () => void core.world.after(100, () => this.#join(core, address));
    core.mesh.dialOnce(address, (dialled) => {
      const peer = "peer" in dialled ? dialled.peer : null;
      if (peer === null || peer.clusterId === null) return again();
      core.join({ incarnation: peer.incarnation, clusterId: peer.clusterId }, (result) => result.ok || again());
    });
  }
}

/** Sends messages, so many at a time, until all are recorded; CPU in microseconds a message. */
export function sendThrough(town: Town, options: CoreBenchOptions): { cpuUs: number; virtualMs: number } {
  const { inFlight, messages, actors, messageBytes, route, keyPrefix = "" } = options;
  const payload = new Uint8Array(messageBytes).fill(120);
  const keys = Array.from({ length: actors }, (_, i) => `patient/FACILITY${i % 64}/${keyPrefix}${i}`);
  const nodes = keys.map((key, i) => route === "writer" ? town.writerOf(key) : town.cores[i % town.cores.length]);
  const run = Math.round(town.time.nowMs).toString(36);
  let sent = 0;
  let recorded = 0;
  const send = () => {
    // a stride that meets every actor: neighbours in time are none in the tables
    const i = (sent * 7919) % actors;
    const id = `${run}-${sent++}`;
    nodes[i].post(
      { key: keys[i], id, type: "t", contentType: "text/plain", payload, atMs: 0, sender: "" },
      (result) => {
        if (result.state !== "recorded") throw new Error(`not recorded: ${result.code}`);
        recorded++;
        if (sent < messages) send();
      },
    );
  };
  const fromMs = town.time.nowMs;
  const from = cpuSeconds([Deno.pid]);
  for (let i = 0; i < inFlight; i++) send();
  while (recorded < messages) town.run(1);
  return { cpuUs: (cpuSeconds([Deno.pid]) - from) / messages * 1e6, virtualMs: town.time.nowMs - fromMs };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      "nodes": { type: "string", default: "5" },
      "shards-per-set": { type: "string", default: "64" },
      "in-flight": { type: "string", default: "1024" },
      "messages": { type: "string", default: "200000" },
      "actors": { type: "string", default: "10000" },
      "message-bytes": { type: "string", default: "300" },
      "route": { type: "string", default: "writer" },
    },
  });
  const options: CoreBenchOptions = {
    nodes: Number(values.nodes),
    shardsPerSet: Number(values["shards-per-set"]),
    inFlight: Number(values["in-flight"]),
    messages: Number(values.messages),
    actors: Number(values.actors),
    messageBytes: Number(values["message-bytes"]),
    route: values.route === "any" ? "any" : "writer",
  };
  const town = new Town(options);
  sendThrough(town, { ...options, messages: Math.min(options.messages, 20_000) });
  const { cpuUs, virtualMs } = sendThrough(town, options);
  console.log(
    `${cpuUs.toFixed(1)} us of CPU a message, all ${options.nodes} nodes; ${Math.round(virtualMs)} ms of virtual time`,
  );
}
