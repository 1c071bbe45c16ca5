/**
 * Replication: the driver of all replicas of one node. It feeds events to the pure steps, bundles what they send, and
 * owes the answers. A picture: 1,024 small ledgers, each kept by five clerks, and one post van per neighbour that leaves
 * at the end of every turn with whatever any ledger has for him.
 *
 * Cost: a quiet shard costs its replica's few hundred bytes and no traffic. A tick walks the awake replicas only.
 */
import { assert } from "../base/mod.ts";
import type { PlainEntryKind } from "../storage/mod.ts";
import { SYSTEM_SHARD } from "../topology/mod.ts";
import type { MessageProposal, ProposeAnswer, WriterHint } from "../wire/mod.ts";
import type { Timer } from "../world/mod.ts";
import { newReplica, type Replica } from "./replica.ts";
import type { ReplicationOptions } from "./replication_options.ts";
import {
  advanceCommit,
  becomeFollower,
  bornWithWriter,
  hearsMajority,
  patienceMs,
  RESEND_AFTER_MS,
  resign,
  sendAll,
} from "./append.ts";
import { blankMessage, RAFT, type RaftMessage, RaftReader } from "./raft_message.ts";
import { becameDurable, sayWaiting } from "./durability.ts";
import { Generations, goOnAlone } from "./generations.ts";
import { Journaling } from "./journaling.ts";
import { askToLeave, Departed, mayGo } from "./leaving.ts";
import { Outbox } from "./outbox.ts";
import { WriterHints } from "./writer_hints.ts";
import { ReplicaReader } from "./replica_reader.ts";
import { type Append, appendOther, type EntryDone, proposeMessage } from "./proposing.ts";
import { configurationOf, type Desired, type ShardEnv, type ShardState } from "./shard_state.ts";
import { Pace } from "./pace.ts";
import { handOverToAny, hasSuccessor } from "./hand_over.ts";
import { Ticker } from "./ticker.ts";
import { stepAsked, stepMessage, stepTick } from "./step.ts";
import { isDesired, isDismissed, isWanted } from "./swap.ts";
import { countReplicas, isUnsettled, lacksMajority, looksAgain, needOf, openCatchUps, whomToAsk } from "./upkeep.ts";
import { acknowledgedIndex, type Waiter } from "./waiting.ts";

const SHARDS_MAX = 2048;

/** All replicas of this node. */
export class Replication extends ReplicaReader {
  /** which lives of the shards count, and what is left of the others */
  readonly generations = new Generations();
  /** what is kept beside memory; null: nothing */
  readonly journaling: Journaling | null = null;
  readonly #options: ReplicationOptions;
  readonly #replicas = this.replicas;
  readonly #departed = new Departed();
  readonly #hints = new WriterHints();
  readonly #desired: (Desired | undefined)[] = [];
  readonly #awake = new Set<Replica>();
  readonly #dirty: Replica[] = [];
  readonly #outbox: Outbox;
  readonly #env: ShardEnv & { nowMs: number };
  readonly #pace: Pace;
  readonly #in = blankMessage();
  #flushPlanned = false;
  readonly #flushNow = () => this.#flush();
  readonly #ticker: Ticker;
  #sweeper: Timer | null = null;
  #waiters = 0;
  #stopped = false;

  constructor(options: ReplicationOptions) {
    super();
    this.#options = options;
    this.#outbox = new Outbox({
      send: (to, lane, payload) => options.send(to, lane, payload),
      isClear: (to) => options.isClear?.(to) ?? false,
    });
    this.#ticker = new Ticker({ world: options.world, tickMs: options.config.tickMs, onTick: () => this.#tick() });
    this.#pace = new Pace(options.config);
    const need = (state: ShardState) => needOf(state, options.ackRule().copies);
    this.#env = {
      nowMs: 0,
      random: () => options.world.random(),
      isSuspect: (incarnation) => options.isSuspect(incarnation),
      lateMs: () => this.#ticker.lateMs,
      isStable: (peer) => !this.#env.isLeaving(peer) && options.aliveForMs(peer) >= options.config.stableAfterMs,
      isLeaving: (incarnation) => options.isLeaving?.(incarnation) ?? false,
      staggerMs: () =>
        Math.min(options.config.staggerMsMax, Math.max(options.config.staggerMsMin, 1.5 * options.rttP99Ms())),
      send: (to, message, bulk) => {
        this.#outbox.post(to, message, bulk);
        this.#plan();
      },
      campaigns: (state, term, isReal) => options.onCampaign?.(state.shard, term, isReal),
      becameWriter: (state) => {
        const replica = this.#replicas[state.shard]!;
        replica.order.clear();
        state.desired = this.#desired[state.shard] ?? null;
        state.settling = state.desired !== null;
        this.#touch(replica);
        options.onWriter(state.shard, true);
      },
      lostWriter: (state) => this.#lostWriter(this.#replicas[state.shard]!),
      committed: (state, from, to) => options.onCommitted(state.shard, from + 1, to),
      forsakes: (state, index) => this.journaling?.forsaken(state, index),
      mayCatchUp: (state) => this.#pace.mayBegin(need(state), () => openCatchUps(this.#awake, this.#env)),
      mayFeed: (state) => this.#pace.mayFeed(need(state)),
      fed: (state, bytes) => this.#pace.fed(need(state), bytes),
    };
    if (options.journal !== undefined) {
      this.journaling = new Journaling({
        ...options.journal,
        replicas: () => this.#replicas,
        replicaOf: (shard) => this.#replicas[shard] ?? null,
        generations: this.generations,
        onDurable: (replica, index) => {
          this.#env.nowMs = options.world.nowMonoMs();
          becameDurable(replica.state, this.#env, index);
          replica.state.role === "writer" ? this.#touch(replica) : this.#plan();
        },
        onWaiting: ({ state }) => sayWaiting(state, this.#env),
      });
    }
    this.#sweep();
  }

  /** Creates this node's replica of a shard that has just been born; its first member is the writer of term 1. */
  birth(shard: number, members: number[]): void {
    assert(shard >= 0 && shard < SHARDS_MAX, "a shard number");
    assert(members.includes(this.#options.self.incarnation), "only members make a replica");
    if (this.#replicas[shard] || this.generations.of(shard) > 1) return;
    this.#env.nowMs = this.#options.world.nowMonoMs();
    const replica = this.#create(shard, members);
    bornWithWriter(replica.state, this.#env, members[0]);
    this.#touch(replica);
  }

  /** Tells where placement wants the shards; called whenever the topology has changed. */
  setDesired(shard: number, desired: Desired): void {
    this.#desired[shard] = desired;
    const replica = this.#replicas[shard];
    if (!replica) return;
    replica.state.desired = desired;
    if (replica.state.role === "writer") {
      replica.state.settling = true;
      this.#touch(replica);
    }
  }

  /**
   * The shard's lower generations have ended. A copy here is laid aside, unless this node is the `survivor`, which goes on
   * alone from what it has, be it nothing. Repeating it does nothing.
   */
  setGeneration(shard: number, generation: number, survivor: number): void {
    if (!this.generations.raise(shard, generation)) return;
    this.#env.nowMs = this.#options.world.nowMonoMs();
    if (survivor !== this.#options.self.incarnation) {
      this.#layAside(shard);
      return;
    }
    const replica = this.#replicas[shard] ?? this.#create(shard, []);
    goOnAlone(replica.state, this.#env, generation);
    this.journaling?.adopted(replica.state);
    this.#touch(replica);
  }

  /** Shards that have a voter here and so few others that are not suspected that they cannot go on. */
  standingStill(): number[] {
    return this.#replicas.flatMap((replica) =>
      replica && lacksMajority(replica.state, this.#env.isSuspect) ? [replica.state.shard] : []
    );
  }

  /** A raft frame has arrived. Throws `wire/bad-payload` for anything that is none. */
  receive(from: number, payload: Uint8Array): void {
    this.#env.nowMs = this.#options.world.nowMonoMs();
    const reader = new RaftReader(payload);
    const message = this.#in;
    while (reader.next(message)) {
      if (message.shard >= SHARDS_MAX || this.#mayNotTake(message)) continue;
      const replica = this.#replicaFor(message);
      if (replica === null) continue;
      if (message.type === RAFT.GONE) {
        if (!mayGo(replica.state, message)) continue;
        this.#departed.remember(replica.state, message.term);
        this.#forget(replica);
        continue;
      }
      stepMessage(replica.state, this.#env, from, message);
      this.#afterStep(replica);
    }
    this.#plan();
  }

  /** Without a journal that can be written nothing new is taken in, and no writer's role. */
  #mayNotTake({ type, count }: RaftMessage): boolean {
    return this.journaling?.isReadOnly === true && (type === RAFT.HAND_OVER || (type === RAFT.APPEND && count > 0));
  }

  /** The replica that a record is for; null when it is for none: of another generation, or no reason to begin one. */
  #replicaFor({ shard, generation, type }: RaftMessage): Replica | null {
    // What governs the system shard stands in its own log: its generation is believed to who feeds it.
    if (shard === SYSTEM_SHARD && type === RAFT.APPEND) this.setGeneration(shard, generation, 0);
    if (generation !== this.generations.of(shard)) return null;
    const known = this.#replicas[shard];
    if (known) return known;
    if (type !== RAFT.APPEND) return null;
    // A copy to be fed by its writer: without a vote until the log that it is given says otherwise.
    const replica = this.#create(shard, []);
    this.#departed.recall(replica.state);
    return replica;
  }

  /** Records a message, if this node is the shard's writer. `done` is called exactly once, maybe at once. */
  propose(shard: number, proposal: MessageProposal, done: (answer: ProposeAnswer) => void): void {
    const replica = this.#writerOf(shard);
    if (replica === "elsewhere") return done({ state: "moved", hint: this.hint(shard) });
    if (replica === "busy") return done({ state: "busy", retryAfterMs: 10 });
    const { world, nameOf, dataCenterOf, shardText } = this.#options;
    const atMsMax = () => this.#options.atMsMax?.() ?? Infinity;
    const wait = (waiter: Waiter) => this.#wait(replica, waiter);
    proposeMessage(
      replica,
      proposal,
      { nowMs: world.nowMonoMs(), atMsMax, nameOf, dataCenterOf, shardText, wait },
      done,
    );
  }

  /** Appends an entry that is no message; `done` says whether it was committed, and where. */
  proposeEntry(shard: number, kind: PlainEntryKind, body: Uint8Array, done: EntryDone): void {
    this.#append(shard, (store, term) => store.appendEntry(term, kind, body), done);
  }

  /** Appends the end of an actor's life, which the caller has found to hold right now. Throws `storage/too-large`. */
  proposeRetire(shard: number, { key, atMs }: { key: string; atMs: number }, done: EntryDone): void {
    this.#append(shard, (store, term) => store.appendRetire(term, key, atMs), done);
  }

  #append(shard: number, append: Append, done: EntryDone): void {
    const replica = this.#writerOf(shard);
    if (replica === "elsewhere") return done("lost", 0);
    if (replica === "busy") return done("busy", 0);
    this.#wait(replica, appendOther(replica, { append, nowMs: this.#options.world.nowMonoMs() }, done));
  }

  /**
   * Confirms with a majority that this node still is the writer, and answers with an index up to which a read is
   * linearizable; null when it is not (any more). All waiting reads share a round.
   */
  readFresh(shard: number, done: (index: number | null) => void): void {
    const replica = this.#replicas[shard];
    if (!replica || replica.state.role !== "writer" || !replica.reads.add(done)) return done(null);
    this.#touch(replica);
  }

  /** The best knowledge of who writes the shard. */
  hint(shard: number): WriterHint | null {
    return this.#hints.best(shard, this.#replicas[shard]?.state, this.generations.of(shard));
  }

  /** Takes over a hint of another node if it is newer. */
  learn(hint: WriterHint): void {
    if (hint.shard < SHARDS_MAX) this.#hints.learn(hint);
  }

  /** A peer is suspected: its followers here look for another writer. */
  suspected(incarnation: number): void {
    this.#env.nowMs = this.#options.world.nowMonoMs();
    for (const replica of this.#replicas) {
      if (replica && (replica.state.writer === incarnation || replica.state.writer === 0)) {
        stepAsked(replica.state, this.#env);
        this.#wake(replica);
      }
    }
    this.#plan();
  }

  /** A peer is alive (again): writers bring it up to date. */
  alive(_incarnation: number): void {
    for (const replica of this.#replicas) if (replica && replica.state.role === "writer") this.#wake(replica);
    this.#plan();
  }

  /** Counts for metrics; `waiters` are answers owed. */
  counts(): { replicas: number; writers: number; awake: number; waiters: number; bytes: number } {
    return { ...countReplicas(this.#replicas), awake: this.#awake.size, waiters: this.#waiters };
  }

  /** Begins to hand writers' roles, `atOnce` at a time, to members that can take them; how many are still to go. */
  handOverAll(atOnce = Infinity): number {
    this.#env.nowMs = this.#options.world.nowMonoMs();
    let left = 0;
    let open = 0;
    for (const replica of this.#replicas) {
      if (replica?.state.role !== "writer" || !hasSuccessor(replica.state, this.#env)) continue;
      left++;
      if (open < atOnce) handOverToAny(replica.state, this.#env);
      if (replica.state.handOverTo !== 0) open++;
      this.#touch(replica);
    }
    return left;
  }

  /** Gives up every writer's role and stops; the outcome of what waits is unknown. */
  stop(): void {
    this.#env.nowMs = this.#options.world.nowMonoMs();
    for (const replica of this.#replicas) if (replica?.state.role === "writer") resign(replica.state, this.#env);
    this.#flush();
    this.#stopped = true;
    this.#ticker.cancel();
    this.#sweeper?.cancel();
  }

  #create(shard: number, members: number[]): Replica {
    const about = { shard, self: this.#options.self.incarnation, members, generation: this.generations.of(shard) };
    const replica = newReplica(about, this.journaling?.take(shard, about.generation) ?? null);
    replica.state.desired = this.#desired[shard] ?? null;
    this.journaling?.watch(replica);
    this.#replicas[shard] = replica;
    return replica;
  }

  #layAside(shard: number): void {
    const replica = this.#replicas[shard];
    if (!replica) return;
    const { state } = replica;
    becomeFollower(state, this.#env, { term: state.term, writer: 0 });
    this.generations.keep(state);
    this.#forget(replica);
  }

  #forget(replica: Replica): void {
    this.#replicas[replica.state.shard] = null;
    this.#awake.delete(replica);
    replica.isAwake = false;
    this.journaling?.dropped(replica.state);
    this.#plan();
    this.#options.onDropped(replica.state.shard);
  }

  /** Somebody looks for the shard's writer here: if this is a member and knows of none, it starts an election. */
  ask(shard: number): void {
    const replica = this.#replicas[shard];
    if (replica && replica.state.role !== "writer") this.#ask(replica);
  }

  /** The replica that may append now. */
  #writerOf(shard: number): Replica | "elsewhere" | "busy" {
    const replica = this.#replicas[shard];
    if (!replica || replica.state.role !== "writer") {
      if (replica) this.#ask(replica);
      return "elsewhere";
    }
    const isFull = this.#waiters >= this.#options.config.waitersMax || this.journaling?.isReadOnly === true;
    return isFull || replica.state.handOverTo !== 0 ? "busy" : replica;
  }

  #ask(replica: Replica): void {
    this.#env.nowMs = this.#options.world.nowMonoMs();
    stepAsked(replica.state, this.#env);
    if (replica.state.campaignAtMs !== Infinity) this.#wake(replica);
    this.#plan();
  }

  #wait(replica: Replica, waiter: Waiter): void {
    replica.waiting.add(waiter);
    this.#waiters++;
    this.#touch(replica);
  }

  #lostWriter(replica: Replica): void {
    for (const waiter of replica.waiting.takeAll()) {
      this.#waiters--;
      waiter.done("lost");
    }
    replica.reads.refuseAll();
    replica.order.clear();
    this.#wake(replica);
    this.#options.onWriter(replica.state.shard, false);
  }

  #afterStep(replica: Replica): void {
    const { state } = replica;
    this.journaling?.touched(replica);
    if (state.role === "writer") {
      this.#settle(replica);
      if (!replica.isAwake && isUnsettled(state)) this.#wake(replica);
    } else {
      if (state.campaignAtMs !== Infinity) this.#wake(replica);
      if (isDismissed(state)) this.#askToLeave(replica);
    }
  }

  /** Answers what is due. */
  #settle(replica: Replica): void {
    const { state, waiting } = replica;
    if (waiting.first <= state.commit) {
      const acknowledged = acknowledgedIndex(state, this.#options.ackRule(), this.#options);
      for (const waiter of waiting.settle(state.commit, acknowledged)) {
        this.#waiters--;
        waiter.done("done");
      }
    }
    if (replica.reads.waiting > 0) replica.reads.settle(state);
  }

  #touch(replica: Replica): void {
    this.#wake(replica);
    this.journaling?.touched(replica);
    if (!replica.isDirty) {
      replica.isDirty = true;
      this.#dirty.push(replica);
    }
    this.#plan();
  }

  #plan(): void {
    if (this.#flushPlanned || this.#stopped) return;
    this.#flushPlanned = true;
    this.#options.world.later(this.#flushNow);
  }

  #flush(): void {
    this.#flushPlanned = false;
    this.#env.nowMs = this.#options.world.nowMonoMs();
    for (let i = 0; i < this.#dirty.length; i++) {
      const replica = this.#dirty[i];
      replica.isDirty = false;
      if (replica.state.role !== "writer") continue;
      sendAll(replica.state, this.#env);
      // Alone, the writer is the majority: nobody's answer will move the commit index.
      if (configurationOf(replica.state).voters.length === 1) advanceCommit(replica.state, this.#env);
      if (replica.reads.waiting > 0) replica.reads.open(replica.state, this.#env);
      this.#settle(replica);
    }
    this.#dirty.length = 0;
    if (this.journaling?.flush() === true && !this.#stopped) this.#ticker.plan();
    this.#outbox.flush();
  }

  #wake(replica: Replica): void {
    if (replica.isAwake || this.#stopped) return;
    replica.isAwake = true;
    this.#awake.add(replica);
    this.#ticker.plan();
  }

  #tick(): void {
    this.#env.nowMs = this.#options.world.nowMonoMs();
    this.#pace.tick(this.#env.nowMs);
    for (const replica of [...this.#awake]) {
      if (replica.state.role !== "writer" && this.journaling?.isReadOnly === true) continue;
      const goesOn = stepTick(replica.state, this.#env);
      this.journaling?.touched(replica);
      if (replica.state.role === "writer") this.#settle(replica);
      // A writer that is cut off learns it by its reads, too, and must not keep them waiting.
      const isOverdue = replica.reads.tick(replica.state, this.#env, RESEND_AFTER_MS, patienceMs(this.#env));
      if (isOverdue && !hearsMajority(replica.state, this.#env)) resign(replica.state, this.#env);
      if (!goesOn && replica.waiting.length === 0 && replica.reads.waiting === 0) {
        replica.isAwake = false;
        this.#awake.delete(replica);
      }
    }
    this.journaling?.tick();
    this.#plan();
    if (this.#awake.size > 0 && !this.#stopped) this.#ticker.plan();
  }

  /** Once a second: writers look again at their members, copies that nobody wants ask to go, doubtful writers are asked. */
  #sweep(): void {
    this.#env.nowMs = this.#options.world.nowMonoMs();
    for (const replica of this.#replicas) {
      if (!replica) continue;
      const { state } = replica;
      if (state.role === "writer") {
        if (looksAgain(state)) {
          state.settling = true;
          this.#wake(replica);
        }
      } else if (!isWanted(state, state.self)) {
        this.#askToLeave(replica);
      } else this.#ask(replica);
    }
    this.journaling?.look((shard) => isDesired(this.#desired[shard], this.#options.self.incarnation));
    if (this.journaling?.isReadOnly === true) this.handOverAll();
    this.#plan();
    this.#sweeper = this.#options.world.after(1000, () => this.#sweep());
  }

  #askToLeave({ state }: Replica): void {
    const hinted = this.#hints.best(state.shard, undefined, state.generation)?.writer ?? 0;
    const whom = whomToAsk(state, hinted, this.#options.isSuspect);
    if (whom !== null) askToLeave(state, this.#env, whom);
  }
}
