import { WaterparkError } from "../base/mod.ts";
import { FRAME } from "../wire/mod.ts";
import type { World } from "../world/mod.ts";
import { readAnswerFrame } from "./answer_frame.ts";
import { MAILROOM_CONFIG, type MailroomConfig } from "./config.ts";
import type { MailroomOptions, Posting, PostResult } from "./contract.ts";
import { type MailroomCounters, zeroCounters } from "./counters.ts";
import { Dispatch } from "./dispatch.ts";
import { Inbox } from "./inbox.ts";
import { OpenList } from "./open_list.ts";
import { OpenPosting, outcomeOf } from "./open_posting.ts";
import { afterDeadline, busy, closed, noShard, type Refusal, stopped, tooLarge, withoutMajority } from "./refusals.ts";
import { StoppedStreams } from "./stopped_streams.ts";
import { Stream } from "./stream.ts";

/** What one posting costs beside its bytes. */
const POSTING_BYTES = 512;

/**
 * A node's mailroom: the only way to an actor, wherever it is written.
 *
 * `post` takes a message in at any node; the mailroom finds the writer, keeps the message until the receipt is in, and
 * sends it again, under the same id, when the writer moves, a frame is lost or a node dies. Relied on:
 *
 * - Every posting ends exactly once, by its deadline at the latest (plus one tick).
 * - `recorded`: it stands in the log once. Refused with `not-applied`: it does not stand there and never will. With
 *   `unknown`: it may stand there, or come to stand there; post it again under the same id.
 * - What stands in the log of one sender's messages to one actor stands there in the order of `post`, as long as
 *   writers keep the rule in `runtime/wire/proposal.ts`. A message refused for now (`busy`, `timeout`) stops its stream:
 *   what stands behind it is refused with `mailroom/stopped`, and so is all that comes, until it is posted again. A
 *   sender that wants to go on without it takes another name. What is refused for good just leaves the stream.
 *
 * Weak: `not-applied` after a deadline rests on every frame being let through once per incarnation of the receiver
 * ({@linkcode ReplayWindow}), which remembers the last 1,024 incarnations that sent to it.
 *
 * Costs one frame per peer and turn, and no timer, promise or copy per message.
 */
export class Mailroom {
  /** what happened so far */
  readonly counters: MailroomCounters = zeroCounters();
  readonly #options: MailroomOptions;
  readonly #world: World;
  readonly #config: MailroomConfig;
  readonly #self: number;
  /** of this node's senders' names */
  readonly #prefix: string;
  readonly #inbox: Inbox;
  readonly #dispatch: Dispatch;
  readonly #open = new OpenList();
  readonly #streams = new Map<string, Stream>();
  readonly #stopped = new StoppedStreams();
  /** the sender of whom a stream was begun last, and its name on the wire */
  #lastSender = "";
  #lastWireSender = "";
  #bytes = 0;
  #serial = 0;
  #ticking = false;
  #closed = false;

  /** Opens the mailroom; `options` are the node's other rooms, as functions. */
  constructor(options: MailroomOptions) {
    this.#options = options;
    this.#world = options.world;
    this.#config = { ...MAILROOM_CONFIG, ...options.config };
    this.#self = options.self.incarnation;
    this.#prefix = `${this.#self.toString(36)}.`;
    const isFar = (to: number) => this.#isFar(to);
    this.#dispatch = new Dispatch({
      mailroom: options,
      config: this.#config,
      counters: this.counters,
      isFar,
      findShard: (posting) => this.#findShard(posting),
      onEnd: (posting, result) => this.#end(posting, result),
    });
    this.#inbox = new Inbox({
      send: options.send,
      later: (fn) => this.#world.later(fn),
      isFar,
      shardOf: (key) => options.topology().shardOf(key),
      proposeHere: options.proposeHere,
      config: this.#config,
      counters: this.counters,
    });
  }

  /** postings of this node without a result */
  pending(): number {
    return this.#open.size;
  }

  /** items of other nodes that are proposed here and not answered */
  pendingRemote(): number {
    return this.#inbox.open;
  }

  /**
   * Takes a message in, to be recorded. `done` is called exactly once, never within this call.
   *
   * Refusals: `mailroom/busy`, `mailroom/too-large`, `mailroom/bad-key`, `mailroom/conflict` are `not-applied`;
   * `mailroom/precondition` (with `seq`), `mailroom/timeout`, `mailroom/no-majority`, `mailroom/closed` are so when that is certain, else `unknown`.
   */
  post(posting: Posting, done: (result: PostResult) => void): void {
    const bytes = bytesOf(posting);
    const refusal = this.#refusalOf(bytes) ?? this.#stopOf(posting);
    if (refusal !== null) {
      if (posting.sender !== "" && refusal.code === "mailroom/busy") {
        this.#stopped.stop(streamName(posting), posting.id);
      }
      return this.#world.soon(() => done(refusal));
    }
    const config = this.#config;
    const now = this.#world.nowMonoMs();
    const serial = ++this.#serial;
    const deadlineMonoMs = now + (posting.deadlineMs ?? config.deadlineMs);
    const open = new OpenPosting(posting, serial, bytes, deadlineMonoMs, config.tryTimeoutMs, done);
    this.counters.posted++;
    this.#open.add(open);
    this.#bytes += bytes;
    open.dueMs = Math.min(deadlineMonoMs, now + config.tryTimeoutMs);
    this.#tick();
    if (!this.#findShard(open)) return this.#world.soon(() => this.#end(open, noShard()));
    if (posting.sender !== "") this.#queueUp(open);
    this.#dispatch.makeReady(open);
  }

  /**
   * Takes a frame of type `FRAME.DELIVER` or `FRAME.DELIVER_ANSWER` in; a malformed one is counted and dropped.
   *
   * @param from incarnation of the sender
   * @param payload must not change while it is held: payloads are views of it
   */
  receive(from: number, type: number, payload: Uint8Array): void {
    if (this.#closed) return;
    try {
      if (type === FRAME.DELIVER) return this.#inbox.receive(from, payload);
      const answers = readAnswerFrame(payload);
      for (const { requestId, answer } of answers) this.#dispatch.answered(requestId, from, answer);
    } catch (error) {
      if (!(error instanceof WaterparkError) || error.code !== "wire/bad-payload") throw error;
      this.counters.malformed++;
    }
  }

  /** A link has come or gone, or the peer is suspected (`up` false): what is with it goes elsewhere at once. */
  peerChanged(incarnation: number, up: boolean): void {
    if (!up) {
      for (const posting of this.#open.all()) {
        if (posting.place === "flying" && posting.target === incarnation) this.#dispatch.makeReady(posting);
      }
    } else this.#dispatch.wake();
  }

  /** The topology has changed: who waits tries again. */
  topologyChanged(): void {
    this.#dispatch.restart();
  }

  /** There is a new hint for this shard: who waits for its writer goes there at once. */
  writerChanged(shard: number): void {
    this.#dispatch.restart(shard);
  }

  /** Refuses everything that is open, and everything from now on, with `mailroom/closed`. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#inbox.close();
    for (const posting of this.#open.all()) this.#end(posting, closed(outcomeOf(posting)));
  }

  #refusalOf(bytes: number): Refusal | null {
    const { itemBytesMax, postingsMax, bytesMax, busyRetryAfterMs } = this.#config;
    if (this.#closed) return closed("not-applied");
    if (bytes > itemBytesMax) return tooLarge(bytes, itemBytesMax);
    if (this.#open.size < postingsMax && this.#bytes + bytes <= bytesMax) return null;
    return busy({ open: this.#open.size, bytes: this.#bytes, retryAfterMs: busyRetryAfterMs });
  }

  #stopOf(posting: Posting): Refusal | null {
    if (posting.sender === "" || this.#stopped.isEmpty) return null;
    const stoppedBy = this.#stopped.stoppedBy(streamName(posting), posting.id);
    return stoppedBy === null ? null : stopped("not-applied");
  }

  #isFar(to: number): boolean {
    const topology = this.#options.topology();
    const here = topology.nodeByIncarnation(this.#self)?.dataCenter;
    const there = topology.nodeByIncarnation(to)?.dataCenter;
    return here !== undefined && there !== undefined && here !== there;
  }

  #findShard(posting: OpenPosting): boolean {
    const topology = this.#options.topology();
    posting.topologyVersion = topology.version;
    try {
      posting.shard = topology.shardOf(posting.posting.key);
      return true;
    } catch (error) {
      if (error instanceof WaterparkError) return false;
      throw error;
    }
  }

  #queueUp(open: OpenPosting): void {
    const { posting, serial } = open;
    const name = streamName(posting);
    const stream = this.#streams.get(name);
    if (stream !== undefined) return stream.add(open);
    if (posting.sender !== this.#lastSender) {
      // Two nodes may have a sender of one name; each numbers for itself.
      this.#lastWireSender = this.#prefix + posting.sender;
      this.#lastSender = posting.sender;
    }
    this.#streams.set(name, new Stream(name, this.#lastWireSender, open, serial));
  }

  #tick(): void {
    if (this.#ticking) return;
    this.#ticking = true;
    this.#world.after(this.#config.tickMs, () => {
      this.#ticking = false;
      const now = this.#world.nowMonoMs();
      for (const posting of this.#open.due(now)) this.#due(posting, now);
      if (this.#open.size > 0) this.#tick();
    });
  }

  #due(posting: OpenPosting, now: number): void {
    // An earlier one of this tick may have ended it, by closing the room.
    if (posting.place === "ended") return;
    const { deadlineMonoMs } = posting;
    if (now >= deadlineMonoMs) {
      const isStill = this.#options.standsStill?.(posting.shard) ?? false;
      return this.#end(posting, (isStill ? withoutMajority : afterDeadline)(outcomeOf(posting)));
    }
    let next = now + this.#config.tryTimeoutMs;
    // This node's own replication loses nothing: it answers, or the deadline does.
    if (this.#dispatch.isAway(posting)) {
      if (now >= posting.sentAtMs + posting.patienceMs) {
        this.counters.timeouts++;
        posting.timeouts++;
        posting.patienceMs = Math.min(posting.patienceMs * 2, this.#config.tryTimeoutMsMax);
        this.#dispatch.tryAgain(posting);
      } else next = posting.sentAtMs + posting.patienceMs;
    }
    posting.dueMs = Math.min(deadlineMonoMs, next);
  }

  #end(posting: OpenPosting, result: PostResult): void {
    if (posting.place === "ended") return;
    posting.place = "ended";
    this.#open.remove(posting);
    this.#bytes -= posting.bytes;
    this.#dispatch.forget(posting);
    const stream = posting.stream;
    if (stream !== null) {
      if (result.state === "refused" && LATE.has(result.code)) this.#stop(stream, posting);
      const hasTurn = stream.end(posting);
      if (stream.isEmpty) this.#streams.delete(stream.name);
      else if (hasTurn && stream.held.length > 0) this.#dispatch.release(stream);
    }
    if (result.state === "recorded") this.counters.recorded++;
    else this.counters.refused++;
    posting.done(result);
  }

  /** Nothing may overtake what its sender will post again. */
  #stop(stream: Stream, refused: OpenPosting): void {
    this.#stopped.stop(stream.name, refused.posting.id);
    for (const later of stream.after(refused)) this.#end(later, stopped(outcomeOf(later)));
  }
}

/** Refusals at the deadline. */
const LATE = new Set(["mailroom/timeout", "mailroom/no-majority"]);

/** A NUL cannot stand in a key, so no two pairs share a name. */
function streamName(posting: Posting): string {
  return `${posting.key}\u0000${posting.sender}`;
}

/** An upper bound of what a posting takes here and in a frame: 3 bytes is the most that a UTF-16 unit becomes. */
function bytesOf({ payload, key, id, type, contentType, sender }: Posting): number {
  return POSTING_BYTES + payload.length +
    3 * (key.length + id.length + type.length + contentType.length + sender.length);
}
