import { FRAME, type Lane, type MessageProposal, type ProposeAnswer } from "../wire/mod.ts";
import { writeAnswerItem } from "./answer_frame.ts";
import { Bundler } from "./bundler.ts";
import type { MailroomConfig } from "./config.ts";
import type { MailroomCounters } from "./counters.ts";
import { readDeliverFrame } from "./deliver_frame.ts";
import { ReplayWindow } from "./replay_window.ts";

/** More incarnations than a cluster sees in weeks; the one longest known is forgotten first. */
const WINDOWS_MAX = 1024;

/** What an {@linkcode Inbox} needs. */
export interface InboxOptions {
  send: (to: number, lane: Lane, type: number, payload: Uint8Array) => boolean;
  /** calls back once what has arrived has been handled */
  later: (fn: () => void) => void;
  isFar: (to: number) => boolean;
  shardOf: (key: string) => number;
  proposeHere: (shard: number, proposal: MessageProposal, done: (answer: ProposeAnswer) => void) => void;
  config: MailroomConfig;
  counters: MailroomCounters;
}

/**
 * The side of a mailroom that takes what other mailrooms deliver: proposes each item to this node's own copy of the shard
 * and bundles the answers. Keeps nothing but a count of what is open: who asked keeps the message and asks again.
 */
export class Inbox {
  readonly #options: InboxOptions;
  readonly #answers: Bundler;
  readonly #windows = new Map<number, ReplayWindow>();
  #open = 0;
  #flushing = false;
  readonly #flushNow = () => {
    this.#flushing = false;
    this.#answers.flush();
  };
  #closed = false;

  constructor(options: InboxOptions) {
    this.#options = options;
    this.#answers = new Bundler({
      type: FRAME.DELIVER_ANSWER,
      send: options.send,
      isFar: options.isFar,
      bundleBytesMax: options.config.bundleBytesMax,
      compressBytesMin: options.config.compressBytesMin,
      onUnsent: (_, requestIds) => options.counters.answersUnsent += requestIds.length,
    });
  }

  /** items proposed here for others and not answered yet */
  get open(): number {
    return this.#open;
  }

  /**
   * Takes a deliver frame.
   *
   * @throws {WaterparkError} `wire/bad-payload`; nothing of the frame has been proposed then
   */
  receive(from: number, payload: Uint8Array): void {
    const { frameNumber, items } = readDeliverFrame(payload);
    if (!this.#windowOf(from).accept(frameNumber)) {
      this.#options.counters.replayed++;
      return;
    }
    for (const { requestId, shard, proposal } of items) {
      if (this.#open >= this.#options.config.remoteOpenMax) {
        this.#answer(from, requestId, { state: "busy", retryAfterMs: this.#options.config.busyRetryAfterMs });
        continue;
      }
      // Two topologies may name two shards for a facility that was entered a moment ago; both histories would be real.
      if (shard !== this.#shardOf(proposal.key)) {
        this.#answer(from, requestId, { state: "moved", hint: null });
        continue;
      }
      this.#open++;
      let answered = false;
      this.#options.proposeHere(shard, proposal, (answer) => {
        if (answered) return;
        answered = true;
        this.#open--;
        this.#answer(from, requestId, answer);
      });
    }
  }

  /** Answers nothing more. */
  close(): void {
    this.#closed = true;
  }

  #shardOf(key: string): number {
    try {
      return this.#options.shardOf(key);
    } catch {
      return -1;
    }
  }

  #answer(to: number, requestId: number, answer: ProposeAnswer): void {
    if (this.#closed) return;
    this.#answers.add(to, requestId, (writer) => writeAnswerItem(writer, { requestId, answer }));
    if (this.#flushing) return;
    this.#flushing = true;
    this.#options.later(this.#flushNow);
  }

  #windowOf(from: number): ReplayWindow {
    let window = this.#windows.get(from);
    if (window === undefined) {
      window = new ReplayWindow();
      this.#windows.set(from, window);
      if (this.#windows.size > WINDOWS_MAX) this.#windows.delete(this.#windows.keys().next().value!);
    }
    return window;
  }
}
