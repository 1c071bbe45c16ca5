/**
 * `deno task profile`: where does the time go? A cluster of real processes under load, V8's CPU profiles of all nodes and of
 * the client, and what the kernel says each thread has used: microseconds of CPU a message, room by room. Twice: with
 * messages to everybody, when each node writes some shards and follows the others; and with messages that one node
 * writes, which tells what a writer pays from what a follower does.
 *
 *     deno task profile [--sender wire|ndjson|http-single] [--in-flight 1024] [--seconds 4] [--nodes 5]
 *         [--actors 10000] [--message-bytes 300] [--transport auto|quic|websocket] [--functions 12] [--out DIR]
 *     deno task profile FILE.cpuprofile ...      the functions that had the thread longest
 *
 * DIR (default `/tmp/waterpark-profile`) gets a `.cpuprofile` for each process (for Chrome's DevTools and its like), and a flame graph
 * as SVG for each of the two loads. Profiling itself costs some percent; `deno task bench` measures without.
 */
import { parseArgs } from "node:util";
import { Child } from "../child.ts";
import type { ClientOptions } from "../client_process.ts";
import { BenchCluster } from "../cluster.ts";
import { FACILITIES } from "../messages.ts";
import { BENCH_SHARDS } from "../options.ts";
import { SENDERS } from "../senders.ts";
import { costTable, meanCosts, type Role } from "./cost_table.ts";
import { type Call, callTree, functionTimes, mergedCalls, type Profile } from "./cpu_profile.ts";
import { flameGraph } from "./flame_graph.ts";
import { facilityOfOneWriter, type Load, measureLoad, type Part } from "./load.ts";

const CLIENT_PROCESS = new URL("../client_process.ts", import.meta.url).pathname;
/** What compilers have not seen yet is slow; on a busy machine that is a matter of messages, not of seconds. */
const WARM_UP_MESSAGES = 100_000;
/** All is over by then, or it is ended. */
const LIMIT_MS = 120_000;

interface Options {
  sender: string;
  inFlight: number;
  seconds: number;
  actors: number;
  out: string;
}

function report({ name, messagesPerSecond, client, nodes }: Load, writer: string | null, options: Options): string {
  const others = nodes.filter((node) => node.name !== writer);
  const roles: Role[] = [{ name: "client", costs: client.costs }];
  if (writer !== null) roles.push({ name: "writer", costs: nodes.find((node) => node.name === writer)!.costs });
  const mean = meanCosts(others.map(({ costs }) => costs));
  if (others.length > 0) roles.push({ name: writer === null ? "each node" : "each follower", costs: mean });
  const all = meanCosts([client, ...nodes].map(({ costs }) => costs));
  for (const [room, us] of all) all.set(room, us * (nodes.length + 1));
  roles.push({ name: "together", costs: all });
  const sum = (pick: (part: Part) => number) => nodes.reduce((sum, node) => sum + pick(node), 0);
  const frames = sum(({ framesOut }) => framesOut);
  const whose = writer === null ? "to everybody" : `written by ${writer}`;
  const links = `on the links between nodes: ${sum(({ bytesOut }) => bytesOut).toFixed(0)} bytes a message` +
    (Number.isNaN(frames) ? "" : `, ${frames.toFixed(3)} frames`);
  const svg = `${options.out}/${name}.svg`;
  const parts = [
    mergedCalls("client", [client.tree]),
    ...(writer === null ? [] : [mergedCalls("writer", nodes.filter((n) => n.name === writer).map((n) => n.tree))]),
    mergedCalls(writer === null ? "nodes" : "followers", others.map(({ tree }) => tree)),
  ].filter(({ totalUs }) => totalUs > 0);
  const title = `messages ${whose}, ${options.sender}, ${options.inFlight} in flight: main threads`;
  Deno.writeTextFileSync(
    svg,
    flameGraph({ ...mergedCalls("all", []), calls: parts, totalUs: parts.reduce((sum, p) => sum + p.totalUs, 0) }, {
      title,
      unit: (us) => `${(us / 1000).toFixed(1)} ms`,
    }),
  );
  return [
    `messages ${whose}: ${messagesPerSecond.toLocaleString("en-US")}/s; ${links}; ${svg}`,
    "",
    costTable(roles),
    "",
  ].join("\n");
}

/** The functions that had the thread longest. */
function longest(tree: Call, count: number): string {
  return [...functionTimes(tree)].sort((a, b) => b[1] - a[1]).slice(0, count).map(([name, us]) =>
    `${(us / tree.totalUs * 100).toFixed(1).padStart(6)} %  ${name}`
  ).join("\n");
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: {
      "sender": { type: "string", default: "wire" },
      "in-flight": { type: "string", default: "1024" },
      "seconds": { type: "string", default: "4" },
      "nodes": { type: "string", default: "5" },
      "actors": { type: "string", default: "10000" },
      "message-bytes": { type: "string", default: "300" },
      "shards": { type: "string", default: String(BENCH_SHARDS) },
      "transport": { type: "string", default: "auto" },
      "functions": { type: "string", default: "12" },
      "out": { type: "string", default: `${Deno.env.get("TMPDIR") ?? "/tmp"}/waterpark-profile` },
    },
    allowPositionals: true,
  });
  const functions = Number(values.functions);
  for (const path of positionals) {
    console.log(`${path}\n${longest(callTree(JSON.parse(Deno.readTextFileSync(path)) as Profile), functions)}`);
  }
  if (positionals.length > 0) return 0;
  if (!(values.sender in SENDERS)) {
    console.error(`Cannot use --sender "${values.sender}" as it must be one of ${Object.keys(SENDERS).join(", ")}`);
    return 2;
  }
  const options: Options = {
    sender: values.sender,
    inFlight: Number(values["in-flight"]),
    seconds: Number(values.seconds),
    actors: Number(values.actors),
    out: values.out,
  };
  await Deno.mkdir(options.out, { recursive: true });
  const cluster = new BenchCluster();
  let client: Child | null = null;
  const stop = (code: number) => {
    cluster.kill();
    client?.kill();
    Deno.exit(code);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => stop(130));
  const watchdog = setTimeout(() => stop(1), LIMIT_MS + 4000 * options.seconds);
  try {
    const transport = values.transport as "auto" | "quic" | "websocket";
    await cluster.start({ nodes: Number(values.nodes), transport, profile: null, shards: Number(values.shards) });
    const copies = await cluster.copies();
    const clientOptions: ClientOptions = {
      urls: cluster.urls,
      nodePids: cluster.pids,
      actors: FACILITIES * (options.actors + 1),
      messageBytes: Number(values["message-bytes"]),
      rule: { copies: Math.min(3, copies), dataCenters: Math.min(2, cluster.dataCenters) },
      receipts: null,
    };
    client = new Child({ name: "the client", args: [CLIENT_PROCESS, JSON.stringify(clientOptions)] });
    const everybody = { first: 0, count: options.actors };
    const warmUp = { inFlight: options.inFlight, range: everybody, warmUpMs: 0, measureMs: null };
    await client.tell({ ...warmUp, bench: options.sender, prefix: "warm-up", messagesMax: WARM_UP_MESSAGES });
    await client.answer();
    const spread = await measureLoad(cluster, client, { ...options, name: "everybody", range: everybody });
    console.log(report(spread, null, options));
    const { facility, writer } = await facilityOfOneWriter(cluster);
    const range = { first: facility, count: options.actors, stride: FACILITIES };
    const one = await measureLoad(cluster, client, { ...options, name: "one-writer", range });
    console.log(report(one, writer, options));
    const follower = one.nodes.find(({ name }) => name !== writer) ?? one.nodes[0];
    for (const part of [one.client, one.nodes.find(({ name }) => name === writer)!, follower]) {
      const role = part === one.client ? "" : part.name === writer ? ", writing" : ", following";
      console.log(`${part.name}${role}\n${longest(part.tree, functions)}\n`);
    }
    return 0;
  } finally {
    clearTimeout(watchdog);
    await client?.end();
    await cluster.end();
  }
}

if (import.meta.main) Deno.exit(await main());
