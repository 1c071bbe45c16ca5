import { encodeOutcomes, type OutcomeItem } from "../effects/mod.ts";
import type { World } from "../world/mod.ts";
import type { ProposalEnd } from "./actors_options.ts";

/** What an {@linkcode OutcomeBox} is given. */
export interface OutcomeBoxOptions {
  world: World;
  propose(body: Uint8Array, done: (end: ProposalEnd) => void): void;
  /** the proposal may or may not be committed: start again from the marks */
  onLost(): void;
  /** there is room again */
  onRoom(): void;
  gatherMs: number;
  itemsMax: number;
  bytesMax: number;
  pauseMinMs: number;
  pauseMaxMs: number;
}

/**
 * Gathers what one shard's handlers decide into OUTCOMES entries. One entry is under way at a time: the second one must
 * not be committed without the first, or a mark would jump over messages that nobody handled. While it is under way the
 * next one fills, so a slow quorum makes larger entries and not more of them.
 */
export class OutcomeBox {
  readonly #options: OutcomeBoxOptions;
  #items: OutcomeItem[] = [];
  #sizes: number[] = [];
  /** by plugin, then by key: the waiting item of the highest seq */
  readonly #last = new Map<string, Map<string, OutcomeItem>>();
  #bytes = 0;
  #underWay = false;
  #flushAtMs = Infinity;
  #epoch = 0;
  #pauses = 0;

  constructor(options: OutcomeBoxOptions) {
    this.#options = options;
  }

  /** true: no more, please, until `onRoom` */
  get isFull(): boolean {
    return this.#items.length >= 2 * this.#options.itemsMax || this.#bytes >= 2 * this.#options.bytesMax;
  }

  /** outcomes waiting, not counting those under way */
  get size(): number {
    return this.#items.length;
  }

  /**
   * Takes an outcome; those of one actor and plugin in order of seq.
   *
   * @param effectBytes size of its effects
   * @param hurry somebody waits for it: it leaves at the end of this turn
   */
  add(item: OutcomeItem, effectBytes: number, hurry: boolean): void {
    let lasts = this.#last.get(item.plugin);
    if (lasts === undefined) this.#last.set(item.plugin, lasts = new Map());
    const last = lasts.get(item.key);
    const isMark = isPlain(item);
    if (isMark && last !== undefined && isPlain(last) && last.hash === item.hash && item.key !== "") {
      last.seq = item.seq;
      last.digest = item.digest;
    } else {
      const bytes = 2 * item.key.length + item.plugin.length + 160 + effectBytes;
      this.#items.push(item);
      this.#sizes.push(bytes);
      this.#bytes += bytes;
      lasts.set(item.key, item);
    }
    this.#flushIn(hurry || !isMark ? 0 : this.#options.gatherMs);
  }

  /** Forgets everything: the role is lost, others decide. */
  clear(): void {
    this.#epoch++;
    this.#items = [];
    this.#sizes = [];
    this.#last.clear();
    this.#bytes = 0;
    this.#underWay = false;
    this.#flushAtMs = Infinity;
    this.#pauses = 0;
  }

  #flushIn(delayMs: number): void {
    const { world } = this.#options;
    const atMs = world.nowMonoMs() + delayMs;
    if (this.#underWay || atMs >= this.#flushAtMs) return;
    this.#flushAtMs = atMs;
    const epoch = this.#epoch;
    const flush = () => {
      // an earlier flush may have been planned since, and have been here before
      if (epoch === this.#epoch && this.#flushAtMs === atMs) this.#flush();
    };
    if (delayMs === 0) world.soon(flush);
    else world.after(delayMs, flush);
  }

  #flush(): void {
    this.#flushAtMs = Infinity;
    if (this.#underWay || this.#items.length === 0) return;
    let count = 0;
    for (let bytes = 0; count < Math.min(this.#items.length, this.#options.itemsMax); count++) {
      bytes += this.#sizes[count];
      if (count > 0 && bytes > this.#options.bytesMax) break;
    }
    const wasFull = this.isFull;
    const items = this.#items.splice(0, count);
    for (const size of this.#sizes.splice(0, count)) this.#bytes -= size;
    if (this.#items.length === 0) this.#last.clear();
    for (const item of this.#items.length === 0 ? [] : items) {
      const lasts = this.#last.get(item.plugin);
      if (lasts?.get(item.key) === item) lasts.delete(item.key);
    }
    this.#underWay = true;
    this.#propose(encodeOutcomes(items));
    if (wasFull && !this.isFull) this.#options.onRoom();
  }

  #propose(body: Uint8Array): void {
    const { world, pauseMinMs, pauseMaxMs } = this.#options;
    const epoch = this.#epoch;
    this.#options.propose(body, (end) => {
      if (epoch !== this.#epoch) return;
      if (end === "busy") {
        const pauseMs = Math.min(pauseMaxMs, pauseMinMs * 2 ** Math.min(this.#pauses++, 20));
        world.after(pauseMs * (0.5 + world.random() / 2), () => {
          if (epoch === this.#epoch) this.#propose(body);
        });
        return;
      }
      this.#underWay = false;
      this.#pauses = 0;
      if (end === "lost") {
        this.clear();
        this.#options.onLost();
      } else if (this.#items.length > 0) this.#flushIn(0);
    });
  }
}

function isPlain(item: OutcomeItem): boolean {
  return item.state === "ok" && item.effects === null;
}
