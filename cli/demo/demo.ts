/**
 * `deno task demo`: eight nodes in four data centers on this machine, four hospitals sending HL7 v2.5 over MLLP, the
 * node that writes most killed in the middle, and at the end a count of what is where. Ends with exit code 0 only if
 * every message is acknowledged, stands once, in order, and is on at least three copies.
 *
 * Freezing and killing take signals that Windows does not have.
 */
import { parseArgs } from "node:util";
import type { WaterparkClient } from "../../client.ts";
import { ClusterOfProcesses, EIGHT_NODES } from "../../tests/cluster/cluster_of_processes.ts";
import { deployPlugin } from "../../tests/cluster/deploy_plugin.ts";
import { Output } from "../output.ts";
import { displayOn } from "./display.ts";
import { type Feed, type FeedMessage, feedOf } from "./feed.ts";
import { MllpSender } from "./mllp_sender.ts";
import { auditFeed, type ReceiptsFound } from "./receipts.ts";
import { type Stock, takeStock } from "./stocktaking.ts";
import { Tally } from "./tally.ts";

const USAGE = `Shows Waterpark at work, and a node's death.

Usage
  deno task demo [--messages 4000] [--rate 400] [--seed 1] [--receipts FILE]

  --messages N  how many HL7 messages are sent
  --rate N      how many a second; 0 as fast as it goes
  --seed N      another region, other patients
  --receipts FILE  get every message's receipt, and have the copies audited for it`;

const CONNECTIONS = 16;
const KILL_AT = 0.45;
const LOOK_MS = 400;

async function main(): Promise<number> {
  const out = new Output({ json: false });
  const options = readOptions();
  if (typeof options === "string") {
    out.data(options);
    return options === USAGE ? 0 : 2;
  }
  const feed = feedOf({ seed: options.seed, messages: options.messages, connections: CONNECTIONS });
  const display = displayOn(out);
  const tally = new Tally({ ...options, names: EIGHT_NODES, onEvent: (event) => display.event(event) });
  Deno.addSignalListener("SIGINT", () => {
    display.end();
    Deno.exit(130);
  });
  display.show(tally);
  let found: { stock: Stock; receipts: ReceiptsFound | null } | null = null;
  try {
    tally.happened("starting eight node processes in four data centers");
    await using cluster = await ClusterOfProcesses.start();
    found = await run(cluster, feed, { tally, rate: options.rate, receipts: options.receipts });
  } finally {
    display.end();
  }
  return report(out, tally, found);
}

async function run(
  cluster: ClusterOfProcesses,
  feed: Feed,
  { tally, rate, receipts }: { tally: Tally; rate: number; receipts: string | null },
): Promise<{ stock: Stock; receipts: ReceiptsFound | null }> {
  for (const node of tally.nodes) node.state = "alive";
  tally.happened("they have found each other: every shard has five copies in four data centers", "good");
  const plugin = await deployPlugin(cluster.client(), new URL("../../plugins/patient/mod.ts", import.meta.url));
  tally.happened(`plugin "${plugin.name}" deployed to all of them, ${Math.round(plugin.bytes / 1024)} KiB`);
  for (const facility of feed.facilities) {
    const { writer } = await cluster.client().place({ facility, id: "1" });
    tally.homes.set(facility, writer.split("-")[0]);
  }
  tally.happened(
    `${feed.facilities.length} hospitals send HL7 v2.5 over ${CONNECTIONS} MLLP connections to all 8 nodes`,
  );

  const stopLooking = lookAtNodes(cluster, tally);
  const killedAt = await sendAll(cluster, feed, { tally, rate });
  await stopLooking();
  const longest = tally.longestAfter(killedAt).toFixed(0);
  tally.happened(
    `${tally.acknowledged} are acknowledged; since the kill none waited longer than ${longest} ms`,
    "good",
  );

  tally.happened("now count: each node is asked alone, all others frozen (kill -STOP)");
  const stock = await takeStock(cluster, feed, (name, actors) => {
    if (actors !== null) return tally.happened(`${name} alone: asked for ${actors} patients`);
    for (const node of tally.nodes) {
      if (node.state !== "dead") node.state = node.name === name ? "asked" : "frozen";
    }
  });
  // After the count: who sends a lost message again to get its receipt would hide that it was lost.
  if (receipts === null) return { stock, receipts };
  const audited = await auditFeed(cluster.client(), feed, receipts);
  const wrong = audited.unknown + audited.notProven;
  const tone = wrong === 0 ? "good" : "bad";
  tally.happened(`audit: every copy was asked for each receipt, ${wrong} are not proven`, tone);
  return { stock, receipts: audited };
}

/** Sends everything; answers after how many acknowledgements a node was killed. */
async function sendAll(
  cluster: ClusterOfProcesses,
  feed: Feed,
  { tally, rate }: { tally: Tally; rate: number },
): Promise<number> {
  const addresses = cluster.nodes.map((node) => node.mllp);
  const startMs = performance.now();
  const dueMs = (message: FeedMessage) => rate === 0 ? startMs : startMs + message.number * 1000 / rate;
  let killing: Promise<number> | null = null;
  const failures: unknown[] = [];
  await Promise.all(feed.streams.map(async (stream, i) => {
    const sender = new MllpSender([...addresses.slice(i % 8), ...addresses.slice(0, i % 8)]);
    for (const message of stream) {
      const waitMs = dueMs(message) - performance.now();
      if (waitMs > 1) await new Promise((resolve) => setTimeout(resolve, waitMs));
      tally.sending();
      try {
        tally.delivered(await sender.send(message.text));
      } catch (error) {
        failures.push(error);
      }
      if (tally.acknowledged >= feed.messages * KILL_AT) killing ??= killBusiest(cluster, tally);
    }
    sender.close();
  }));
  const killedAt = await killing ?? feed.messages;
  if (failures.length > 0) tally.happened(`${failures.length} messages were given up: ${failures[0]}`, "bad");
  return killedAt;
}

async function killBusiest(cluster: ClusterOfProcesses, tally: Tally): Promise<number> {
  await Promise.all(tally.nodes.map((node) => look(cluster.client(node.name, { alone: true }), cluster, node)));
  const busiest = tally.nodes.reduce((most, node) => node.written > most.written ? node : most);
  tally.happened(`kill -9 ${busiest.name}, which writes most: ${busiest.written} messages so far`, "bad");
  busiest.state = "dead";
  const killedAt = tally.acknowledged;
  await cluster.kill(busiest.name);
  return killedAt;
}

/** Keeps the figures of the nodes fresh until told to stop. */
function lookAtNodes(cluster: ClusterOfProcesses, tally: Tally): () => Promise<void> {
  let isOver = false;
  const looking = (async () => {
    while (!isOver) {
      await Promise.all(
        tally.nodes.filter((node) => node.state === "alive").map((node) =>
          look(cluster.client(node.name, { alone: true, deadlineMs: 1000 }), cluster, node)
        ),
      );
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  })();
  return () => {
    isOver = true;
    return looking;
  };
}

async function look(client: WaterparkClient, cluster: ClusterOfProcesses, node: Tally["nodes"][number]): Promise<void> {
  try {
    let written = 0;
    for (let after: string | null = ""; after !== null;) {
      const page: Awaited<ReturnType<WaterparkClient["actors"]>> = await client.actors({ after, limit: 1000 });
      written += page.actors.reduce((sum, actor) => sum + actor.seq, 0);
      after = page.next === after ? null : page.next;
    }
    const metrics = await (await fetch(`${cluster.node(node.name).http}/metrics`)).text();
    node.shards = Number(/^waterpark_shard_writers\S* (\d+)/m.exec(metrics)?.[1] ?? 0);
    node.written = written;
  } catch {
    // it dies just now, or has too much to do: the figures of before stay
  }
}

function report(
  out: Output,
  tally: Tally,
  { stock, receipts }: { stock: Stock; receipts: ReceiptsFound | null },
): number {
  const { p50, p99, longest } = tally.waits();
  const lost = tally.messages - stock.onThree;
  const row = (what: string, value: number, note = "") =>
    out.data(`  ${what.padEnd(28)}${value.toLocaleString("en-US").padStart(8)}  ${out.paint("dim", note)}`.trimEnd());
  out.data("");
  row("sent", tally.sent, tally.repeated > 0 ? `and ${tally.repeated} times again` : "");
  row(
    "acknowledged",
    tally.acknowledged,
    `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, longest ${longest.toFixed(0)} ms`,
  );
  row("found once", stock.once, stock.doubled > 0 ? `${stock.doubled} DOUBLED` : "none twice");
  row("found on at least 3 copies", stock.onThree, `${stock.fewest} copies of the one that has fewest`);
  row("out of order", stock.disordered, "patients whose history is not as sent");
  const isWell = lost === 0 && stock.disordered === 0 && stock.doubled === 0 && tally.acknowledged === tally.messages;
  out.data(`  ${out.paint("bold", out.paint(isWell ? "green" : "red", "lost".padEnd(28) + String(lost).padStart(8)))}`);
  if (receipts === null) return isWell ? 0 : 1;
  out.data("");
  for (const line of receipts.report) out.data(`  ${line}`.trimEnd());
  return isWell && receipts.unknown === 0 && receipts.notProven === 0 ? 0 : 1;
}

function readOptions(): { messages: number; rate: number; seed: number; receipts: string | null } | string {
  const flag = (fallback: number) => ({ type: "string", default: String(fallback) }) as const;
  try {
    const { values } = parseArgs({
      args: Deno.args,
      options: {
        messages: flag(4000),
        rate: flag(400),
        seed: flag(1),
        receipts: { type: "string" },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) return USAGE;
    const number = (name: "messages" | "rate" | "seed", min: number) => {
      const value = Number(values[name]);
      if (Number.isSafeInteger(value) && value >= min && value <= 1_000_000) return value;
      throw new Error(`Cannot use --${name} as it must be a number from ${min} to 1000000: "${values[name]}"`);
    };
    return {
      messages: number("messages", 100),
      rate: number("rate", 0),
      seed: number("seed", 0),
      receipts: values.receipts ?? null,
    };
  } catch (error) {
    return (error as Error).message;
  }
}

Deno.exit(await main());
