/**
 * `deno task bench:peers`: the same work side by side. Each round measures our cluster and right after it, one at a time, what
 * a user would take instead, all on 127.0.0.1, in memory, with the client in a process of its own: messages of 300
 * bytes to 10,000 patients, acknowledged when three of five copies have them.
 *
 *     deno task bench:peers [--rounds 3] [--seconds 3] [--in-flight 1,64,1024] [--actors 10000] [--message-bytes 300]
 *         [--only ours,redis,redis-each,nats,erlang] [--sender wire] [--json]
 *
 * Installs nothing: what is not on the PATH is skipped. The servers are as they come from Debian. The table has the
 * medians of the rounds; its ratios are in our favour where they are above 1.
 */
import { parseArgs } from "node:util";
import { Child } from "../child.ts";
import type { Row } from "../report.ts";
import type { PeerClientOptions, PeerCommand, PeerRunResult } from "./client_process.ts";
import { comparisonTable, type Measurement, medians } from "./comparison.ts";
import { ERLANG } from "./erlang.ts";
import { NATS } from "./nats.ts";
import { missingOf, type Peer, type RunningPeer } from "./peer.ts";
import { REDIS_BATCH, REDIS_EACH } from "./redis.ts";

const PEERS: readonly Peer[] = [REDIS_BATCH, REDIS_EACH, NATS, ERLANG];
const OURS = "Waterpark";
const HARNESS = new URL("../harness.ts", import.meta.url).pathname;
const CLIENT_PROCESS = new URL("client_process.ts", import.meta.url).pathname;
const WARM_UP_MS = 750;
/** The first run: compilers and caches have seen nothing yet. Not measured. */
const FIRST_WARM_UP_MS = 1500;
const FIRST_IN_FLIGHT = 256;
/** What starting and stopping may take beside the runs. */
const BESIDE_MS_MAX = 60_000;

interface Options {
  rounds: number;
  seconds: number;
  inFlight: number[];
  actors: number;
  messageBytes: number;
  sender: string;
}

/** What has to end when the bench is stopped. */
const running: {
  peer: RunningPeer | null;
  folder: string;
  child: Child | null;
  ours: Deno.ChildProcess | null;
} = { peer: null, folder: "", child: null, ours: null };

/** Our own cluster, by our own bench. */
async function measureOurs(options: Options): Promise<Measurement[]> {
  const { seconds, inFlight, actors, messageBytes, sender } = options;
  const flags = ["--nodes", "5", "--senders", sender, "--seconds", String(seconds), "--actors", String(actors)];
  const more = ["--in-flight", inFlight.join(","), "--message-bytes", String(messageBytes), "--json"];
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--quiet", HARNESS, ...flags, ...more],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  running.ours = process;
  const { success, stdout, stderr } = await process.output();
  running.ours = null;
  if (!success) throw new Error(`Cannot compare as our own bench failed: ${new TextDecoder().decode(stderr)}`);
  const rows = new TextDecoder().decode(stdout).trim().split("\n").map((line) => JSON.parse(line) as Row);
  return rows.filter(({ bench }) => bench === sender).map((row) => ({
    name: OURS,
    inFlight: row.inFlight,
    messagesPerSecond: row.messagesPerSecond,
    p50Us: row.p50Us,
    p99Us: row.p99Us,
    cpuUsPerMessage: row.serverCpuUsPerMessage + row.clientCpuUsPerMessage,
  }));
}

async function measurePeer(peer: Peer, { seconds, inFlight, actors, messageBytes }: Options): Promise<Measurement[]> {
  const folder = running.folder = await Deno.makeTempDir({ prefix: "waterpark-peer-" });
  const servers = running.peer = await peer.start(folder).catch(async (error) => {
    await Deno.remove(folder, { recursive: true });
    throw error;
  });
  const clientOptions: PeerClientOptions = {
    sender: peer.sender,
    ports: servers.ports,
    serverPids: servers.pids,
    actors,
    messageBytes,
  };
  const client = running.child = new Child({
    name: `the client of ${peer.name}`,
    args: [CLIENT_PROCESS, JSON.stringify(clientOptions)],
  });
  try {
    const run = async (command: PeerCommand): Promise<PeerRunResult> => {
      await client.tell(command);
      const result = await client.answer<PeerRunResult>();
      if (result.failed === 0) return result;
      throw new Error(`Cannot compare with ${peer.name} as all must be acknowledged: ${result.failed} were not`);
    };
    await run({ prefix: "warm-up", inFlight: FIRST_IN_FLIGHT, warmUpMs: 0, measureMs: FIRST_WARM_UP_MS });
    const measurements: Measurement[] = [];
    for (const depth of inFlight) {
      const result = await run({
        prefix: `run-${depth}`,
        inFlight: depth,
        warmUpMs: WARM_UP_MS,
        measureMs: seconds * 1000,
      });
      measurements.push({
        name: peer.name,
        inFlight: depth,
        messagesPerSecond: result.messagesPerSecond,
        p50Us: result.p50Us,
        p99Us: result.p99Us,
        cpuUsPerMessage: result.serverCpuUsPerMessage + result.clientCpuUsPerMessage,
      });
    }
    return measurements;
  } finally {
    await client.end();
    await servers.stop();
    running.peer = running.child = null;
    await Deno.remove(folder, { recursive: true });
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      "rounds": { type: "string", default: "3" },
      "seconds": { type: "string", default: "3" },
      "in-flight": { type: "string", default: "1,64,1024" },
      "actors": { type: "string", default: "10000" },
      "message-bytes": { type: "string", default: "300" },
      "only": { type: "string" },
      "sender": { type: "string", default: "wire" },
      "json": { type: "boolean", default: false },
    },
  });
  const options: Options = {
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    inFlight: values["in-flight"].split(",").map(Number),
    actors: Number(values.actors),
    messageBytes: Number(values["message-bytes"]),
    sender: values.sender,
  };
  const only = values.only?.split(",") ?? ["ours", ...PEERS.map(({ word }) => word)];
  const peers = PEERS.filter(({ word }) => only.includes(word)).filter(({ name, needs }) => {
    const missing = missingOf(needs);
    if (missing.length > 0) {
      const commands = missing.map(({ command }) => command).join(", ");
      talk(`${name}: skipped, as not on the PATH: ${commands}; Debian's package is ${missing[0].package}`);
    }
    return missing.length === 0;
  });
  const stopAt = async (text: string, code: number) => {
    talk(text);
    running.ours?.kill("SIGTERM");
    running.child?.kill();
    if (running.peer !== null) {
      await running.peer.stop();
      await Deno.remove(running.folder, { recursive: true });
    }
    Deno.exit(code);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => stopAt("stopped", 130));
  const eachMs = BESIDE_MS_MAX + options.inFlight.length * 2 * (WARM_UP_MS + options.seconds * 1000);
  const limitMs = options.rounds * (peers.length + 1) * eachMs;
  const watchdog = setTimeout(() => stopAt(`not done after ${limitMs} ms`, 1), limitMs);
  const all: Measurement[] = [];
  let failures = 0;
  for (let round = 1; round <= options.rounds; round++) {
    const measure = async (name: string, work: () => Promise<Measurement[]>) => {
      talk(`round ${round} of ${options.rounds}: ${name}`);
      try {
        const measurements = await work();
        all.push(...measurements);
        if (values.json) { for (const each of measurements) console.log(JSON.stringify({ round, ...each })); }
      } catch (error) {
        failures++;
        talk((error as Error).message);
      }
    };
    if (only.includes("ours")) await measure(OURS, () => measureOurs(options));
    for (const peer of peers) await measure(peer.name, () => measurePeer(peer, options));
  }
  clearTimeout(watchdog);
  if (!values.json && all.length > 0) console.log(comparisonTable(medians(all), OURS));
  return failures === 0 ? 0 : 1;
}

function talk(text: string): void {
  console.error(`peers: ${text}`);
}

if (import.meta.main) Deno.exit(await main());
