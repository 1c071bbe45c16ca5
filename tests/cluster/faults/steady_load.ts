/**
 * A steady load for fault tests: senders who each ask one node, one message at a time, and repeat nothing. So each
 * refusal, each broken connection and each wait is seen, and counted against the cluster. Receipts are kept for the audit,
 * the history for an outside checker.
 */
import type { Receipt } from "../../../client.ts";
import { ReceiptsWriter } from "../../../cli/audit/receipts_file.ts";
import type { HistoryFile } from "./history_file.ts";

/** How to load. */
export interface LoadOptions {
  /** URLs that are asked, each by its own senders */
  urls: readonly string[];
  /** senders at each URL; default 4 */
  sendersEach?: number;
  /** what a sender waits between two messages, ms; default 15 */
  pauseMs?: number;
  /** actors of each sender; nobody else sends to them */
  actorsEach?: number;
  clusterId: string;
  /** where receipts go */
  receipts: string;
  /** where the history goes; whoever made it closes it */
  history?: HistoryFile;
}

/** What a load was answered. */
export interface LoadReport {
  recorded: number;
  /** every request without a receipt, with its code */
  failed: { url: string; code: string; afterMs: number }[];
  p50Ms: number;
  p99Ms: number;
  /** the slowest request */
  maxMs: number;
  /** requests over a second, in their order: when they began (`performance.now()`), by which node, of which shard */
  slow: Sample[];
}

interface Sample {
  url: string;
  key: string;
  shard: string;
  startMs: number;
  ms: number;
}

/** Beyond what a node takes to give up by itself. */
const PATIENCE_MS = 14_000;
const ENCODER = new TextEncoder();
/** Loads of this process so far: each has actors and ids of its own, or it would be given an earlier one's receipts. */
let loads = 0;

/** See the file's header. */
export class SteadyLoad {
  readonly #options: LoadOptions;
  readonly #receipts: ReceiptsWriter;
  readonly #history: HistoryFile | null;
  readonly #samples: Sample[] = [];
  readonly #failed: { url: string; code: string; startMs: number; afterMs: number }[] = [];
  readonly #senders: Promise<void>[];
  readonly #load = ++loads;
  #isOver = false;

  /** Begins at once. */
  constructor(options: LoadOptions) {
    this.#options = options;
    this.#receipts = new ReceiptsWriter(options.receipts, { clusterId: options.clusterId });
    this.#history = options.history ?? null;
    const { urls, sendersEach = 4 } = options;
    this.#senders = urls.flatMap((url, i) =>
      Array.from({ length: sendersEach }, (_, j) => this.#send(url, i * sendersEach + j))
    );
  }

  /** Notes in the history what is done to the cluster. */
  fault(what: string): void {
    this.#history?.fault(what);
  }

  /** What was asked since `fromMs` of `performance.now()`; requests that began before it and are not over count later. */
  report(fromMs = 0): LoadReport {
    const samples = this.#samples.filter((sample) => sample.startMs + sample.ms >= fromMs);
    const slow = samples.filter((sample) => sample.ms > 1000);
    const ms = samples.map((sample) => sample.ms);
    ms.sort((a, b) => a - b);
    const at = (share: number) => Math.round(ms[Math.min(ms.length - 1, Math.floor(ms.length * share))] ?? 0);
    const failed = this.#failed.filter((one) => one.startMs + one.afterMs >= fromMs)
      .map(({ url, code, afterMs }) => ({ url, code, afterMs }));
    return { recorded: ms.length, failed, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: Math.round(ms.at(-1) ?? 0), slow };
  }

  /** Stops sending, waits for all answers, closes the receipts. */
  async stop(): Promise<LoadReport> {
    this.#isOver = true;
    await Promise.all(this.#senders);
    this.#receipts.close();
    return this.report();
  }

  async #send(url: string, sender: number): Promise<void> {
    const { actorsEach = 16, pauseMs = 15 } = this.#options;
    const seqs = new Map<string, number>();
    // For a checker, who was left without an answer is busy for ever: after that, and in another load, somebody new asks.
    let process = this.#load * 1_000_000 + sender * 1000;
    for (let n = 0; !this.#isOver; n++) {
      const key = `patient/LOAD${sender % 7}/${this.#load}-${sender}-${n % actorsEach}`;
      const id = `${this.#load}-${sender}-${n}`;
      this.#history?.invoked(process, key, id);
      const startMs = performance.now();
      const answer = await post(url, { key, id, body: ENCODER.encode(`{"type":"tick","n":${n}}`) });
      const ms = performance.now() - startMs;
      if ("code" in answer) {
        const type = answer.outcome === "not-applied" ? "fail" : "info";
        this.#history?.completed(process, key, id, { type, error: answer.code });
        if (type === "info") process++;
        this.#failed.push({ url, code: answer.code, startMs, afterMs: Math.round(ms) });
        // Somewhere in its actor's history, or not: the seqs of this actor are not known any more.
        seqs.delete(key);
        await pause(100);
        continue;
      }
      this.#history?.completed(process, key, id, { type: "ok", value: answer.seq });
      const before = seqs.get(key);
      if (before !== undefined && answer.seq !== before + 1) {
        this.#failed.push({ url, code: `seq ${answer.seq} after ${before}`, startMs, afterMs: Math.round(ms) });
      }
      seqs.set(key, answer.seq);
      this.#receipts.take(answer);
      this.#samples.push({ url, key, shard: answer.shard, startMs, ms });
      await pause(pauseMs);
    }
  }
}

/** One message to one node: its receipt, or why there is none. */
export async function post(
  url: string,
  { key, id, body }: { key: string; id: string; body: Uint8Array<ArrayBuffer> },
): Promise<Receipt | { code: string; outcome: string }> {
  try {
    const response = await fetch(`${url}/v1/actors/${key}/messages`, {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": id },
      body,
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    return await response.json();
  } catch (error) {
    return { code: `client/broken (${(error as Error).name})`, outcome: "unknown" };
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
