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

  readonly #open: number[] = [];
  #mayStand = false;

  constructor(
    readonly posting: Posting,
    readonly options: {
      serial: number;
      bytes: number;
      deadlineMonoMs: number;
      patienceMs: number;
      done: (result: PostResult) => void;
    },
  ) {
    this.patienceMs = options.patienceMs;
  }

  /** order of `post` */
  get serial(): number {
    return this.options.serial;
  }

  /** tries whose answer has not come */
  get openTries(): readonly number[] {
    return this.#open;
  }

  /** false only when no writer can have appended it, nor can one do so later */
  get mayStand(): boolean {
    return this.#mayStand || this.#open.length > 0;
  }

  /** Notes a try; gives back one whose answer need not be listened to any more, or -1. */
  tried(serial: number): number {
    assert(serial > this.current, "tries are numbered upwards");
    this.current = serial;
    this.#open.push(serial);
    if (this.#open.length <= TRIES_OPEN_MAX) return -1;
    this.#mayStand = true;
    return this.#open.shift()!;
  }

  /** Notes that a try was answered, or never left; `appended` when it may have been appended all the same. */
  settled(serial: number, appended: boolean): void {
    const at = this.#open.indexOf(serial);
    if (at >= 0) this.#open.splice(at, 1);
    if (appended) this.#mayStand = true;
  }
}

/** What may be concluded when `posting` ends now without a receipt. */
export function outcomeOf(posting: OpenPosting): "not-applied" | "unknown" {
  return posting.mayStand ? "unknown" : "not-applied";
}
