/**
 * Retention: histories that nobody needs any more end by age. A kind of actors may have a time; an actor of it whose last
 * message is older, with which every plugin is through, which owes nothing and has no timer running, retires as if a
 * handler had asked for it.
 *
 * An image: the archive's calendar, by which files are thrown away that have been closed long enough.
 *
 * Kinds that nobody has given a time are kept for ever, but for dead letters: of those that were sent again or discarded,
 * ninety days are kept. Those that wait for somebody to look at them are kept in any case. No time is shorter than thirty
 * days: so long an id is remembered, and so long a message that comes again is known to be one.
 *
 * Each node looks at what it writes, some hundred actors a second, so that a million of them are looked at in an hour and a
 * half; nothing hangs on the hour. A node whose clock is off ends no life.
 */
import { DEAD_LETTER_KIND } from "../effects/mod.ts";
import { RETENTION_DAYS_MIN, type RetentionService, type RetentionView } from "../gateway/mod.ts";
import type { ShardStore } from "../storage/mod.ts";
import type { Sample } from "../telemetry/mod.ts";
import { DATA_SHARDS, type SettingValue } from "../topology/mod.ts";
import type { Timer } from "../world/mod.ts";
import type { NodeCore } from "./core.ts";
import { errorOf } from "./requests.ts";

/** Settings of {@linkcode Retention}. */
export interface RetentionConfig {
  /** between two slices, ms */
  everyMs: number;
  /** actors that are looked at in a slice */
  rowsMax: number;
  /** lives that are being ended at a time */
  endingMax: number;
}

const DEAD_LETTER_DAYS = 90;
const DAY_MS = 86_400_000;
const PREFIX = "retention.";
/** What is done with: the types of the last message of a dead letter that nobody has to look at. */
const SETTLED = ["sent", "discard"];
/** Shards that are looked at in a slice in which there is nothing. */
const LOOKS_MAX = 64;

/** Ends lives by age. */
export class Retention implements RetentionService {
  readonly #core: NodeCore;
  #timer: Timer | null = null;
  /** where the next slice begins */
  #shard = 0;
  #row = 0;
  #ending = 0;
  #ended = 0;

  constructor({ core }: { core: NodeCore }) {
    this.#core = core;
  }

  start(): void {
    this.#timer = this.#core.world.after(this.#core.config.retention.everyMs, () => {
      this.#slice();
      this.start();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  list(): RetentionView[] {
    const { settings } = this.#core.directory.require().state;
    const views = Object.entries(settings).filter(([name]) => name.startsWith(PREFIX)).map(([name, value]) => ({
      kind: name.slice(PREFIX.length),
      days: daysIn(value),
      isDefault: false,
    }));
    if (!views.some(({ kind }) => kind === DEAD_LETTER_KIND)) {
      views.push({ kind: DEAD_LETTER_KIND, days: DEAD_LETTER_DAYS, isDefault: true });
    }
    return views.sort((a, b) => a.kind < b.kind ? -1 : 1);
  }

  set(kind: string, days: number | null | undefined): Promise<void> {
    // Zero stands for never; no value at all for what is usual.
    const value = days === undefined ? null : days ?? 0;
    return new Promise((resolve, reject) => {
      this.#core.directory.command({ type: "setting", name: PREFIX + kind, value }, (result) => {
        if (result.ok) resolve();
        else reject(errorOf(result));
      });
    });
  }

  /** How it goes, for metrics. */
  samples(): Sample[] {
    return [{ name: "actors_ended_by_age", help: "lives that retention has ended from here", value: this.#ended }];
  }

  #slice(): void {
    const { replication, config: { retention: { rowsMax, endingMax }, effects }, membership } = this.#core;
    if (this.#core.directory.topology === null) return;
    if (Math.abs(membership.clockAheadMs()) > effects.clockOffMs) return;
    const oldestMs = this.#oldestMs();
    if (oldestMs.size === 0) return;
    let left = rowsMax;
    for (let looks = 0; left > 0 && looks < LOOKS_MAX; looks++) {
      const store = replication.isWriter(this.#shard) ? replication.store(this.#shard) : null;
      for (; store !== null && this.#row < store.rowCount && left > 0; this.#row++, left--) {
        if (this.#ending >= endingMax) return;
        if (this.#isDue(store, oldestMs)) this.#end(store);
      }
      if (store !== null && this.#row < store.rowCount) return;
      this.#row = 0;
      this.#shard = (this.#shard + 1) % DATA_SHARDS;
    }
  }

  /** By kind, the time before which the last message must have come. */
  #oldestMs(): Map<string, number> {
    const nowMs = this.#core.world.nowWallMs();
    const oldest = new Map<string, number>();
    for (const { kind, days } of this.list()) if (days !== null) oldest.set(kind, nowMs - days * DAY_MS);
    return oldest;
  }

  #isDue(store: ShardStore, oldestMs: Map<string, number>): boolean {
    const { replication, timers } = this.#core;
    const row = this.#row;
    const key = store.rowKey(row);
    const kind = key.slice(0, key.indexOf("/"));
    const beforeMs = oldestMs.get(kind);
    if (beforeMs === undefined || store.isRetired(row) || timers.has(this.#shard, row)) return false;
    const last = store.rowLastIndex(row);
    if (last > replication.commitIndex(this.#shard) || store.atMsOf(last) >= beforeMs) return false;
    return kind !== DEAD_LETTER_KIND || SETTLED.includes(store.message(last).type);
  }

  #end(store: ShardStore): void {
    const { actors, effects } = this.#core;
    const shard = this.#shard;
    const key = store.rowKey(this.#row);
    this.#ending++;
    // Whoever has to wait is looked at again in the next round.
    actors.retire(shard, { key, seq: store.rowSeq(this.#row), mayNow: !effects.owes(shard, key) }, (end) => {
      this.#ending--;
      if (end === "done") this.#ended++;
    });
  }
}

/** null: for ever. */
function daysIn(value: SettingValue): number | null {
  return typeof value === "number" && value > 0 ? Math.max(value, RETENTION_DAYS_MIN) : null;
}
