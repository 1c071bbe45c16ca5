/**
 * One shard on a few nodes, for tests: real stores, a model of replication (a log with an uncommitted tail, roles that
 * change, tails adopted or lost), a model of a plugin host (sessions that get lost, hosts that die), a model of the
 * mailroom (busy, timeouts after recording). Everything is drawn from one seed.
 */
import assert from "node:assert/strict";
import { type Effect, type EffectPosting, Effects, type EffectsConfig, Timers } from "../effects/mod.ts";
import { ENTRY, ShardStore } from "../storage/mod.ts";
import { SeededRandom, SimulatedTime, simulatedWorld, type World } from "../world/mod.ts";
import { type Line, lineOf, standingOf } from "./standing_test.ts";
import { Actors, type ActorsConfig, type FoldAnswer, type FoldRequest, type LivePlugin } from "./mod.ts";

export const ACTORS_CONFIG: ActorsConfig = {
  openFoldsMax: 8,
  handlingsMax: 1000,
  foldMessagesMax: 16,
  foldBytesMax: 4096,
  pastMessagesMax: 1000,
  pastBytesMax: 1 << 20,
  gatherMs: 5,
  outcomesMax: 8,
  outcomeBytesMax: 4096,
  effectsBytesMax: 4096,
  timersMax: 3,
  timerBytesMax: 100,
  parkedMax: 100,
  pauseMinMs: 5,
  pauseMaxMs: 50,
  readsMax: 100,
  readTimeoutMs: 10_000,
  waitersMax: 100,
  repliesMax: 100,
  scanRowsMax: 1000,
  shadowFoldsOpenMax: 2,
  shadowsMax: 100,
  sweepActorsMax: 4,
  sweepPauseMs: 5,
};

export const EFFECTS_CONFIG: EffectsConfig = {
  inFlightMax: 16,
  inHandMax: 32,
  sinkInHandMax: 32,
  doneGatherMs: 10,
  doneItemsMax: 16,
  retryMinMs: 5,
  retryMaxMs: 100,
  retiresWaitingMax: 100,
  firesMax: 3,
  clockOffMs: 2000,
  finalRefusals: ["conflict", "too-large", "bad-key"],
};

export const SHARD = 7;
const DECODER = new TextDecoder();

/** How likely what goes wrong, per call or proposal; 0 = never. */
export interface Trouble {
  /** log says busy */
  busy: number;
  /** log says lost though the role stays; half of the time the entry is committed all the same */
  lost: number;
  /** a call to the host takes ten times as long */
  slow: number;
  /** host dies under a call */
  hostDies: number;
  /** host forgets a session */
  forgets: number;
  /** a post is refused for now, half of the time after it was recorded */
  postFails: number;
}

export const NO_TROUBLE: Trouble = { busy: 0, lost: 0, slow: 0, hostDies: 0, forgets: 0, postFails: 0 };

/**
 * The handler of all tests, by the payload: `effect` sends one to `target`, `reply` replies, `alert` alerts, `remind`
 * schedules under a name so many ms later, `forget` cancels, `bye` retires; `bad HASH` throws and `kill HASH` kills its
 * host in that version. Projections: how many messages, and in which version.
 */
export function effectsOf(plugin: string, hash: string, payload: string): Effect[] {
  const [word, rest = "", ms] = payload.split(" ");
  if (word === "effect") {
    const key = { kind: "ward", facility: "F", id: rest || "1" };
    return [{ type: "send", key, message: { type: `from/${plugin}`, body: hash } }];
  }
  if (word === "reply") return [{ type: "reply", body: `${plugin} ${rest}` }];
  if (word === "remind") {
    const message = { type: "t", body: `fired ${plugin} ${rest}` };
    return [{ type: "schedule", name: rest, afterMs: Number(ms), message }];
  }
  if (word === "forget") return [{ type: "cancel", name: rest }];
  if (word === "bye") return [{ type: "retire" }];
  if (word === "alert") return [{ type: "alert", code: "test/alert", text: rest }];
  return [];
}

interface Session {
  at: number;
  count: number;
}

/** A plugin host: a process that may die with all its sessions and open calls. */
class Host {
  sessions = new Map<string, Session>();
  calls = 0;
  /** versions that it does not have */
  readonly missing = new Set<string>();
  #open = new Set<(answer: FoldAnswer) => void>();

  constructor(readonly world: World, readonly random: SeededRandom, readonly trouble: () => Trouble) {}

  fold = (request: FoldRequest, done: (answer: FoldAnswer) => void): void => {
    this.calls++;
    this.#open.add(done);
    const slow = this.random.next() < this.trouble().slow ? 10 : 1;
    this.world.after(this.random.below(4) * slow, () => {
      if (!this.#open.has(done)) return;
      if (this.random.next() < this.trouble().hostDies || this.#isPoison(request)) return this.#die();
      this.#open.delete(done);
      done(this.#answer(request));
    });
  };

  #isPoison({ messages, hash, birth = 0, after, fresh, plugin, key }: FoldRequest): boolean {
    const at = fresh ? birth : this.sessions.get(`${plugin} ${hash} ${birth} ${key}`)?.at ?? birth;
    return (after === birth || at === after) && messages.some((m) => DECODER.decode(m.payload) === `kill ${hash}`);
  }

  #die(): void {
    const open = [...this.#open];
    this.#open.clear();
    this.sessions.clear();
    for (const done of open) done({ state: "down", lonely: open.length === 1, code: "plugin_host/killed-host" });
  }

  #answer(request: FoldRequest): FoldAnswer {
    if (this.missing.has(request.hash)) return { state: "down", lonely: false, code: "plugin_host/not-loaded" };
    const { birth = 0 } = request;
    const place = `${request.plugin} ${request.hash} ${birth} ${request.key}`;
    if (this.random.next() < this.trouble().forgets) this.sessions.delete(place);
    let session = this.sessions.get(place) ?? { at: birth, count: 0 };
    if (request.after === birth) session = { at: birth, count: 0 };
    if (session.at !== request.after) return { state: "behind", at: session.at };
    if (!request.fresh) this.sessions.set(place, session);
    const results = [];
    for (const { seq, payload } of request.messages) {
      assert.equal(seq, session.at + 1, "messages come one after the other");
      const text = DECODER.decode(payload);
      if (text === `bad ${request.hash}`) {
        return { state: "fault", at: seq, code: "plugin_host/threw", message: "bad", stack: "", results };
      }
      session.at = seq;
      session.count++;
      if (seq <= (request.resultsAfter ?? 0)) continue;
      results.push({ seq, effects: effectsOf(request.plugin, request.hash, text), digest: String(session.count) });
    }
    const projections = request.wantProjections ? { count: session.count, hash: request.hash } : undefined;
    return { state: "ok", at: session.at, results, projections };
  }
}

/** One life of one node. */
export interface TestNode {
  readonly number: number;
  alive: boolean;
  store: ShardStore;
  commit: number;
  actors: Actors;
  effects: Effects;
  timers: Timers;
  host: Host;
  /** how far its clock is ahead, ms */
  clockAheadMs: number;
}

interface Proposal {
  index: number;
  done: (end: "committed" | "lost" | "busy") => void;
}

/** See the module's header. */
export class TestShard {
  readonly time = new SimulatedTime();
  readonly random: SeededRandom;
  trouble: Trouble = NO_TROUBLE;
  plugins: LivePlugin[] = [];
  readonly nodes: TestNode[] = [];
  /** longest time from an append to its commitment, ms */
  commitMsMax = 3;
  writer = -1;
  term = 0;
  commit = 0;
  readonly alerts: string[] = [];
  /** every post, in order; and what the targets have, by id */
  readonly posts: EffectPosting[] = [];
  readonly arrived = new Map<string, EffectPosting>();
  refuse: (posting: EffectPosting) => string | null = () => null;
  #proposals: Proposal[] = [];
  /** the committed log */
  readonly book: Line[] = [];
  #termStart = 0;
  #standing = standingOf([]);
  #readTo = 0;

  constructor(seed: number, nodes = 3) {
    this.random = new SeededRandom(seed);
    for (let number = 0; number < nodes; number++) this.nodes.push(this.#life(number));
  }

  /** Lets virtual time pass. */
  run(ms: number): void {
    this.time.runUntil(this.time.nowMs + ms);
  }

  /** Records a message on the writer; false when there is none. */
  record(key: string, text: string): boolean {
    if (this.writer < 0) return false;
    const store = this.nodes[this.writer].store;
    const payload = new TextEncoder().encode(text);
    const id = `m${store.lastIndex + 1}-${this.term}`;
    const atMs = this.wallMs();
    store.appendMessage(this.term, { key, id, type: "t", contentType: "text/plain", atMs, payload });
    this.#commitLater();
    return true;
  }

  /** wall time of a right clock, ms */
  wallMs(): number {
    return simulatedWorld({ time: this.time, random: this.random }).nowWallMs();
  }

  deploy(plugins: LivePlugin[]): void {
    this.plugins = plugins;
    for (const node of this.nodes) if (node.alive) node.actors.pluginsChanged();
  }

  /** The role goes to a node; of the old writer's tail so many entries survive. */
  elect(number: number, adopted = 0): void {
    const old = this.writer;
    if (old >= 0) this.#depose(adopted);
    this.term++;
    this.writer = number;
    const node = this.nodes[number];
    this.#termStart = node.store.appendEntry(this.term, ENTRY.NOOP, new Uint8Array());
    node.actors.becameWriter(SHARD);
    this.#commitLater();
  }

  /** A node dies with all it holds; as the writer, with a tail of which so many entries survive. */
  crash(number: number, adopted = 0): void {
    const node = this.nodes[number];
    if (this.writer === number) {
      this.#proposals = [];
      this.#adopt(node, adopted);
      this.writer = -1;
    }
    node.alive = false;
  }

  /** It comes back as a new life, with an empty memory, and catches up. */
  restart(number: number): void {
    const node = this.#life(number);
    this.nodes[number] = node;
    const source = this.nodes.find((other) => other.alive && other !== node && other.store.lastIndex >= this.commit);
    assert(source, "somebody holds the log");
    // in two parts, as between them lives may end, and what is fed be freed
    const half = Math.floor(this.commit * this.random.next());
    if (half > 0) {
      this.#copy(source, half);
      this.#apply(node, half);
    }
    this.time.after(this.random.below(50), () => {
      const { commit } = this;
      const from = this.nodes.find((other) => other.alive && other !== node && other.store.lastIndex >= commit);
      if (!node.alive || from === undefined) return;
      if (node.store.lastIndex < commit) this.#copy(from, commit);
      this.#apply(node, commit);
    });
  }

  #depose(adopted: number): void {
    const old = this.nodes[this.writer];
    this.#adopt(old, adopted);
    this.writer = -1;
    const proposals = this.#proposals.splice(0);
    // the two words arrive in either order
    const first = this.random.below(2) === 0;
    if (first) old.actors.lostWriter(SHARD);
    for (const { done } of proposals) done("lost");
    if (!first) old.actors.lostWriter(SHARD);
  }

  #adopt(old: TestNode, adopted: number): void {
    const last = Math.min(old.store.lastIndex, this.commit + adopted);
    old.store.truncateFrom(last + 1);
    this.#copy(old, last);
  }

  #copy(from: TestNode, last: number): void {
    for (const node of this.nodes) {
      if (!node.alive || node === from || node.store.lastIndex >= last) continue;
      const { bytes } = from.store.copyRange(node.store.lastIndex + 1, 1 << 24, last);
      for (let at = 0; at < bytes.length;) at = node.store.appendRaw(bytes, at).next;
    }
  }

  #commitLater(): void {
    const { term, writer } = this;
    const last = this.nodes[writer].store.lastIndex;
    this.time.after(this.commitMsMax - this.random.below(this.commitMsMax - 2), () => {
      if (term !== this.term || writer !== this.writer) return;
      const node = this.nodes[writer];
      if (last <= this.commit) return;
      this.#copy(node, last);
      for (let index = this.commit + 1; index <= last; index++) this.book.push(lineOf(node.store, index));
      this.commit = last;
      const ends = this.#proposals.filter(({ index }) => index <= last);
      this.#proposals = this.#proposals.filter(({ index }) => index > last);
      const first = this.random.below(2) === 0;
      if (first) { for (const { done } of ends) done("committed"); }
      this.#apply(node, last);
      if (!first) { for (const { done } of ends) done("committed"); }
      for (const other of this.nodes) {
        if (other !== node) this.time.after(this.random.below(20), () => this.#apply(other, last));
      }
    });
  }

  #apply(node: TestNode, last: number): void {
    if (!node.alive || node.commit >= last || node.store.lastIndex < last) return;
    const first = node.commit + 1;
    node.commit = last;
    node.actors.committed(SHARD, first, last);
  }

  #life(number: number): TestNode {
    const node = { number, alive: true, store: new ShardStore(), commit: 0, clockAheadMs: 0 } as TestNode;
    const right = simulatedWorld({
      time: this.time,
      random: new SeededRandom(this.random.next32()),
      isAlive: () => node.alive,
    });
    const world: World = { ...right, nowWallMs: () => right.nowWallMs() + node.clockAheadMs };
    const isSettled = () => this.writer === number && node.commit >= this.#termStart;
    const clockAheadMs = () => node.clockAheadMs;
    const append = (entry: () => number, done: Proposal["done"]) => {
      if (this.random.next() < this.trouble.busy) return done("busy");
      if (this.writer !== number || !node.alive) return done("lost");
      if (this.random.next() < this.trouble.lost) {
        // lost from sight: committed with whatever comes next, or when nothing does, never
        if (this.random.below(2) === 0) entry();
        return done("lost");
      }
      this.#proposals.push({ index: entry(), done });
      this.#commitLater();
    };
    const propose = (kind: 4 | 5) => (_shard: number, body: Uint8Array, done: Proposal["done"]) =>
      append(() => node.store.appendEntry(this.term, kind, body), done);
    node.effects = new Effects({
      world,
      post: (posting, done) => this.#post(node, posting, done),
      proposeDone: propose(ENTRY.DONE),
      read: (_shard, index) => node.store.body(index),
      retire: (shard, wish, done) => node.actors.retire(shard, wish, done),
      clockAheadMs,
      alert: (code) => this.alerts.push(code),
      config: EFFECTS_CONFIG,
    });
    node.timers = new Timers({
      world,
      store: () => node.store,
      commitIndex: () => node.commit,
      isSettled,
      clockAheadMs,
      record: (_shard, message, done) => {
        assert(node.store.findMessage(message.key, message.id) === 0, "a timer is recorded once");
        const ended: Proposal["done"] = (end) =>
          done({ state: end === "committed" ? "recorded" : end === "lost" ? "unknown" : "busy" });
        append(() => node.store.appendMessage(this.term, message).index, ended);
      },
      alert: (code) => this.alerts.push(code),
      config: EFFECTS_CONFIG,
    });
    node.host = new Host(world, this.random, () => this.trouble);
    node.actors = new Actors({
      world,
      fold: node.host.fold,
      store: (shard) => shard === SHARD ? node.store : null,
      commitIndex: () => node.commit,
      proposeOutcomes: propose(ENTRY.OUTCOMES),
      proposeRetire: (_shard, key, done) =>
        append(() => node.store.appendRetire(this.term, key, world.nowWallMs()), done),
      isSettled,
      plugins: () => this.plugins,
      switches: () => ({}),
      effects: node.effects,
      timers: node.timers,
      alert: (code) => this.alerts.push(code),
      config: ACTORS_CONFIG,
    });
    return node;
  }

  #post(node: TestNode, posting: EffectPosting, done: PostDone) {
    if (this.#readTo < this.book.length) this.#standing = standingOf(this.book);
    this.#readTo = this.book.length;
    const standing = this.#standing;
    assert(standing.effects.has(posting.id), "nothing leaves before its outcome is committed");
    this.posts.push(posting);
    this.time.after(1 + this.random.below(5), () => {
      const refused = this.refuse(posting);
      const fails = this.random.next() < this.trouble.postFails;
      if (refused === null && (!fails || this.random.below(2) === 0)) {
        if (!this.arrived.has(posting.id)) this.arrived.set(posting.id, posting);
      }
      if (!node.alive) return;
      if (refused !== null) done({ state: "refused", code: refused, outcome: "not-applied" });
      else if (fails) done({ state: "refused", code: "mailroom/timeout", outcome: "unknown" });
      else done({ state: "recorded" });
    });
  }
}

type PostDone = Parameters<ConstructorParameters<typeof Effects>[0]["post"]>[1];
