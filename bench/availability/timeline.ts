/**
 * What a client saw, second by second: when each message was due, when it was recorded, and what happened to the nodes in
 * between. Latency counts from the moment at which a message was due, not from when it could be sent: who waits for a
 * stalled cluster before he asks again would never see it stall.
 */
import { Latencies } from "../latencies.ts";

/** Something that was done to nodes. */
export interface TimelineEvent {
  /** since the run's start */
  atMs: number;
  /** `kill TX-A-1` */
  what: string;
  /** what follows is expected to hurt; false: a repair */
  isFault: boolean;
}

/** One slice of the run. */
export interface Bin {
  fromMs: number;
  /** messages that were due in it */
  due: number;
  /** messages whose receipt came in it */
  recorded: number;
  /** of those due in it: given up, or refused for good */
  failed: number;
  /** of those due in it, microseconds; 0 without any */
  p50Us: number;
  p99Us: number;
  maxUs: number;
}

/** What happened between one event and the next. */
export interface EventReport extends TimelineEvent {
  due: number;
  failed: number;
  p50Us: number;
  p99Us: number;
  /** the longest that a message had to wait */
  slowestMs: number;
  /** the longest time in which nothing at all was recorded */
  gapMs: number;
}

interface Slice {
  due: number;
  recorded: number;
  failed: number;
  maxUs: number;
  latencies: Latencies;
}

/** Takes in a run. All times are ms since its start. */
export class Timeline {
  /** how long a slice is */
  readonly binMs: number;
  readonly #bins: Slice[] = [];
  readonly #events: (TimelineEvent & Slice & { gapMs: number })[] = [];
  #lastRecordedMs = 0;
  #failed = 0;
  #recorded = 0;

  constructor(binMs: number) {
    this.binMs = binMs;
    this.happened({ atMs: 0, what: "start", isFault: false });
  }

  get recorded(): number {
    return this.#recorded;
  }

  get failed(): number {
    return this.#failed;
  }

  /** Something is done to nodes now. What is due from now on counts as its. */
  happened(event: TimelineEvent): void {
    this.#events.push({ ...event, ...emptySlice(), gapMs: 0 });
    this.#lastRecordedMs = Math.max(this.#lastRecordedMs, event.atMs);
  }

  /** A message has its receipt. */
  took(dueMs: number, nowMs: number): void {
    const us = Math.max(0, nowMs - dueMs) * 1000;
    for (const slice of [this.#bin(dueMs), this.#eventAt(dueMs)]) {
      slice.due++;
      slice.latencies.add(us);
      slice.maxUs = Math.max(slice.maxUs, us);
    }
    this.#bin(nowMs).recorded++;
    this.#recorded++;
    // the gap belongs to what was last done, though the message may be older
    const event = this.#events[this.#events.length - 1];
    event.gapMs = Math.max(event.gapMs, nowMs - this.#lastRecordedMs);
    this.#lastRecordedMs = nowMs;
  }

  /** A message was given up. */
  gaveUp(dueMs: number): void {
    this.#failed++;
    for (const slice of [this.#bin(dueMs), this.#eventAt(dueMs)]) {
      slice.due++;
      slice.failed++;
    }
  }

  /** All slices, in order. */
  bins(): Bin[] {
    return Array.from({ length: this.#bins.length }, (_, i) => {
      const { due, recorded, failed, maxUs, latencies } = this.#bins[i] ?? emptySlice();
      return {
        fromMs: i * this.binMs,
        ...{ due, recorded, failed },
        ...{ p50Us: latencies.percentile(0.5), p99Us: latencies.percentile(0.99), maxUs: Math.round(maxUs) },
      };
    });
  }

  /** A report for each event, in order; the first is the time before any. */
  reports(): EventReport[] {
    return this.#events.map(({ atMs, what, isFault, due, failed, latencies, maxUs, gapMs }) => ({
      ...{ atMs, what, isFault, due, failed },
      ...{ p50Us: latencies.percentile(0.5), p99Us: latencies.percentile(0.99) },
      ...{ slowestMs: Math.round(maxUs / 1000), gapMs: Math.round(gapMs) },
    }));
  }

  #bin(atMs: number): Slice {
    const at = Math.max(0, Math.floor(atMs / this.binMs));
    return this.#bins[at] ??= emptySlice();
  }

  #eventAt(atMs: number): Slice {
    for (let i = this.#events.length - 1; i > 0; i--) if (this.#events[i].atMs <= atMs) return this.#events[i];
    return this.#events[0];
  }
}

function emptySlice(): Slice {
  return { due: 0, recorded: 0, failed: 0, maxUs: 0, latencies: new Latencies() };
}
