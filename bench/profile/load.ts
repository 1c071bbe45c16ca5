/**
 * Loads a running cluster and takes profiles of all who take part, in one window of time: V8's profiles for the shares, the
 * kernel's count of each thread's CPU for what they are worth.
 */
import type { Child } from "../child.ts";
import type { Command, CommandResult } from "../client_process.ts";
import type { BenchCluster } from "../cluster.ts";
import { type ActorRange, FACILITIES, facilityOf } from "../messages.ts";
import { threadSeconds } from "../processes.ts";
import { costsOf } from "./cost_table.ts";
import { type Call, callTree, type Profile, roomTimes } from "./cpu_profile.ts";

const WARM_UP_MS = 1000;
/** What starting a profiler costs is over by then. */
const SETTLED_MS = 300;
/** A busy cluster takes its time to say what it has used, and the load must last that long: an audit follows it. */
const SLACK_MS = 2000;
/** Actors that are asked which node writes a facility: its shards may have several. */
const PROBES = 8;
const JSON_TYPE = { "content-type": "application/json" };

/** What a load is. */
export interface LoadOptions {
  /** part of the profiles' names */
  name: string;
  /** who is sent to */
  range: ActorRange;
  /** a sender's name */
  sender: string;
  inFlight: number;
  /** how long it is measured */
  seconds: number;
  /** folder for the profiles */
  out: string;
}

/** One process in the measured time. */
export interface Part {
  name: string;
  costs: Map<string, number>;
  tree: Call;
  /** sent to other nodes, a message */
  bytesOut: number;
  framesOut: number;
}

/** A load, and who took part. */
export interface Load {
  name: string;
  messagesPerSecond: number;
  client: Part;
  nodes: Part[];
}

/** Measures it; the profiles are left in `out`, and read. */
export async function measureLoad(
  cluster: BenchCluster,
  client: Child,
  { name, range, sender, inFlight, seconds, out }: LoadOptions,
): Promise<Load> {
  const fileOf = (process: string) => `${out}/${name}-${process}.cpuprofile`;
  const command: Command = {
    bench: sender,
    prefix: `profile-${name}`,
    inFlight,
    range,
    warmUpMs: WARM_UP_MS,
    measureMs: SETTLED_MS + seconds * 1000 + SLACK_MS,
    messagesMax: null,
    profile: fileOf("client"),
  };
  const pids = new Map([["client", client.pid], ...cluster.names.map((name, i) => [name, cluster.pids[i]] as const)]);
  await client.tell(command);
  await pause(WARM_UP_MS);
  await cluster.tell(() => ({ profile: "start" }));
  await pause(SETTLED_MS);
  const from = await readings(cluster, pids);
  await pause(seconds * 1000);
  const to = await readings(cluster, pids);
  await cluster.tell((node) => ({ profile: "stop", to: fileOf(node) }));
  const { messagesPerSecond } = await client.answer<CommandResult>();
  const messages = messagesPerSecond * (to.atMs - from.atMs) / 1000;
  const partOf = (process: string): Part => {
    const tree = callTree(JSON.parse(Deno.readTextFileSync(fileOf(process))) as Profile);
    const before = from.threads.get(process)!;
    const threads = [...to.threads.get(process)!].map(([thread, used]) =>
      [thread, used - (before.get(thread) ?? 0)] as const
    );
    const grown = (metric: "bytes" | "frames") =>
      ((to[metric].get(process) ?? 0) - (from[metric].get(process) ?? 0)) / messages;
    return {
      name: process,
      costs: costsOf(new Map(threads), roomTimes(tree), messages),
      tree,
      bytesOut: grown("bytes"),
      framesOut: grown("frames"),
    };
  };
  return { name, messagesPerSecond, client: partOf("client"), nodes: cluster.names.map(partOf) };
}

async function readings(cluster: BenchCluster, pids: ReadonlyMap<string, number>) {
  const texts = await Promise.all(cluster.urls.map(async (url) => await (await fetch(`${url}/metrics`)).text()));
  const metric = (name: string) =>
    new Map(
      cluster.names.map((node, i) =>
        [node, Number(new RegExp(`^waterpark_${name}\\b.* (\\S+)$`, "m").exec(texts[i])?.[1])] as const
      ),
    );
  return {
    atMs: performance.now(),
    threads: new Map([...pids].map(([name, pid]) => [name, threadSeconds(pid)])),
    bytes: metric("link_bytes_out"),
    frames: metric("link_frames_out"),
  };
}

/** A facility all of whose shards one node writes, preferably not the first, which has other work; and that node. */
export async function facilityOfOneWriter(cluster: BenchCluster): Promise<{ facility: number; writer: string }> {
  const found: { facility: number; writer: string }[] = [];
  for (let facility = 0; facility < FACILITIES; facility++) {
    const writers = await Promise.all(Array.from({ length: PROBES }, async (_, i) => {
      const url = `${cluster.urls[0]}/v1/actors/probe/${facilityOf(facility)}/${i}/messages`;
      const response = await fetch(url, { method: "POST", body: `{"type":"probe"}`, headers: JSON_TYPE });
      return (await response.json() as { writer: string }).writer;
    }));
    if (new Set(writers).size === 1) found.push({ facility, writer: writers[0] });
  }
  const best = found.find(({ writer }) => writer !== cluster.names[0]) ?? found[0];
  if (best === undefined) throw new Error("Cannot load one writer as no facility has only one");
  return best;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
