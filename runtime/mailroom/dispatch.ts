import { FRAME, type MessageProposal, type ProposeAnswer, type WriterHint } from "../wire/mod.ts";
import { Bundler } from "./bundler.ts";
import type { MailroomConfig } from "./config.ts";
import type { MailroomOptions, PostResult } from "./contract.ts";
import type { MailroomCounters } from "./counters.ts";
import { writeDeliverItem } from "./deliver_frame.ts";
import { type OpenPosting, outcomeOf } from "./open_posting.ts";
import { conflict, precondition } from "./refusals.ts";
import { isNews, ShardRoute, targetOf } from "./shard_route.ts";
import type { Stream } from "./stream.ts";

/** The longest that a busy writer is believed. */
const BUSY_MS_MAX = 5_000;

/** What a {@linkcode Dispatch} needs beside what the mailroom was given. */
export interface DispatchOptions {
  mailroom: MailroomOptions;
  config: MailroomConfig;
  counters: MailroomCounters;
  /** true when the peer is in another data center */
  isFar: (to: number) => boolean;
  /** computes the posting's shard from the topology as it is now */
  findShard: (posting: OpenPosting) => void;
  /** an answer was final */
  onEnd: (posting: OpenPosting, result: PostResult) => void;
}

/**
 * Brings open postings to their writers: the sorting table behind the reception. What is ready is sent at the end of the
 * turn, in order of `post`; every answer ends a posting, makes it ready again, or lets it wait with its shard (`parked`:
 * for a writer, or for room at it) or with its stream (`held`: for its turn).
 */
export class Dispatch {
  readonly #options: DispatchOptions;
  readonly #room: MailroomOptions;
  readonly #self: number;
  readonly #outbox: Bundler;
  /** by number on the wire */
  readonly #tries = new Map<number, { serial: number; target: number; posting: OpenPosting }>();
  readonly #routes = new Map<number, ShardRoute>();
  #ready: OpenPosting[] = [];
  #trySerial = 0;
  #flushing = false;
  readonly #flushNow = () => {
    this.#flushing = false;
    this.#flush();
  };

  /** Bound by its owner: it holds nothing that the owner has not given it. */
  constructor(options: DispatchOptions) {
    this.#options = options;
    this.#room = options.mailroom;
    this.#self = options.mailroom.self.incarnation;
    this.#outbox = new Bundler({
      type: FRAME.DELIVER,
      send: options.mailroom.send,
      isFar: options.isFar,
      bundleBytesMax: options.config.bundleBytesMax,
      compressBytesMin: options.config.compressBytesMin,
      onUnsent: (to, requestIds) => this.#unsent(to, requestIds),
    });
  }

  /** Sends `posting` at the end of this turn, wherever it was. */
  makeReady(posting: OpenPosting): void {
    posting.place = "ready";
    this.#ready.push(posting);
    if (this.#flushing) return;
    this.#flushing = true;
    this.#room.world.later(this.#flushNow);
  }

  /** Its peer is silent for too long: sends again, from the second time on to somebody else who may know more. */
  tryAgain(posting: OpenPosting): void {
    const route = this.#routeOf(posting.shard);
    if (posting.timeouts > 1 && posting.sentRound === route.round) route.pass();
    this.makeReady(posting);
  }

  /** True when `posting` is with another node, whose answer may be lost. */
  isAway(posting: OpenPosting): boolean {
    return posting.place === "flying" && posting.target !== this.#self;
  }

  /** Nothing more is heard about `posting`. */
  forget(posting: OpenPosting): void {
    if (!posting.mayStand) return;
    for (const serial of posting.openTries()) this.#tries.delete(serial >>> 0);
  }

  /** Sends again what `stream` holds, and what it must come behind. */
  release(stream: Stream): void {
    for (const posting of stream.release()) this.makeReady(posting);
  }

  /** Begins anew with this shard, or with all. */
  restart(shard?: number): void {
    for (const route of shard === undefined ? this.#routes.values() : [this.#routeOf(shard)]) {
      route.restart();
      this.#unpark(route);
    }
  }

  /** Who waits for a writer need not wait any longer. */
  wake(): void {
    for (const route of this.#routes.values()) if (route.waitsFor === "writer") this.#unpark(route);
  }

  /** Takes an answer in; a second one to the same try, or one from somebody else, is counted and ignored. */
  answered(requestId: number, from: number, answer: ProposeAnswer): void {
    const attempt = this.#tries.get(requestId);
    if (attempt === undefined || attempt.target !== from) return void this.#options.counters.strayAnswers++;
    this.#tries.delete(requestId);
    this.#took(attempt.posting, attempt.serial, answer);
  }

  /** As {@linkcode answered}, from this node's own replication, which answers once and needs no number for that. */
  #answeredHere(posting: OpenPosting, serial: number, answer: ProposeAnswer): void {
    if (posting.place === "ended" || !posting.isOpen(serial)) {
      return void this.#options.counters.strayAnswers++;
    }
    this.#took(posting, serial, answer);
  }

  #took(posting: OpenPosting, serial: number, answer: ProposeAnswer): void {
    posting.settled(serial, answer.state === "unknown");
    const { key, id } = posting.posting;
    const isOfEndedGeneration = answer.state === "recorded" &&
      answer.receipt.generation < (this.#room.hint(posting.shard)?.generation ?? 0);
    if (answer.state === "recorded" && !isOfEndedGeneration) {
      this.#routeOf(posting.shard).found();
      // Over the wire it comes without what who asked knows.
      const receipt = answer.receipt.id === "" ? { ...answer.receipt, key, id } : answer.receipt;
      return this.#options.onEnd(posting, {
        state: "recorded",
        receipt,
        // An earlier try of this very posting may be what stands there: then it is none.
        duplicate: answer.duplicate && !posting.mayStand,
      });
    }
    if (answer.state === "conflict") return this.#options.onEnd(posting, conflict(key));
    if (answer.state === "moved") {
      this.#options.counters.moved++;
      if (answer.hint !== null && answer.hint.shard === posting.shard) this.#room.learn(answer.hint);
    }
    // Every other answer is about one try only; a later one may be under way.
    if (posting.place === "flying" && posting.current === serial) this.#goOn(posting, answer);
  }

  #goOn(posting: OpenPosting, answer: ProposeAnswer): void {
    const route = this.#routeOf(posting.shard);
    // Recorded where nothing counts any more is not recorded.
    const isElsewhere = answer.state === "moved" || answer.state === "unknown" || answer.state === "recorded";
    if (isElsewhere) return this.#moved(route, posting);
    route.found();
    if (answer.state === "mismatch") {
      this.#options.onEnd(posting, precondition(outcomeOf(posting), answer.seq));
    } else if (answer.state === "busy") {
      this.#wait(route, posting, { waitsFor: "room", ms: Math.min(BUSY_MS_MAX, answer.retryAfterMs) });
    } else this.#gap(posting);
  }

  #routeOf(shard: number): ShardRoute {
    let route = this.#routes.get(shard);
    if (route === undefined) this.#routes.set(shard, route = new ShardRoute(shard));
    return route;
  }

  #flush(): void {
    const ready = this.#ready;
    this.#ready = [];
    let inOrder = true;
    for (let i = 1; i < ready.length && inOrder; i++) inOrder = ready[i - 1].serial < ready[i].serial;
    if (!inOrder) ready.sort((a, b) => a.serial - b.serial);
    for (const posting of ready) if (posting.place === "ready") this.#route(posting);
    this.#outbox.flush();
  }

  #route(posting: OpenPosting): void {
    const topology = this.#room.topology();
    // What may stand in one shard's log must not be tried in another's.
    if (posting.topologyVersion !== topology.version && !posting.mayStand) this.#options.findShard(posting);
    const route = this.#routeOf(posting.shard);
    const hint = this.#room.hint(posting.shard);
    route.heard(hint);
    if (route.timer !== null) return park(route, posting);
    const target = this.#targetOf(route, hint);
    if (target === 0) return this.#lost(route, posting);
    this.#send(posting, { route, hint, target });
  }

  #targetOf({ shard, slot }: ShardRoute, hint: WriterHint | null): number {
    // Nearly always its writer is known and there; only else the placement is looked at.
    if (slot === 0 && hint !== null && hint.writer !== 0 && this.#isUsable(hint.writer)) return hint.writer;
    const placement = this.#room.topology().placementOf(shard);
    return targetOf({ hint, placement, slot, isUsable: (node) => this.#isUsable(node) });
  }

  #isUsable(node: number): boolean {
    return node === this.#self || (!this.#room.isSuspect(node) && this.#room.isLinked(node));
  }

  #send(posting: OpenPosting, by: { route: ShardRoute; hint: WriterHint | null; target: number }): void {
    const { route, hint, target } = by;
    const { shard } = posting;
    const serial = ++this.#trySerial;
    const requestId = serial >>> 0;
    if (posting.current !== 0) this.#options.counters.resent++;
    const forgotten = posting.tried(serial);
    if (forgotten !== -1) this.#tries.delete(forgotten >>> 0);
    if (target !== this.#self) this.#tries.set(requestId, { serial, target, posting });
    posting.place = "flying";
    posting.target = target;
    posting.sentBy = hint;
    posting.sentRound = route.round;
    posting.sentAtMs = this.#room.world.nowMonoMs();
    const proposal = proposalOf(posting, route.fence(hint));
    if (target === this.#self) {
      this.#room.proposeHere(shard, proposal, (answer) => this.#answeredHere(posting, serial, answer));
    } else this.#outbox.add(target, requestId, (writer) => writeDeliverItem(writer, { requestId, shard, proposal }));
  }

  #moved(route: ShardRoute, posting: OpenPosting): void {
    if (isNews(this.#room.hint(posting.shard), posting.sentBy)) {
      if (posting.sentRound === route.round) route.restart();
      this.makeReady(posting);
      this.#unpark(route);
    } else if (posting.sentRound !== route.round) this.makeReady(posting);
    else this.#lost(route, posting);
  }

  /** Nobody that could be asked knows the writer. */
  #lost(route: ShardRoute, posting: OpenPosting): void {
    if (route.timer !== null) return park(route, posting);
    const ms = route.failed(this.#options.config.backoffMs, this.#options.config.backoffMsMax);
    this.#wait(route, posting, { waitsFor: "writer", ms });
  }

  #wait(route: ShardRoute, posting: OpenPosting, wait: { waitsFor: "writer" | "room"; ms: number }): void {
    park(route, posting);
    if (route.timer !== null) return;
    route.waitsFor = wait.waitsFor;
    route.timer = this.#room.world.after(Math.max(1, wait.ms), () => this.#unpark(route));
  }

  #unpark(route: ShardRoute): void {
    route.timer?.cancel();
    route.timer = null;
    const parked = route.parked;
    route.parked = [];
    for (const posting of parked) if (posting.place === "parked") this.makeReady(posting);
  }

  #gap(posting: OpenPosting): void {
    this.#options.counters.gaps++;
    const stream = posting.stream;
    // No writer answers so to a message without a stream; treat it like any other loss.
    if (stream === null) return this.#lost(this.#routeOf(posting.shard), posting);
    const { backoffMs: base, backoffMsMax: max } = this.#options.config;
    const holdMs = stream.gap(posting, { lastTry: this.#trySerial, base, max });
    if (stream.timer !== null) return;
    if (holdMs === 0) this.release(stream);
    else stream.timer = this.#room.world.after(holdMs, () => this.release(stream));
  }

  #unsent(to: number, requestIds: number[]): void {
    for (const requestId of requestIds) {
      const attempt = this.#tries.get(requestId);
      if (attempt === undefined) continue;
      this.#tries.delete(requestId);
      const { posting, serial } = attempt;
      posting.settled(serial, false);
      if (posting.place !== "flying" || posting.current !== serial) continue;
      const route = this.#routeOf(posting.shard);
      // With a link there is only no room in its queue.
      if (this.#room.isLinked(to)) {
        this.#wait(route, posting, { waitsFor: "room", ms: this.#options.config.backoffMs * 4 });
      } else this.#lost(route, posting);
    }
  }
}

function park(route: ShardRoute, posting: OpenPosting): void {
  posting.place = "parked";
  route.parked.push(posting);
}

/** Filled again for every try: it is valid until `propose` returns. */
const PROPOSAL: MessageProposal = {
  key: "",
  id: "",
  type: "",
  contentType: "",
  payload: new Uint8Array(0),
  atMs: 0,
  ifMatch: -1,
  sender: "",
  n: 0,
  oldest: 0,
  term: 0,
};

function proposalOf(posting: OpenPosting, term: number): MessageProposal {
  const { key, id, type, contentType, payload, atMs, ifMatch = -1 } = posting.posting;
  const { stream } = posting;
  PROPOSAL.key = key;
  PROPOSAL.id = id;
  PROPOSAL.type = type;
  PROPOSAL.contentType = contentType;
  PROPOSAL.payload = payload;
  PROPOSAL.atMs = atMs;
  PROPOSAL.ifMatch = ifMatch;
  PROPOSAL.sender = stream === null ? "" : stream.wireSender;
  PROPOSAL.n = stream === null ? 0 : posting.n;
  PROPOSAL.oldest = stream === null ? 0 : stream.oldest;
  PROPOSAL.term = stream === null ? 0 : term;
  return PROPOSAL;
}
