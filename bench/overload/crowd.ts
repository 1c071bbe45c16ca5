/**
 * Clients that do not wait: in a process of its own, so many requests a second are due, whatever becomes of those before.
 * Nobody sends again what was refused; every answer is counted.
 *
 *     deno run -A bench/overload/crowd.ts CROWD_OPTIONS_AS_JSON
 */
import type { Receipt } from "../../client.ts";
import { ReceiptsWriter } from "../../cli/audit/receipts_file.ts";
import { Latencies } from "../latencies.ts";
import { HttpConnection } from "./http_connection.ts";

/** How many come, and for how long. */
export interface CrowdOptions {
  urls: string[];
  /** requests due a second; null: as many as are answered, `underWayMax` at a time */
  rate: number | null;
  seconds: number;
  /** requests under way at most; what comes due beyond stays outside, and is counted */
  underWayMax: number;
  actors: number;
  messageBytes: number;
  /** sets the message ids apart */
  prefix: string;
  clusterId: string;
  /** file for the receipts */
  receipts: string;
}

/** What became of them. */
export interface CrowdResult {
  seconds: number;
  due: number;
  /** came due while `underWayMax` were under way: never sent */
  outside: number;
  recorded: number;
  /** by code: 503 and 429 with outcome `not-applied` */
  refused: Record<string, number>;
  /** by code: outcome `unknown` */
  unknown: Record<string, number>;
  /** refusals without a Retry-After */
  withoutRetryAfter: number;
  recordedP50Us: number;
  recordedP99Us: number;
  refusedP99Us: number;
}

const TICK_MS = 5;
/** A client of the outside gives up: no connection lasts for ever. */
const GIVE_UP_MS = 30_000;

class Crowd {
  readonly #options: CrowdOptions;
  readonly #receipts: ReceiptsWriter;
  readonly #startMs = performance.now();
  readonly #body: string;
  readonly #recorded = new Latencies();
  readonly #refusals = new Latencies();
  readonly #result = { due: 0, outside: 0, recorded: 0, withoutRetryAfter: 0 };
  readonly #refused: Record<string, number> = {};
  readonly #unknown: Record<string, number> = {};
  /** connections without a request under way, by node; a request that finds none opens one */
  readonly #idle: HttpConnection[][];
  #underWay = 0;

  constructor(options: CrowdOptions) {
    this.#options = options;
    this.#receipts = new ReceiptsWriter(options.receipts, { clusterId: options.clusterId });
    this.#idle = options.urls.map(() => []);
    this.#body = JSON.stringify({ type: "tick", body: "x".repeat(options.messageBytes) });
  }

  async run(): Promise<CrowdResult> {
    const { seconds, rate, underWayMax } = this.#options;
    if (rate === null) { for (let i = 0; i < underWayMax; i++) this.#goOn(); }
    while (performance.now() - this.#startMs < seconds * 1000) {
      const due = rate === null ? 0 : Math.floor((performance.now() - this.#startMs) * rate / 1000);
      while (this.#result.due < due) {
        if (this.#underWay < underWayMax) this.#send(this.#result.due++);
        else this.#result.outside++, this.#result.due++;
      }
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    }
    const tookSeconds = (performance.now() - this.#startMs) / 1000;
    // throughput is of the measured time; what is under way is waited for all the same
    const { recorded } = this.#result;
    const untilMs = performance.now() + GIVE_UP_MS;
    while (this.#underWay > 0 && performance.now() < untilMs) await new Promise((r) => setTimeout(r, 50));
    this.#receipts.close();
    for (const connection of this.#idle.flat()) connection.close();
    return {
      ...this.#result,
      recorded,
      seconds: tookSeconds,
      refused: this.#refused,
      unknown: this.#unknown,
      recordedP50Us: this.#recorded.percentile(0.5),
      recordedP99Us: this.#recorded.percentile(0.99),
      refusedP99Us: this.#refusals.percentile(0.99),
    };
  }

  /** Without a rate: the next goes out when one comes back. */
  async #goOn(): Promise<void> {
    while (performance.now() - this.#startMs < this.#options.seconds * 1000) await this.#send(this.#result.due++);
  }

  async #send(number: number): Promise<void> {
    const { urls, actors, prefix } = this.#options;
    const actor = number * 7919 % actors;
    const node = number % urls.length;
    const sentMs = performance.now();
    this.#underWay++;
    let connection: HttpConnection | undefined;
    const givingUp = setTimeout(() => connection?.close(), GIVE_UP_MS);
    try {
      connection = this.#idle[node].pop() ?? await HttpConnection.open(new URL(urls[node]).host);
      const path = `/v1/actors/patient/H${actor % 16}/${actor}/messages`;
      const { body, retryAfter } = await connection.post(path, `idempotency-key: ${prefix}-${number}\r\n`, this.#body);
      const answer = JSON.parse(body) as Receipt | { code: string; outcome: string };
      const us = (performance.now() - sentMs) * 1000;
      if (!("code" in answer)) {
        this.#result.recorded++;
        this.#recorded.add(us);
        this.#receipts.take(answer);
        return;
      }
      const codes = answer.outcome === "unknown" ? this.#unknown : this.#refused;
      codes[answer.code] = (codes[answer.code] ?? 0) + 1;
      if (answer.outcome !== "unknown") this.#refusals.add(us);
      if (retryAfter === null) this.#result.withoutRetryAfter++;
    } catch (error) {
      const name = (error as Error).name;
      this.#unknown[name] = (this.#unknown[name] ?? 0) + 1;
    } finally {
      clearTimeout(givingUp);
      if (connection?.isOpen) this.#idle[node].push(connection);
      this.#underWay--;
    }
  }
}

if (import.meta.main) console.log(JSON.stringify(await new Crowd(JSON.parse(Deno.args[0])).run()));
