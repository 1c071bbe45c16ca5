/**
 * What the switches are at each place of one shard's log. The writer logs them when they have changed, as an item of an
 * OUTCOMES entry with no actor and no plugin; a message sees what the last such item before it says. So it follows from
 * the log alone what a handler saw, whoever folds the actor again, and when.
 */
import type { OutcomeItem } from "../effects/mod.ts";

/** Feature flags by name. */
export type Switches = Record<string, boolean>;

interface Flip {
  /** log index of the entry that says it */
  index: number;
  /** of the topology in which they became so */
  version: number;
  switches: Switches;
}

const NONE: Switches = Object.freeze({});

/** True for an item that says what the switches are. */
export function isOfSwitches(item: Pick<OutcomeItem, "key" | "plugin">): boolean {
  return item.key === "" && item.plugin === "";
}

/** The item that says it. */
export function switchesItem(version: number, switches: Switches): OutcomeItem {
  const digest = JSON.stringify(Object.fromEntries(Object.entries(switches).sort(([a], [b]) => a < b ? -1 : 1)));
  return { key: "", plugin: "", hash: "", seq: version, state: "ok", effects: null, digest, error: null };
}

/** See the module's header. It grows by an entry with each change of a switch, as the log does. */
export class SwitchLog {
  readonly #flips: Flip[] = [];

  /** version of the last that was logged; 0: none was */
  get version(): number {
    return this.#flips.at(-1)?.version ?? 0;
  }

  /** Applies an item of the committed entry at `index`; false: it cannot be read. What is older than the last is late. */
  apply(index: number, item: Pick<OutcomeItem, "seq" | "digest">): boolean {
    const switches = read(item.digest);
    if (switches === null) return false;
    if (item.seq > this.version) this.#flips.push({ index, version: item.seq, switches });
    return true;
  }

  /** What a message at this log index sees. */
  at(index: number): Switches {
    return this.#before(index)?.switches ?? NONE;
  }

  /** The first log index behind `index` at which messages see something else; Infinity: none so far. */
  nextAfter(index: number): number {
    for (let i = this.#flips.length - 1, next = Infinity; i >= 0; i--) {
      if (this.#flips[i].index <= index) return next;
      next = this.#flips[i].index;
      if (i === 0) return next;
    }
    return Infinity;
  }

  #before(index: number): Flip | undefined {
    return this.#flips.findLast((flip) => flip.index < index);
  }
}

function read(text: string): Switches | null {
  try {
    const value = JSON.parse(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
    return Object.values(value).every((on) => typeof on === "boolean") ? value : null;
  } catch {
    return null;
  }
}
