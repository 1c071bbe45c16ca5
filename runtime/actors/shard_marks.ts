/**
 * What the committed log of one shard says about handling: how far each plugin is with each actor, where it stands
 * still, and which outcomes count. A pure function of the log, so it is the same on every copy, whoever wrote it.
 *
 * Its laws, from which the rest follows:
 * - an outcome at or below the mark is late: another one stands, for ever, and this one is only compared;
 * - a start lifts the plugin's mark of every actor to what was recorded up to the start's index; the first start stands;
 * - the end of an actor's life lifts every plugin's mark to its last seq: what is gone counts as handled;
 * - `parked` holds the mark at the seq before; an `ok` for that seq, from whatever version, ends it.
 */
import type { OutcomeError, OutcomeItem } from "../effects/mod.ts";
import type { ShardStore } from "../storage/mod.ts";
import { SeqTable } from "./seq_table.ts";

/** Where a plugin stands still for an actor. */
export interface Parked {
  row: number;
  slot: number;
  /** the message that it could not handle; the mark is the seq before */
  seq: number;
  /** the version that could not */
  hash: string;
  error: OutcomeError;
}

/** What applying an item came to. */
export type Verdict =
  | { state: "ok" | "parked"; row: number; slot: number }
  | { state: "started"; slot: number }
  | { state: "late" }
  /** about a message that this copy has not: it is malformed, or the copy is not whole */
  | { state: "unrecorded" }
  | { state: "malformed"; reason: string };

interface Slot {
  readonly name: string;
  /** log index behind which its messages are handled; -1: it has not started */
  startedAt: number;
  readonly marks: SeqTable;
}

/** Names of plugins that one shard remembers; a cluster that has seen more keeps going without the new ones. */
const SLOTS_MAX = 1000;

/** The committed state of handling in one shard. */
export class ShardMarks {
  readonly #store: ShardStore;
  readonly #heads = new SeqTable();
  /** last seq of the lives that have ended */
  readonly #births = new SeqTable();
  readonly #slots: Slot[] = [];
  readonly #slotByName = new Map<string, number>();
  readonly #parked = new Map<number, Parked>();

  constructor(store: ShardStore) {
    this.#store = store;
  }

  /** A message was committed; its row. */
  recorded(row: number, seq: number): void {
    this.#heads.raise(row, seq);
  }

  /** The actor's life has ended at `seq`. */
  retired(row: number, seq: number): void {
    this.#heads.raise(row, seq);
    this.#births.raise(row, seq);
    for (let slot = 0; slot < this.#slots.length && this.#parked.size > 0; slot++) {
      this.#parked.delete(placeOf(slot, row));
    }
  }

  /** last seq of the actor's former lives, 0 in its first: its present history begins behind it */
  birth(row: number): number {
    return this.#births.get(row);
  }

  /** last committed seq of a row */
  head(row: number): number {
    return this.#heads.get(row);
  }

  /** number of the plugin in this shard, by name and so across versions; -1 when the log does not know it */
  slotOf(plugin: string): number {
    return this.#slotByName.get(plugin) ?? -1;
  }

  /** name of the plugin in a slot */
  pluginIn(slot: number): string {
    return this.#slots[slot].name;
  }

  /** true once a start is committed: from then on outcomes are wanted */
  isStarted(slot: number): boolean {
    return slot >= 0 && this.#slots[slot].startedAt >= 0;
  }

  /** log index up to which what was recorded counts as handled; Infinity where the plugin has not started */
  startOf(slot: number): number {
    return this.isStarted(slot) ? this.#slots[slot].startedAt : Infinity;
  }

  /** highest seq that the plugin is through with, by a committed outcome, its start, or the end of a life */
  mark(slot: number, row: number): number {
    const birth = this.#births.get(row);
    return slot < 0 ? birth : Math.max(birth, this.#slots[slot].marks.get(row));
  }

  /** where the plugin stands still for the actor, if it does */
  parkedAt(slot: number, row: number): Parked | undefined {
    return this.#parked.size === 0 ? undefined : this.#parked.get(placeOf(slot, row));
  }

  /** all that stands still, in the order in which it was parked */
  parked(): Iterable<Parked> {
    return this.#parked.values();
  }

  /** how many stand still */
  get parkedCount(): number {
    return this.#parked.size;
  }

  /** Takes one item of a committed OUTCOMES entry; items in order, entries in log order. */
  apply(item: OutcomeItem): Verdict {
    const slot = this.#ensureSlot(item.plugin);
    if (slot < 0) return { state: "malformed", reason: "more plugin names than a shard remembers" };
    if (item.key === "") return this.#start(slot, item.seq);
    const row = this.#store.actorRow(item.key);
    if (row < 0 || item.seq < 1 || item.seq > this.head(row)) {
      return { state: "unrecorded" };
    }
    const marks = this.#slots[slot].marks;
    if (item.seq <= this.mark(slot, row)) return { state: "late" };
    const place = placeOf(slot, row);
    const parked = this.#parked.get(place);
    if (item.state === "ok") {
      if (parked !== undefined && item.seq >= parked.seq) this.#parked.delete(place);
      marks.raise(row, item.seq);
      return { state: "ok", row, slot };
    }
    if (parked !== undefined && (item.seq < parked.seq || item.hash === parked.hash)) return { state: "late" };
    const error = item.error ?? { code: "actors/parked", message: "" };
    this.#parked.set(place, { row, slot, seq: item.seq, hash: item.hash, error });
    return { state: "parked", row, slot };
  }

  #start(slot: number, startIndex: number): Verdict {
    const state = this.#slots[slot];
    if (state.startedAt >= 0) return { state: "late" };
    state.startedAt = startIndex;
    const store = this.#store;
    for (let row = 0; row < store.rowCount; row++) {
      // the tail behind the start is short: what came in while the start was on its way
      const seq = store.rowSeqUpTo(row, startIndex);
      if (seq > 0) state.marks.raise(row, seq);
    }
    return { state: "started", slot };
  }

  #ensureSlot(plugin: string): number {
    const known = this.slotOf(plugin);
    if (known >= 0 || this.#slots.length === SLOTS_MAX) return known;
    this.#slotByName.set(plugin, this.#slots.length);
    return this.#slots.push({ name: plugin, startedAt: -1, marks: new SeqTable() }) - 1;
  }
}

/** (row, slot) as one number; rows stay below 2^32, so it is exact. */
function placeOf(slot: number, row: number): number {
  return row * SLOTS_MAX + slot;
}
