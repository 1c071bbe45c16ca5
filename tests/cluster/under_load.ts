/**
 * Planned work under a steady load: a message is due every few milliseconds, its clients go elsewhere by themselves, and at
 * the end every receipt is proven by the copies. A waiter who goes on serving while the kitchen is moved.
 */
import assert from "node:assert/strict";
import { Load } from "../../bench/availability/load.ts";
import { Timeline } from "../../bench/availability/timeline.ts";
import type { Receipt, WaterparkClient, WholeView } from "../../client.ts";
import { until } from "./waiting.ts";

/** What is asked of a cluster: nodes to send to, a client of all of them. */
export interface Asked {
  alive: readonly { http: string }[];
  client(): WaterparkClient;
}

/** How much, and to whom. */
export interface UnderLoadOptions {
  /** messages due a second; default 100 */
  rate?: number;
  /** HTTP addresses beside those of the nodes that are there: nodes that are to come */
  urls?: readonly string[];
  messageBytes?: number;
  actors?: number;
}

/** What the body of a test does beside its work. */
export interface Work {
  /** what is due from now on counts as this one's */
  begins(what: string): void;
  /** waits until every shard has all its copies again; how long that took, ms */
  whole(): Promise<number>;
}

/**
 * Runs `body` under the load. Afterwards: no message was given up, each receipt is proven.
 *
 * @returns lines for people, one for each piece of work: p50, p99, the slowest, the longest gap
 */
export async function underLoad(
  cluster: Asked,
  options: UnderLoadOptions,
  body: (work: Work) => Promise<void>,
): Promise<string[]> {
  const { rate = 100, messageBytes = 200, actors = 500 } = options;
  const urls = [...cluster.alive.map((node) => node.http), ...options.urls ?? []];
  const timeline = new Timeline(1000);
  const receipts: Receipt[] = [];
  const load = new Load(
    { rate, clients: urls.length, actors, messageBytes, urls, deadlineMs: 15_000 },
    timeline,
    (receipt) => receipts.push(receipt),
  );
  const work: Work = {
    begins: (what) => timeline.happened({ atMs: load.nowMs, what, isFault: true }),
    async whole() {
      const beganMs = load.nowMs;
      await untilWhole(cluster);
      return Math.round(load.nowMs - beganMs);
    },
  };
  try {
    await body(work);
  } finally {
    await load.stop();
  }
  const lines = timeline.reports().map((report) =>
    `${report.what.padEnd(34)} ${String(report.due).padStart(6)} messages, ${report.failed} failed, ` +
    `p50 ${(report.p50Us / 1000).toFixed(1)} ms, p99 ${(report.p99Us / 1000).toFixed(1)} ms, ` +
    `slowest ${report.slowestMs} ms, longest gap ${report.gapMs} ms`
  );
  console.error(lines.join("\n"));
  assert.deepEqual([...load.failures], [], "no message was given up");
  assert.ok(receipts.length > 100, "there was a load");
  const client = cluster.client();
  const states = new Map<string, number>();
  for await (const { state } of client.audit(receipts)) states.set(state, (states.get(state) ?? 0) + 1);
  assert.deepEqual([...states], [["proven", receipts.length]], "every receipt is proven by the copies");
  console.error(`${receipts.length} receipts, all proven`);
  return lines;
}

/** Waits until every shard has all its copies. */
export function untilWhole(cluster: Asked, ms = 120_000): Promise<WholeView> {
  return until(ms, "every shard has all its copies", async () => {
    const view = await cluster.client().whole();
    return view.whole ? view : null;
  });
}
