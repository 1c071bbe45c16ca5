/** Brings many actors' deliveries through a sink, as a node does. */
import type { Delivery } from "@waterpark/waterpark";
import type { BundledSink } from "./bundled_sink.ts";

/** What came of it. */
export interface Tally {
  done: number;
  /** ids of those that ended for good without arriving, with the code */
  dead: Map<string, string>;
  retries: number;
}

/** A delivery; what is not said is the same for all. */
export function delivery(id: number, seq: number, more: Partial<Delivery> = {}): Delivery {
  const key = { kind: "patient", facility: "HOSPX", id: String(id) };
  return {
    id: `patient/HOSPX/${id}#${seq}#feed#0`,
    key,
    seq,
    attempt: 1,
    type: "ORU^R01",
    contentType: "application/json",
    bytes: new TextEncoder().encode(JSON.stringify({ patient: id, seq })),
    options: {},
    ...more,
  };
}

/** `each` deliveries of each of so many actors, the actors' numbers from 1. */
export function deliveries(actors: number, each: number, more: Partial<Delivery> = {}): Delivery[][] {
  return Array.from({ length: actors }, (_, i) => Array.from({ length: each }, (_, n) => delivery(i + 1, n + 1, more)));
}

/**
 * Delivers them: of each actor one after the other's end, several calls at a time, again what is to be tried again.
 *
 * @param options.onDone after each that is done, with how many those are
 * @throws {Error} when it takes longer than `msMax`
 */
export async function deliverAll(
  sink: BundledSink,
  byActor: Delivery[][],
  { msMax, onDone }: { msMax: number; onDone?: (done: number) => void },
): Promise<Tally> {
  const tally: Tally = { done: 0, dead: new Map(), retries: 0 };
  const waiting = byActor.map((all) => [...all]).filter((all) => all.length > 0);
  const { batchMax = 100, limits: { openMax = 64 } = {} } = sink.about;
  const endMs = performance.now() + msMax;
  const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  const pump = async (): Promise<void> => {
    for (let batch = waiting.splice(0, batchMax); batch.length > 0; batch = waiting.splice(0, batchMax)) {
      if (performance.now() > endMs) throw new Error(`not all delivered in ${msMax} ms: ${JSON.stringify(tally)}`);
      const ends = await sink.deliver(batch.map((all) => all[0]));
      let waitMs = 0;
      ends.forEach((end, i) => {
        const [first, ...rest] = batch[i];
        if (end.state === "retry") {
          tally.retries++;
          waitMs = Math.max(waitMs, Math.min(end.afterMs ?? 200, 1_000));
          waiting.push([{ ...first, attempt: first.attempt + 1 }, ...rest]);
          return;
        }
        if (end.state === "dead") tally.dead.set(first.id, end.code);
        else {
          tally.done++;
          onDone?.(tally.done);
        }
        if (rest.length > 0) waiting.push(rest);
      });
      if (waitMs > 0) await sleep(waitMs);
    }
  };
  await Promise.all(Array.from({ length: Math.min(openMax, 8) }, pump));
  return tally;
}

/**
 * What arrived, held against what must have: every delivery at least once, and of each actor in order, where repeats of
 * what was there already do not count: that is what their id is for.
 *
 * @returns how many came more than once
 */
export function repeatsIn(arrived: readonly { id: string }[], byActor: Delivery[][]): number {
  const first = new Map<string, number>();
  arrived.forEach(({ id }, place) => first.has(id) || first.set(id, place));
  for (const all of byActor) {
    let before = -1;
    for (const { id } of all) {
      const place = first.get(id);
      if (place === undefined) throw new Error(`${id} has not arrived`);
      if (place < before) throw new Error(`${id} has arrived before its predecessor`);
      before = place;
    }
  }
  return arrived.length - first.size;
}
