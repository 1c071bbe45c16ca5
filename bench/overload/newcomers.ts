/**
 * Strangers at a crowded door: again and again somebody connects anew to each node, sends one message and goes. In a
 * process of its own, with little to do, so that what it waits is the nodes' doing.
 *
 *     deno run -A bench/overload/newcomers.ts NEWCOMERS_OPTIONS_AS_JSON
 */
import { Latencies } from "../latencies.ts";
import { HttpConnection } from "./http_connection.ts";

/** Who comes, and for how long. */
export interface NewcomersOptions {
  urls: string[];
  seconds: number;
  /** sets the message ids apart */
  prefix: string;
}

/** What they were told, and after how long: from the connection's beginning to the answer's end. */
export interface NewcomersResult {
  came: number;
  recorded: number;
  /** told at once, or later, that nothing was done */
  refused: number;
  /** any other end */
  other: number;
  recordedP99Us: number;
  refusedP50Us: number;
  refusedP99Us: number;
  slowestUs: number;
}

const EVERY_MS = 200;
const GIVE_UP_MS = 30_000;

async function run({ urls, seconds, prefix }: NewcomersOptions): Promise<NewcomersResult> {
  const recorded = new Latencies();
  const refused = new Latencies();
  const result = { came: 0, recorded: 0, refused: 0, other: 0, slowestUs: 0 };
  const come = async (url: string, number: number) => {
    const fromMs = performance.now();
    let connection: HttpConnection | null = null;
    const givingUp = setTimeout(() => connection?.close(), GIVE_UP_MS);
    try {
      connection = await HttpConnection.open(new URL(url).host);
      const id = `idempotency-key: ${prefix}-${number}\r\n`;
      const { body } = await connection.post(`/v1/actors/patient/NEW/${number}/messages`, id, "{}");
      const us = (performance.now() - fromMs) * 1000;
      const { code, outcome } = JSON.parse(body) as { code?: string; outcome?: string };
      if (code === undefined) result.recorded++, recorded.add(us);
      else if (outcome === "not-applied") result.refused++, refused.add(us);
      else result.other++;
    } catch {
      result.other++;
    } finally {
      clearTimeout(givingUp);
      connection?.close();
      result.slowestUs = Math.max(result.slowestUs, Math.round((performance.now() - fromMs) * 1000));
    }
  };
  const all: Promise<void>[] = [];
  for (const fromMs = performance.now(); performance.now() - fromMs < seconds * 1000;) {
    for (const url of urls) all.push(come(url, result.came++));
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
  await Promise.all(all);
  return {
    ...result,
    recordedP99Us: recorded.percentile(0.99),
    refusedP50Us: refused.percentile(0.5),
    refusedP99Us: refused.percentile(0.99),
  };
}

if (import.meta.main) console.log(JSON.stringify(await run(JSON.parse(Deno.args[0]))));
