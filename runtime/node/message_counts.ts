/**
 * Counting what became of a plugin's messages: by one node, and over all.
 */
import type { Standing } from "../actors/mod.ts";
import type { DestinationCounts, PluginCounts } from "../gateway/mod.ts";
import type { Fate } from "./message_fates.ts";

/** What one node counts. */
export type CountsHere = Omit<PluginCounts, "name" | "silent">;

const SUMS = ["received", "waiting", "parked", "filtered", "failed"] as const;
/** Targets that are told apart, at most. */
const DESTINATIONS_MAX = 1_000;
const COLUMN = { done: "sent", open: "queued", dead: "dead" } as const;

/** Messages of one plugin, as they are come across. */
export class MessageCounts {
  readonly #counts = { received: 0, waiting: 0, parked: 0, filtered: 0, failed: 0 };
  readonly #destinations = new Map<string, DestinationCounts>();
  readonly #plugin: string;

  constructor(plugin: string) {
    this.#plugin = plugin;
  }

  /** A message; `fate`: what the plugin's decision led to, if it led to something. */
  add(id: string, { state }: Standing, fate: Fate | undefined): void {
    // what its destinations have answered: ids of effects end in the plugin's name and a number, those of answers in this
    if (id.endsWith("#answer") && id.includes(`#${this.#plugin}#`)) return;
    const counts = this.#counts;
    counts.received++;
    if (state !== "through") return void counts[state]++;
    const asked = fate?.effects.filter((effect) => effect.state !== "none") ?? [];
    if (asked.length === 0) counts.filtered++;
    else if (asked.every(({ type }) => type === "alert")) counts.failed++;
    for (const effect of asked) this.#ask(effect);
  }

  /** What was counted. */
  told(): Omit<CountsHere, "isWhole"> {
    return { ...this.#counts, destinations: [...this.#destinations.values()] };
  }

  #ask({ type, to, state }: Fate["effects"][number]): void {
    if (state === "none" || (type !== "deliver" && type !== "send" && type !== "emit")) return;
    const target = type === "send" ? to.slice(0, to.indexOf("/")) : to;
    const place = `${type} ${target}`;
    let counts = this.#destinations.get(place);
    if (counts === undefined) {
      if (this.#destinations.size >= DESTINATIONS_MAX) return;
      this.#destinations.set(place, counts = { type, to: target, sent: 0, queued: 0, dead: 0 });
    }
    counts[COLUMN[state]]++;
  }
}

/** What all nodes have counted, in sum; destinations by name. */
export function mergeCounts(all: readonly CountsHere[]): CountsHere {
  const sum: CountsHere = {
    received: 0,
    waiting: 0,
    parked: 0,
    filtered: 0,
    failed: 0,
    destinations: [],
    isWhole: true,
  };
  const byPlace = new Map<string, DestinationCounts>();
  for (const counts of all) {
    for (const name of SUMS) sum[name] += counts[name];
    sum.isWhole &&= counts.isWhole;
    for (const { type, to, sent, queued, dead } of counts.destinations) {
      const place = `${type} ${to}`;
      const known = byPlace.get(place) ?? { type, to, sent: 0, queued: 0, dead: 0 };
      byPlace.set(place, { type, to, sent: known.sent + sent, queued: known.queued + queued, dead: known.dead + dead });
    }
  }
  sum.destinations = [...byPlace.keys()].sort().map((place) => byPlace.get(place)!);
  return sum;
}

/** What a peer has counted; null: it did not answer, or says something else. */
export function readCounts(said: unknown): CountsHere | null {
  const { destinations, isWhole, ...sums } = Object(said) as Record<string, unknown>;
  if (!Array.isArray(destinations) || destinations.length > DESTINATIONS_MAX) return null;
  const counts: CountsHere = { ...mergeCounts([]), isWhole: isWhole === true };
  for (const name of SUMS) {
    if (!isCount(sums[name])) return null;
    counts[name] = sums[name];
  }
  for (const { type, to, sent, queued, dead } of destinations.map(Object)) {
    if (typeof type !== "string" || typeof to !== "string" || ![sent, queued, dead].every(isCount)) return null;
    counts.destinations.push({ type, to, sent, queued, dead });
  }
  return counts;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
