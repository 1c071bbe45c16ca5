import { assert } from "../base/mod.ts";
import type { WriterHint } from "../wire/mod.ts";
import type { Posting, PostResult } from "./contract.ts";
import type { Stream } from "./stream.ts";

/** Where an open posting is. */
export type PostingPlace =
  /** goes out at the end of this turn */
  | "ready"
  /** one try is with `target`, its answer awaited */
  | "flying"
  /** waits with its whole shard for a writer */
  | "parked"
  /** waits with its stream for its turn */
  | "held"
  /** has its final result */
  | "ended";

/** The most tries of one posting whose late answers are still listened to. */
const TRIES_OPEN_MAX = 64;
const NONE: readonly number[] = Object.freeze([]);

/**
 * One posting from `post` to its result. It may have been sent several times ("tries"); only the latest decides where it
 * goes next, but any of them may bring the receipt, and every one that was not answered may still be appended.
 */
export class OpenPosting {
  place: PostingPlace = "ready";
  /** number of the latest try; grows over all postings of a mailroom */
  current = 0;
  /** to whom the latest try went */
  target = 0;
  /** the hint by which the latest try was routed */
  sentBy: WriterHint | null = null;
  /** the route's round in which the latest try was sent */
  sentRound = 0;
  sentAtMs = 0;
  /** how long an answer is waited for now, in ms */
  patienceMs: number;
  /** tries that ended without an answer in time */
  timeouts = 0;
  /** version of the topology that `shard` was computed from */
  topologyVersion = 0;
  shard = 0;
  /** when it is looked at again: no answer yet, or its deadline */
  dueMs = 0;
  /** its neighbours in the list of those that are open */
  before: OpenPosting | null = null;
  behind: OpenPosting | null = null;
  /** its stream, null without order */
  stream: Stream | null = null;
  /** its number there */
  n = 0;

  /** the try whose answer has not come, 0 = none; nearly always there is one at most */
  #open = 0;
  /** those before it that were not answered either */
  #earlier: number[] | null = null;
  #mayStand = false;

  /**
   * @param posting what was posted
   * @param serial order of `post`
   * @param bytes what it counts for
   * @param deadlineMonoMs by when it ends
   * @param patienceMs how long an answer is waited for at first
   * @param done told how it ended
   */
  constructor(
    readonly posting: Posting,
    readonly serial: number,
    readonly bytes: number,
    readonly deadlineMonoMs: number,
    patienceMs: number,
    readonly done: (result: PostResult) => void,
  ) {
    this.patienceMs = patienceMs;
  }

  /** True while an answer to this try is awaited. */
  isOpen(serial: number): boolean {
    return this.#open === serial || (this.#earlier?.includes(serial) ?? false);
  }

  /** tries whose answer has not come */
  openTries(): readonly number[] {
    if (this.#open === 0) return this.#earlier ?? NONE;
    return [...this.#earlier ?? NONE, this.#open];
  }

  /** false only when no writer can have appended it, nor can one do so later */
  get mayStand(): boolean {
    return this.#mayStand || this.#open !== 0 || (this.#earlier !== null && this.#earlier.length > 0);
  }

  /** Notes a try; gives back one whose answer need not be listened to any more, or -1. */
  tried(serial: number): number {
    assert(serial > this.current, "tries are numbered upwards");
    this.current = serial;
    if (this.#open !== 0) (this.#earlier ??= []).push(this.#open);
    this.#open = serial;
    if (this.#earlier === null || this.#earlier.length < TRIES_OPEN_MAX) return -1;
    this.#mayStand = true;
    return this.#earlier.shift()!;
  }

  /** Notes that a try was answered, or never left; `appended` when it may have been appended all the same. */
  settled(serial: number, appended: boolean): void {
    if (serial === this.#open) this.#open = 0;
    else {
      const at = this.#earlier?.indexOf(serial) ?? -1;
      if (at >= 0) this.#earlier!.splice(at, 1);
    }
    if (appended) this.#mayStand = true;
  }
}

/** What may be concluded when `posting` ends now without a receipt. */
export function outcomeOf(posting: OpenPosting): "not-applied" | "unknown" {
  return posting.mayStand ? "unknown" : "not-applied";
}
