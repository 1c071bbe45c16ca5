/**
 * `deno task bench`: how fast is a cluster, and what does it cost? Real node processes on this machine's loopback, a client
 * in a process of its own, and after every run an audit: what was acknowledged must be what the nodes have.
 *
 * Read the numbers with care: nodes and client share this machine's cores, so messages per second is what the machine gives
 * the whole lot, not what a node gives. CPU per message is the number that carries over.
 */
import { auditReceipts } from "./receipts_audit.ts";
import { Child } from "./child.ts";
import type { ClientOptions, Command, CommandResult } from "./client_process.ts";
import { BenchCluster } from "./cluster.ts";
import { type BenchOptions, readOptions, USAGE } from "./options.ts";
import { type Row, tableOf } from "./report.ts";
import { SENDERS } from "./senders.ts";

const CLIENT_PROCESS = new URL("client_process.ts", import.meta.url).pathname;
const WARM_UP_MS = 750;
/** The first runs of all: what compilers have not seen yet is slow, and that is not the question here. */
const FIRST_WARM_UP_MS = 4500;
/** New actors are filled in at this depth. */
const FILL_IN_FLIGHT = 256;
/** What a start leaves to do comes to rest. */
const REST_MS = 1500;
const IDLE_MS = 2000;
/** What starting and filling may take, ms, and how much more for each node; a run may take twice its own time on top. */
const START_MS_MAX = 20_000;
const START_MS_MAX_A_NODE = 4000;
/** What the audit of the receipts may take, ms. */
const AUDIT_MS_MAX = 300_000;

/** Runs everything and hands over each row as it is measured. @throws {Error} when a receipt or the audit was wrong */
async function bench(options: BenchOptions, cluster: BenchCluster, onRow: (row: Row) => void): Promise<void> {
  const { nodes, actors, messageBytes } = options;
  talk(`starting ${nodes} nodes`);
  await cluster.start(options);
  const emptyNodeRssBytes = Math.round(cluster.residentBytes() / nodes);
  const idleNodeCores = await idleCores(cluster);
  const copies = await cluster.copies();
  const rule = { copies: Math.min(3, copies), dataCenters: Math.min(2, cluster.dataCenters) };
  // The second half of the actors is what the cluster is warmed up with: the first is still unknown when it is measured.
  const all = { first: 0, count: actors };
  const spare = { first: actors, count: actors };
  const { urls, pids: nodePids } = cluster;
  const clientOptions: ClientOptions = {
    urls,
    nodePids,
    actors: 2 * actors,
    messageBytes,
    rule,
    receipts: options.receipts,
  };
  const client = new Child({ name: "the client", args: [CLIENT_PROCESS, JSON.stringify(clientOptions)] });
  clients.push(client);
  const run = async (name: string, command: Omit<Command, "prefix">): Promise<Row> => {
    talk(`${name}, ${command.inFlight} in flight`);
    await client.tell({ ...command, prefix: `${name}-${command.inFlight}` });
    return rowOf(await client.answer<CommandResult>(), { name, command, nodes, copies, messageBytes });
  };

  const timed = { range: all, warmUpMs: WARM_UP_MS, measureMs: options.seconds * 1000, messagesMax: null };
  for (const bench of sendersOf(options)) {
    const measureMs = FIRST_WARM_UP_MS / sendersOf(options).length;
    await run(`warm-up ${bench}`, { ...timed, bench, inFlight: FILL_IN_FLIGHT, range: spare, warmUpMs: 0, measureMs });
  }
  const before = { log: await cluster.logBytes(), rss: cluster.residentBytes() };
  const filling = { range: all, warmUpMs: 0, measureMs: null, messagesMax: actors };
  const filled = await run("new-actors", { ...filling, bench: "ndjson", inFlight: FILL_IN_FLIGHT });
  onRow({
    ...filled,
    logBytesPerActor: Math.round((await cluster.logBytes() - before.log) / actors),
    rssBytesPerActor: Math.round((cluster.residentBytes() - before.rss) / actors),
    emptyNodeRssBytes,
    idleNodeCores,
  });
  for (const bench of sendersOf(options)) {
    for (const inFlight of options.inFlight) onRow(await run(bench, { ...timed, bench, inFlight }));
  }
  if (options.receipts !== null) await auditReceipts(urls, options.receipts, talk);
}

function sendersOf({ senders }: BenchOptions): string[] {
  return Object.keys(SENDERS).filter((name) => senders === null || senders.includes(name));
}

/** What a node uses while nobody asks it anything, cores: a part of every message's cost, most of it when there are few. */
async function idleCores(cluster: BenchCluster): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, REST_MS));
  const before = cluster.cpuSeconds();
  const fromMs = performance.now();
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  const cores = (cluster.cpuSeconds() - before) * 1000 / (performance.now() - fromMs);
  return Number((cores / cluster.names.length).toFixed(3));
}

function rowOf(
  result: CommandResult,
  { name, command, nodes, copies, messageBytes }: {
    name: string;
    command: Omit<Command, "prefix">;
    nodes: number;
    copies: number;
    messageBytes: number;
  },
): Row {
  const { wrongReceipts, firstWrong, wrongActors, refused, unknown, duplicates, acknowledged, recorded } = result;
  if (refused + unknown + duplicates > oddities) {
    oddities = refused + unknown + duplicates;
    const codes = Object.entries(result.codes).map(([code, times]) => `${times} x ${code}`).join(", ");
    talk(`so far ${refused} refused, ${unknown} of unknown outcome (${codes}), ${duplicates} called duplicates`);
  }
  if (wrongReceipts > 0 || wrongActors > 0) {
    throw new Error(
      `Cannot trust the run as receipts and logs must agree: ${wrongReceipts} wrong receipts, ${wrongActors} wrong actors, ` +
        `${acknowledged} acknowledged, ${recorded} recorded ${firstWrong}`,
    );
  }
  const { messagesPerSecond, p50Us, p99Us, maxUs, serverCpuUsPerMessage, clientCpuUsPerMessage } = result;
  return {
    bench: name,
    nodes,
    copies,
    inFlight: command.inFlight,
    messageBytes,
    messagesPerSecond,
    p50Us,
    p99Us,
    serverCpuUsPerMessage,
    clientCpuUsPerMessage,
    maxUs,
    actors: command.range.count,
    seconds: result.seconds,
    othersCores: result.othersCores,
  };
}

const clients: Child[] = [];
/** Messages without a clean receipt that have been told about. */
let oddities = 0;

function talk(text: string): void {
  console.error(`bench: ${text}`);
}

async function main(): Promise<number> {
  let options: BenchOptions | null;
  try {
    options = readOptions(Deno.args);
  } catch (error) {
    talk((error as Error).message);
    return 2;
  }
  if (options === null) {
    console.log(USAGE);
    return 0;
  }
  const { json, seconds, inFlight } = options;
  const cluster = new BenchCluster();
  const stopAt = (text: string, code: number) => {
    talk(text);
    cluster.kill();
    for (const client of clients) client.kill();
    Deno.exit(code);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => stopAt("stopped", 130));
  const runs = sendersOf(options).length * inFlight.length;
  const limitMs = START_MS_MAX + options.nodes * START_MS_MAX_A_NODE + runs * 2 * (seconds * 1000 + WARM_UP_MS) +
    (options.receipts === null ? 0 : AUDIT_MS_MAX);
  const watchdog = setTimeout(() => stopAt(`not done after ${limitMs} ms`, 1), limitMs);
  const rows: Row[] = [];
  try {
    await bench(options, cluster, (row) => {
      rows.push(row);
      if (json) console.log(JSON.stringify(row));
    });
    if (!json) console.log(tableOf(rows));
    return 0;
  } catch (error) {
    talk((error as Error).message);
    return 1;
  } finally {
    for (const client of clients) await client.end();
    await cluster.end();
    clearTimeout(watchdog);
  }
}

if (import.meta.main) Deno.exit(await main());
