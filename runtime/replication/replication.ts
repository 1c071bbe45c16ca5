/**
 * Replication: the driver of all replicas of one node. It feeds events to the pure steps, bundles what they send, and
 * owes the answers. A picture: 1,024 small ledgers, each kept by five clerks, and one post van per neighbour that leaves
 * at the end of every turn with whatever any ledger has for him.
 *
 * Cost: a quiet shard costs its replica's few hundred bytes and no traffic. A tick walks the awake replicas only.
 */
import { assert } from "../base/mod.ts";
import { type EntryKind, ShardStore } from "../storage/mod.ts";
import {
  ByteReader,
  ByteWriter,
  type Lane,
  LANE_CONTROL,
  LANE_MESSAGE,
  type MessageProposal,
  type ProposeAnswer,
  type WriterHint,
} from "../wire/mod.ts";
import type { Timer, World } from "../world/mod.ts";
import { advanceCommit, bornWithWriter, resign, sendAll, sendAppend } from "./append.ts";
import { everyVoter, hasMajority } from "./configuration.ts";
import { blankMessage, RAFT, type RaftMessage, readMessage, writeMessage } from "./raft_message.ts";
import { proposeMessage } from "./proposing.ts";
import { configurationOf, type Desired, newShardState, type ShardEnv, type ShardState } from "./shard_state.ts";
import { startHandOver } from "./hand_over.ts";
import { stepAsked, stepMessage, stepTick } from "./step.ts";
import { isDismissed, isWanted, letsGo } from "./swap.ts";
import { acknowledgedIndex, type AckRule, SenderOrder, type Waiter, WaitingList } from "./waiting.ts";

/** Settings of {@linkcode Replication}; node's config.ts has the defaults. */
export interface ReplicationConfig {
  /** how often awake replicas look around, ms */
  tickMs: number;
  /** least step of the election's stagger, ms */
  staggerMsMin: number;
  /** how long a node must have been alive before it is handed writers, ms */
  stableAfterMs: number;
  /** copies brought up to date at the same time by one node */
  catchUpsMax: number;
  /** answers owed by one node before it says busy */
  waitersMax: number;
}

/** What {@linkcode Replication} is made of. */
export interface ReplicationOptions {
  world: World;
  self: { name: string; incarnation: number };
  /** sends a raft frame's payload; false when it could not be queued */
  send(to: number, lane: Lane, payload: Uint8Array): boolean;
  isSuspect(incarnation: number): boolean;
  /** how long the peer has been alive without a suspicion, ms */
  aliveForMs(incarnation: number): number;
  rttP99Ms(): number;
  nameOf(incarnation: number): string;
  dataCenterOf(incarnation: number): string;
  shardText(shard: number): string;
  ackRule(): AckRule;
  /** entries [first, last] of the shard are committed on this node */
  onCommitted(shard: number, first: number, last: number): void;
  onWriter(shard: number, isWriter: boolean): void;
  /** the replica has left this node and its memory is freed */
  onDropped(shard: number): void;
  config: ReplicationConfig;
}

/** One replica and what its driver keeps beside it. */
export interface Replica {
  state: ShardState;
  waiting: WaitingList;
  order: SenderOrder;
  /** fresh reads: answered once a majority has confirmed the round */
  reads: { round: number; index: number; done: (index: number | null) => void }[];
  isDirty: boolean;
  isAwake: boolean;
}

const SHARDS_MAX = 2048;

/** All replicas of this node. */
export class Replication {
  readonly #options: ReplicationOptions;
  readonly #replicas: (Replica | null)[] = [];
  readonly #hints: (WriterHint | undefined)[] = [];
  readonly #desired: (Desired | undefined)[] = [];
  readonly #awake = new Set<Replica>();
  readonly #dirty: Replica[] = [];
  readonly #outbox = new Map<number, { control: ByteWriter; message: ByteWriter }>();
  readonly #env: ShardEnv;
  readonly #in = blankMessage();
  #nowMs = 0;
  #flushPlanned = false;
  #ticker: Timer | null = null;
  #sweeper: Timer | null = null;
  #catchUps = 0;
  #waiters = 0;
  #stopped = false;

  constructor(options: ReplicationOptions) {
    this.#options = options;
    const nowMs = () => this.#nowMs;
    this.#env = {
      get nowMs() {
        return nowMs();
      },
      random: () => options.world.random(),
      isSuspect: (incarnation) => options.isSuspect(incarnation),
      isStable: (incarnation) => options.aliveForMs(incarnation) >= options.config.stableAfterMs,
      staggerMs: () => Math.max(options.config.staggerMsMin, 1.5 * options.rttP99Ms()),
      send: (to, message) => this.#post(to, message),
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
      mayCatchUp: () => {
        if (this.#catchUps >= options.config.catchUpsMax) return false;
        this.#catchUps++;
        return true;
      },
    };
    this.#sweep();
  }

  /** Creates this node's replica of a shard that has just been born; its first member is the writer of term 1. */
  birth(shard: number, members: number[]): void {
    assert(shard >= 0 && shard < SHARDS_MAX, "a shard number");
    assert(members.includes(this.#options.self.incarnation), "only members make a replica");
    if (this.#replicas[shard]) return;
    this.#nowMs = this.#options.world.nowMonoMs();
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

  /** A raft frame has arrived. Throws `wire/bad-payload` for anything that is none. */
  receive(from: number, payload: Uint8Array): void {
    this.#nowMs = this.#options.world.nowMonoMs();
    const reader = new ByteReader(payload);
    const message = this.#in;
    while (reader.left > 0) {
      readMessage(reader, message);
      if (message.shard >= SHARDS_MAX) continue;
      let replica = this.#replicas[message.shard];
      if (!replica) {
        if (message.type !== RAFT.APPEND) continue;
        // A copy to be fed by its writer: without a vote until the log that it is given says otherwise.
        replica = this.#create(message.shard, []);
      }
      if (message.type === RAFT.LEAVING || message.type === RAFT.GONE) {
        this.#onLeaving(replica, from, message);
        continue;
      }
      stepMessage(replica.state, this.#env, from, message);
      this.#afterStep(replica);
    }
    this.#plan();
  }

  /** Records a message, if this node is the shard's writer. `done` is called exactly once, maybe at once. */
  propose(shard: number, proposal: MessageProposal, done: (answer: ProposeAnswer) => void): void {
    const replica = this.#replicas[shard];
    if (!replica || replica.state.role !== "writer") {
      if (replica) this.#ask(replica);
      done({ state: "moved", hint: this.hint(shard) });
      return;
    }
    if (replica.state.handOverTo !== 0 || this.#waiters >= this.#options.config.waitersMax) {
      done({ state: "busy", retryAfterMs: 10 });
      return;
    }
    proposeMessage(replica, proposal, {
      nowMs: this.#options.world.nowMonoMs(),
      nameOf: this.#options.nameOf,
      shardText: this.#options.shardText,
      wait: (waiter) => this.#wait(replica, waiter),
    }, done);
  }

  /** Appends an entry that is no message; `done` says whether it was committed, and where. */
  proposeEntry(
    shard: number,
    kind: Exclude<EntryKind, 3>,
    body: Uint8Array,
    done: (state: "committed" | "lost" | "busy", index: number) => void,
  ): void {
    const replica = this.#replicas[shard];
    if (!replica || replica.state.role !== "writer") {
      if (replica) this.#ask(replica);
      done("lost", 0);
      return;
    }
    if (replica.state.handOverTo !== 0 || this.#waiters >= this.#options.config.waitersMax) {
      done("busy", 0);
      return;
    }
    const { state } = replica;
    if (state.commit === state.store.lastIndex) state.progressAtMs = this.#options.world.nowMonoMs();
    const index = state.store.appendEntry(state.term, kind, body);
    this.#wait(replica, {
      index,
      byRule: false,
      duplicate: false,
      done: (result) => done(result === "done" ? "committed" : "lost", index),
    });
  }

  /**
   * Confirms with a majority that this node still is the writer, and answers with an index up to which a read is
   * linearizable; null when it is not (any more). All waiting reads share a round.
   */
  readFresh(shard: number, done: (index: number | null) => void): void {
    const replica = this.#replicas[shard];
    if (!replica || replica.state.role !== "writer" || replica.reads.length >= 65_536) {
      done(null);
      return;
    }
    replica.reads.push({ round: replica.state.round + 1, index: -1, done });
    this.#touch(replica);
  }

  /** The best knowledge of who writes the shard. */
  hint(shard: number): WriterHint | null {
    const state = this.#replicas[shard]?.state;
    const learned = this.#hints[shard];
    if (state !== undefined && state.writer !== 0 && (learned === undefined || state.term >= learned.term)) {
      return { shard, generation: state.generation, term: state.term, writer: state.writer };
    }
    return learned ?? null;
  }

  /** Takes over a hint of another node if it is newer. */
  learn(hint: WriterHint): void {
    if (hint.shard >= SHARDS_MAX) return;
    const known = this.#hints[hint.shard];
    if (
      known === undefined || hint.generation > known.generation ||
      (hint.generation === known.generation &&
        (hint.term > known.term || (hint.term === known.term && known.writer === 0)))
    ) this.#hints[hint.shard] = hint;
  }

  isWriter(shard: number): boolean {
    return this.#replicas[shard]?.state.role === "writer";
  }

  /** The log held here, or null. */
  store(shard: number): ShardStore | null {
    return this.#replicas[shard]?.state.store ?? null;
  }

  commitIndex(shard: number): number {
    return this.#replicas[shard]?.state.commit ?? 0;
  }

  /** The replica's state for reading: inspection, metrics, the simulator's checkers. */
  stateOf(shard: number): Readonly<ShardState> | null {
    return this.#replicas[shard]?.state ?? null;
  }

  /** Incarnations with a vote, as far as this node knows. */
  members(shard: number): number[] {
    const replica = this.#replicas[shard];
    return replica ? everyVoter(configurationOf(replica.state)) : [];
  }

  /** A peer is suspected: its followers here look for another writer. */
  suspected(incarnation: number): void {
    this.#nowMs = this.#options.world.nowMonoMs();
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

  /** Answers owed. */
  get waiters(): number {
    return this.#waiters;
  }

  /** Counts for metrics. */
  counts(): { replicas: number; writers: number; awake: number; bytes: number } {
    let replicas = 0, writers = 0, bytes = 0;
    for (const replica of this.#replicas) {
      if (!replica) continue;
      replicas++;
      bytes += replica.state.store.bytes;
      if (replica.state.role === "writer") writers++;
    }
    return { replicas, writers, awake: this.#awake.size, bytes };
  }

  /** Begins to hand every writer's role to a member that can take it; how many this node still has. */
  handOverAll(): number {
    this.#nowMs = this.#options.world.nowMonoMs();
    let writers = 0;
    for (const replica of this.#replicas) {
      if (!replica || replica.state.role !== "writer") continue;
      const { state } = replica;
      const successor = everyVoter(configurationOf(state)).find((voter) =>
        voter !== state.self && !this.#options.isSuspect(voter) &&
        state.peers.get(voter)?.match === state.store.lastIndex
      );
      if (everyVoter(configurationOf(state)).length > 1) writers++;
      if (successor !== undefined) startHandOver(state, this.#env, successor);
      this.#touch(replica);
    }
    return writers;
  }

  /** Gives up every writer's role and stops; what waits is told that its outcome is unknown. */
  stop(): void {
    this.#nowMs = this.#options.world.nowMonoMs();
    for (const replica of this.#replicas) if (replica?.state.role === "writer") resign(replica.state, this.#env);
    this.#flush();
    this.#stopped = true;
    this.#ticker?.cancel();
    this.#sweeper?.cancel();
  }

  #create(shard: number, members: number[]): Replica {
    const state = newShardState({
      shard,
      self: this.#options.self.incarnation,
      store: new ShardStore(),
      configuration: { voters: members, old: null },
      generation: 1,
    });
    state.desired = this.#desired[shard] ?? null;
    const replica: Replica = {
      state,
      waiting: new WaitingList(),
      order: new SenderOrder(),
      reads: [],
      isDirty: false,
      isAwake: false,
    };
    this.#replicas[shard] = replica;
    return replica;
  }

  #drop(replica: Replica): void {
    this.#replicas[replica.state.shard] = null;
    this.#awake.delete(replica);
    replica.isAwake = false;
    this.#options.onDropped(replica.state.shard);
  }

  /** Somebody looks for the shard's writer here: if this is a member and knows of none, it starts an election. */
  ask(shard: number): void {
    const replica = this.#replicas[shard];
    if (replica && replica.state.role !== "writer") this.#ask(replica);
  }

  #ask(replica: Replica): void {
    this.#nowMs = this.#options.world.nowMonoMs();
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
    for (const read of replica.reads.splice(0)) read.done(null);
    replica.order.clear();
    this.#wake(replica);
    this.#options.onWriter(replica.state.shard, false);
  }

  #afterStep(replica: Replica): void {
    const { state } = replica;
    if (state.role === "writer") {
      this.#settle(replica);
      if (
        state.commit < state.store.lastIndex || state.settling || state.handOverTo !== 0 || this.#hasLaggards(state)
      ) {
        this.#wake(replica);
      }
    } else {
      if (state.campaignAtMs !== Infinity) this.#wake(replica);
      if (isDismissed(state)) this.#askToLeave(replica);
    }
  }

  #hasLaggards(state: ShardState): boolean {
    for (const peer of state.peers.values()) {
      if (peer.match < state.store.lastIndex || peer.commit < state.commit) return true;
    }
    return false;
  }

  /** Answers what is due. */
  #settle(replica: Replica): void {
    const { state, waiting } = replica;
    if (waiting.length > 0) {
      const acknowledged = acknowledgedIndex(state, this.#options.ackRule(), this.#options);
      for (const waiter of waiting.settle(state.commit, acknowledged)) {
        this.#waiters--;
        waiter.done("done");
      }
    }
    while (replica.reads.length > 0) {
      const read = replica.reads[0];
      if (read.index < 0) break;
      const confirmed = hasMajority(
        configurationOf(state),
        (voter) => voter === state.self || (state.peers.get(voter)?.round ?? 0) >= read.round,
      );
      if (!confirmed) break;
      replica.reads.shift();
      read.done(read.index);
    }
  }

  /** Opens a round for the reads that came in this turn; they wait until an entry of the own term is committed. */
  #openRound(replica: Replica): void {
    const { state } = replica;
    const fresh = replica.reads.filter((read) => read.index < 0);
    if (fresh.length === 0 || state.commit < state.termStart) return;
    state.round++;
    for (const read of fresh) {
      read.round = state.round;
      read.index = state.commit;
    }
    for (const voter of everyVoter(configurationOf(state))) {
      if (voter !== state.self) sendAppend(state, this.#env, voter, true);
    }
  }

  #touch(replica: Replica): void {
    this.#wake(replica);
    if (!replica.isDirty) {
      replica.isDirty = true;
      this.#dirty.push(replica);
    }
    this.#plan();
  }

  #plan(): void {
    if (this.#flushPlanned || this.#stopped) return;
    this.#flushPlanned = true;
    this.#options.world.soon(() => this.#flush());
  }

  #flush(): void {
    this.#flushPlanned = false;
    this.#nowMs = this.#options.world.nowMonoMs();
    for (let i = 0; i < this.#dirty.length; i++) {
      const replica = this.#dirty[i];
      replica.isDirty = false;
      if (replica.state.role !== "writer") continue;
      sendAll(replica.state, this.#env);
      // Alone, the writer is the majority: nobody's answer will move the commit index.
      if (configurationOf(replica.state).voters.length === 1) advanceCommit(replica.state, this.#env);
      if (replica.reads.length > 0) this.#openRound(replica);
      this.#settle(replica);
    }
    this.#dirty.length = 0;
    for (const [to, box] of this.#outbox) {
      if (box.control.length > 0) this.#options.send(to, LANE_CONTROL, box.control.take());
      if (box.message.length > 0) this.#options.send(to, LANE_MESSAGE, box.message.take());
    }
    if (this.#outbox.size > 128) this.#outbox.clear();
  }

  #post(to: number, message: RaftMessage): void {
    let box = this.#outbox.get(to);
    if (box === undefined) {
      box = { control: new ByteWriter(), message: new ByteWriter(16 * 1024) };
      this.#outbox.set(to, box);
    }
    if (message.type === RAFT.APPEND) {
      writeMessage(box.message, message);
      if (box.message.length > 512 * 1024) this.#options.send(to, LANE_MESSAGE, box.message.take());
    } else {
      writeMessage(box.control, message);
      if (box.control.length > 64 * 1024) this.#options.send(to, LANE_CONTROL, box.control.take());
    }
    this.#plan();
  }

  #wake(replica: Replica): void {
    if (replica.isAwake || this.#stopped) return;
    replica.isAwake = true;
    this.#awake.add(replica);
    this.#ticker ??= this.#options.world.after(this.#options.config.tickMs, () => this.#tick());
  }

  #tick(): void {
    this.#ticker = null;
    this.#nowMs = this.#options.world.nowMonoMs();
    this.#catchUps = this.#openCatchUps();
    for (const replica of [...this.#awake]) {
      const goesOn = stepTick(replica.state, this.#env);
      if (replica.state.role === "writer") this.#settle(replica);
      if (replica.reads.length > 0) this.#openRound(replica);
      if (!goesOn && replica.waiting.length === 0 && replica.reads.length === 0) {
        replica.isAwake = false;
        this.#awake.delete(replica);
      }
    }
    this.#plan();
    if (this.#awake.size > 0 && !this.#stopped) {
      this.#ticker = this.#options.world.after(this.#options.config.tickMs, () => this.#tick());
    }
  }

  #openCatchUps(): number {
    let open = 0;
    for (const replica of this.#awake) {
      if (replica.state.role !== "writer") continue;
      for (const [incarnation, peer] of replica.state.peers) {
        if (!peer.settled && !this.#options.isSuspect(incarnation)) open++;
      }
    }
    return open;
  }

  /** Once a second: writers that placement wants elsewhere look again; copies that placement does not want ask to go. */
  #sweep(): void {
    this.#nowMs = this.#options.world.nowMonoMs();
    for (const replica of this.#replicas) {
      if (!replica) continue;
      const { state } = replica;
      const { desired } = state;
      if (desired === null) continue;
      if (state.role === "writer") {
        const strays = state.peers.size !== desired.voters.length + desired.learners.length - 1;
        if (desired.voters[0] !== state.self || strays) {
          state.settling = true;
          this.#wake(replica);
        }
      } else if (!isWanted(state, state.self)) {
        this.#askToLeave(replica);
      }
    }
    this.#plan();
    this.#sweeper = this.#options.world.after(1000, () => this.#sweep());
  }

  /** A copy that nobody wants asks the writer to be let go; it keeps everything until that says so. */
  #askToLeave(replica: Replica): void {
    const { state } = replica;
    const writer = state.writer || this.#hints[state.shard]?.writer || state.desired!.voters[0];
    if (writer === state.self || this.#options.isSuspect(writer)) return;
    const { shard, generation, term } = state;
    this.#post(writer, { ...blankMessage(), type: RAFT.LEAVING, shard, generation, term, index: state.appendsSeen });
  }

  #onLeaving(replica: Replica, from: number, message: RaftMessage): void {
    const { state } = replica;
    if (message.type === RAFT.LEAVING) {
      if (message.term > state.term || !letsGo(state, from)) return;
      // From here on nothing that it ever acknowledged counts; should it be wanted again, it begins anew.
      state.peers.delete(from);
      const { shard, generation, term } = state;
      this.#post(from, { ...blankMessage(), type: RAFT.GONE, shard, generation, term, index: message.index });
      return;
    }
    const isVoid = message.term < state.term || message.index !== state.appendsSeen;
    if (!isVoid && state.role !== "writer" && !isWanted(state, state.self)) this.#drop(replica);
  }
}
