/**
 * One plugin at work on one actor: while something is to be handled, or read, and no longer.
 *
 * Three seqs say where it is. `session`: what the host's session has folded, as far as known here; the host corrects us
 * (`behind`). `decided`: up to where outcomes have been handed in for commitment. The plugin's mark: up to where
 * outcomes are committed. Results up to `decided` are dropped, so replaying a history for a new version, a restarted
 * host or a new writer is the same as going on: only what is new comes out. A session that has run ahead of `decided`
 * is begun anew, because what it decided in between was not kept.
 */
import type { OutcomeItem } from "../effects/mod.ts";
import { type OpenTimers, TimerWishes } from "./timer_wishes.ts";
import { pack } from "../wire/mod.ts";
import type { ActorsConfig } from "./actors_options.ts";
import type { FoldAnswer, FoldMessage, FoldRequest, FoldResult } from "./fold.ts";
import type { ActorFoldJob, FoldPumps } from "./fold_pumps.ts";
import { sliceOf } from "./fold_slice.ts";
import type { OutcomeBox } from "./outcome_box.ts";
import type { ShardMarks } from "./shard_marks.ts";
import type { ShardStore } from "../storage/mod.ts";
import type { RestingVersions } from "./resting_versions.ts";
import { Suspicion } from "./suspicion.ts";

/** Somebody who wants what the plugin keeps of the actor at `target` or later. */
export interface Reader {
  target: number;
  /** called once, with the projections and the seq that they are of; `code` says why there are none */
  done(answer: { projections: unknown; at: number } | { code: string }): void;
}

/** The shard that a handling belongs to. */
export interface HandlingShard {
  readonly store: ShardStore;
  readonly marks: ShardMarks;
  readonly box: OutcomeBox;
  readonly writing: boolean;
  /** last index that was applied */
  readonly applied: number;
  /** false: messages are missing here until more is applied */
  readonly isWhole: boolean;
  /** what the messages behind `after` see, and up to where, at most `to`, all of them see the same */
  switchesAt(key: string, after: number, to: number): { switches: Record<string, boolean>; to: number };
  /** an actor's timers, as far as committed */
  timersOf(row: number, plugin: string): OpenTimers;
  /** wakes the handling when the box has room again */
  awaitRoom(handling: Handling): void;
  /** true while somebody waits for outcomes of this actor */
  isAwaited(key: string): boolean;
  /** has nothing to do: forgotten */
  settled(handling: Handling): void;
}

/** What all handlings of a node share. */
export interface HandlingEnv {
  readonly pump: FoldPumps;
  readonly resting: RestingVersions;
  readonly config: ActorsConfig;
  nowMonoMs(): number;
  /** the version that decides about an actor now */
  deciderFor(plugin: string, key: string): { hash: string } | undefined;
  /** false: as many are parked as may be; an alert has been given */
  mayPark(): boolean;
}

/** Longest message of a fault that is kept, UTF-16 units. */
const FAULT_UNITS_MAX = 500;
/** Longest part of a fault's stack that is kept. */
const FRAMES_UNITS_MAX = 1000;
/** Times that the host may say `behind` in a row before it is given a rest. */
const BEHINDS_MAX = 8;

/** Why a message could not be handled. */
interface Fault {
  code: string;
  message: string;
  stack?: string;
}

/** Frames only: the lines before them say the message once more, in full. */
function framesOf(stack: string): { stack?: string } {
  const frames = stack.split("\n").filter((line) => /^\s+at /.test(line)).map((line) => line.trim()).join("\n");
  return frames === "" ? {} : { stack: frames.slice(0, FRAMES_UNITS_MAX) };
}

function isOfTimers(effects: FoldResult["effects"]): boolean {
  for (const { type } of effects) if (type === "schedule" || type === "cancel") return true;
  return false;
}

/** See the module's header. */
export class Handling implements ActorFoldJob {
  queued = false;
  suspect = false;
  readonly row: number;
  readonly key: string;
  readonly plugin: string;
  /** since when there has been no progress, ms of the monotonic clock */
  sinceMs: number;
  readonly #env: HandlingEnv;
  readonly #shard: HandlingShard;
  readonly #readers: Reader[] = [];
  /** made for the first that decides something about timers */
  #wishes: TimerWishes | null = null;
  /** where the actor's present life begins: it does not change while this is at work */
  readonly #birth: number;
  #hash = "";
  #session = -1;
  /** up to where the history was to be folded when the last call began */
  #goal = 0;
  #decided = 0;
  #isOpen = false;
  #behinds = 0;
  #deathsReading = 0;
  #suspicion: Suspicion | null = null;
  /** a parked outcome is on its way for this seq and version */
  #parking: { seq: number; hash: string } | null = null;
  /** the version that stands still here without a record, as no more could be parked */
  #standing = "";
  /** the actor's life, or the copy, has ended */
  #isOver = false;

  constructor(env: HandlingEnv, shard: HandlingShard, place: { row: number; key: string; plugin: string }) {
    this.#env = env;
    this.#shard = shard;
    this.row = place.row;
    this.key = place.key;
    this.plugin = place.plugin;
    this.sinceMs = env.nowMonoMs();
    this.#birth = shard.marks.birth(place.row);
  }

  /** see {@linkcode FoldJob} */
  get isMidway(): boolean {
    return this.#session > this.#birth && this.#session < this.#goal;
  }

  /** true: kept for outcomes, not for readers alone */
  get isBacklog(): boolean {
    const { marks, writing } = this.#shard;
    return writing && marks.mark(marks.slotOf(this.plugin), this.row) < marks.head(this.row);
  }

  /** There is, or may be, something to do. */
  wake(): void {
    if (!this.#isOpen) this.#env.pump.enqueue(this, this.#readers.length > 0);
  }

  /** Adds a reader. */
  read(reader: Reader): void {
    this.#readers.push(reader);
    this.wake();
  }

  /** Takes a reader back; its `done` is not called. */
  unread(reader: Reader): void {
    const at = this.#readers.indexOf(reader);
    if (at >= 0) this.#readers.splice(at, 1);
  }

  /** An outcome was committed, ours or another's. */
  applied(): void {
    const { marks } = this.#shard;
    const slot = marks.slotOf(this.plugin);
    const parked = marks.parkedAt(slot, this.row);
    if (this.#parking !== null && (parked !== undefined || marks.mark(slot, this.row) >= this.#parking.seq)) {
      this.#parking = null;
    }
    this.sinceMs = this.#env.nowMonoMs();
    this.#settle();
  }

  /** The role was lost or won, or a proposal was lost: what was decided and not committed is forgotten. */
  reset(): void {
    const { marks } = this.#shard;
    this.#decided = marks.mark(marks.slotOf(this.plugin), this.row);
    this.#parking = null;
    this.#standing = "";
    this.#wishes?.clear();
    this.wake();
  }

  /** The copy is gone. */
  abandon(code: string): void {
    for (const reader of this.#readers.splice(0)) reader.done({ code });
  }

  /** The actor's life has ended: there is nothing to do any more, whatever is under way. */
  end(): void {
    this.#isOver = true;
    this.abandon("actors/retired");
  }

  begin(): FoldRequest | null {
    // a copy that is not whole wakes all when it is
    if (this.#isOver || !this.#shard.isWhole) return null;
    const plugin = this.#env.deciderFor(this.plugin, this.key);
    if (plugin === undefined) {
      this.abandon("actors/cannot-fold");
      this.#settle();
      return null;
    }
    if (plugin.hash !== this.#hash) this.#changeVersion(plugin.hash);
    const { marks, box } = this.#shard;
    const head = marks.head(this.row);
    let limit = this.#limit(head);
    const isUndecided = this.#wantsOutcomes() && this.#decided < limit;
    if (!isUndecided && this.#readers.length === 0) {
      this.#settle();
      return null;
    }
    if (isUndecided && box.isFull) {
      this.#shard.awaitRoom(this);
      return null;
    }
    if (this.#env.resting.sleepIfResting(plugin.hash, this)) return null;
    for (const reader of this.#readers) reader.target = Math.min(reader.target, limit);
    if (!isUndecided) limit = Math.max(...this.#readers.map((reader) => reader.target));
    if (this.#session < 0) this.#session = isUndecided ? this.#decided : limit;
    if (this.#session > head || (isUndecided && this.#session > this.#decided)) this.#session = this.#birth;
    this.#goal = limit;
    const { messages, switches } = this.#slice(limit);
    const end = this.#session + messages.length;
    this.#isOpen = true;
    return {
      plugin: this.plugin,
      hash: plugin.hash,
      key: this.key,
      birth: this.#birth,
      after: this.#session,
      messages,
      wantProjections: this.#readers.some((reader) => reader.target <= end),
      resultsAfter: this.#wantsOutcomes() ? this.#decided : Infinity,
      fresh: false,
      switches,
    };
  }

  ended(request: FoldRequest, answer: FoldAnswer): void {
    this.#isOpen = false;
    if (this.#isOver) return;
    if (answer.state !== "behind" && answer.state !== "ok") this.#behinds = 0;
    switch (answer.state) {
      case "ok":
        this.#session = answer.at;
        this.#deathsReading = 0;
        this.#env.resting.isThere(request.hash);
        // a host that says ok and stands still would be asked for ever
        if (answer.at === request.after + request.messages.length) this.#behinds = 0;
        else this.#behind();
        this.#collect(request, answer.results);
        if (request.wantProjections) this.#serve(answer.at, answer.projections);
        if (this.#suspicion === null || this.#suspicion.isCleared(answer.at)) this.#clearSuspicion();
        break;
      case "behind":
        this.#session = answer.at;
        this.#behind();
        break;
      case "fault":
        this.#session = answer.at - 1;
        this.#collect(request, answer.results);
        this.#fault(request, answer.at, answer);
        this.#clearSuspicion();
        break;
      case "down":
        return this.#down(request, answer);
    }
    this.wake();
  }

  #behind(): void {
    if (++this.#behinds % BEHINDS_MAX === 0) this.#env.pump.pause(this.key);
  }

  #changeVersion(hash: string): void {
    this.#hash = hash;
    this.#session = -1;
    this.#clearSuspicion();
  }

  #clearSuspicion(): void {
    this.#suspicion = null;
    this.suspect = false;
  }

  #wantsOutcomes(): boolean {
    const { marks, writing } = this.#shard;
    return writing && marks.isStarted(marks.slotOf(this.plugin));
  }

  /** Up to where this version may go; lifts `decided` to what others have committed. */
  #limit(head: number): number {
    const { marks } = this.#shard;
    const slot = marks.slotOf(this.plugin);
    this.#decided = Math.max(this.#decided, marks.mark(slot, this.row));
    const parked = marks.parkedAt(slot, this.row);
    let limit = head;
    if (parked?.hash === this.#hash) limit = Math.min(limit, parked.seq - 1);
    if (this.#parking?.hash === this.#hash) limit = Math.min(limit, this.#parking.seq - 1);
    if (this.#standing === this.#hash) limit = Math.min(limit, this.#decided);
    return limit;
  }

  #slice(limit: number): { messages: FoldMessage[]; switches: Record<string, boolean> } {
    const { foldMessagesMax, foldBytesMax: bytesMax } = this.#env.config;
    const after = this.#session;
    let to = Math.min(limit, after + foldMessagesMax);
    if (this.#suspicion !== null) to = this.#suspicion.limit(after + 1, to);
    const { store, applied: upTo } = this.#shard;
    const same = this.#shard.switchesAt(this.key, after, to);
    const messages = sliceOf(store, { key: this.key, after, to: same.to, bytesMax, upTo });
    return { messages, switches: same.switches };
  }

  #collect(request: FoldRequest, results: readonly FoldResult[]): void {
    if (!this.#wantsOutcomes()) return;
    // what others committed meanwhile counts; what this version must not touch is left
    const limit = this.#limit(this.#shard.marks.head(this.row));
    for (const { seq, effects: wished, digest } of results) {
      if (seq <= this.#decided) continue;
      // a gap: the session had run ahead of what was decided; `begin` starts it anew
      if (seq !== this.#decided + 1 || seq > limit) return;
      const settled = isOfTimers(wished) ? this.#settleTimers(request, seq, wished) : { effects: wished };
      if ("code" in settled) return this.#park(request.hash, seq, settled.code, settled.message);
      const { effects } = settled;
      let packed: Uint8Array | undefined;
      try {
        if (effects.length > 0) packed = pack(effects);
      } catch {
        return this.#park(request.hash, seq, "actors/bad-effects", "its effects are no plain data");
      }
      const bytes = packed?.length ?? 0;
      if (bytes > this.#env.config.effectsBytesMax) {
        return this.#park(request.hash, seq, "actors/effects-too-large", `its effects have ${bytes} bytes`);
      }
      const { hash } = request;
      if (packed === undefined) this.#hand({ seq, hash, effects: null, digest }, 0);
      else this.#hand({ seq, hash, effects, packed, digest }, bytes);
      this.#decided = seq;
    }
  }

  #settleTimers({ after, messages }: FoldRequest, seq: number, effects: FoldResult["effects"]) {
    const { marks } = this.#shard;
    const atMs = messages[seq - after - 1]?.atMs ?? NaN;
    const at = { seq, atMs, mark: marks.mark(marks.slotOf(this.plugin), this.row) };
    this.#wishes ??= new TimerWishes(this.#env.config);
    return this.#wishes.settle(effects, at, this.#shard.timersOf(this.row, this.plugin));
  }

  #hand(outcome: Pick<OutcomeItem, "seq" | "hash" | "effects" | "packed" | "digest">, bytes: number): void {
    const item: OutcomeItem = { key: this.key, plugin: this.plugin, state: "ok", error: null, ...outcome };
    this.#shard.box.add(item, bytes, this.#shard.isAwaited(this.key));
  }

  #serve(at: number, projections: unknown): void {
    for (const reader of this.#readers.filter((reader) => reader.target <= at)) {
      this.unread(reader);
      reader.done({ projections, at });
    }
  }

  #fault(request: FoldRequest, at: number, { code, message, stack = "" }: Fault): void {
    // readers get what there was before the message that cannot be folded
    for (const reader of this.#readers) reader.target = Math.min(reader.target, at - 1);
    // a version that is not live any more has no say
    if (this.#env.deciderFor(this.plugin, this.key)?.hash !== request.hash || !this.#wantsOutcomes()) return;
    const limit = this.#limit(this.#shard.marks.head(this.row));
    const seq = this.#decided + 1;
    // beyond `seq`: the session had run ahead of what was decided, so it is begun anew and comes by here again
    if (at > seq || seq > limit) return;
    this.#park(request.hash, seq, code, at < seq ? `while it folded seq ${at} anew: ${message}` : message, stack);
  }

  #park(hash: string, seq: number, code: string, message: string, stack = ""): void {
    if (!this.#env.mayPark()) {
      this.#standing = hash;
      return;
    }
    this.#parking = { seq, hash };
    this.#shard.box.add(
      {
        key: this.key,
        plugin: this.plugin,
        hash,
        seq,
        state: "parked",
        effects: null,
        digest: "",
        error: { code, message: message.slice(0, FAULT_UNITS_MAX), ...framesOf(stack) },
      },
      FAULT_UNITS_MAX + FRAMES_UNITS_MAX,
      true,
    );
  }

  #down(request: FoldRequest, { code, lonely }: FoldAnswer & { state: "down" }): void {
    if (code === "plugin_host/not-loaded") return this.#env.resting.rest(request.hash, this);
    // it never will be: messages are answered with a fault, and readers have nothing to wait for
    if (code === "plugin_host/does-not-load") this.abandon("actors/cannot-fold");
    else {
      this.#env.pump.pause(this.key);
      if (code !== "plugin_host/busy" && code !== "plugin_host/closed") this.#died(request, lonely);
    }
    this.wake();
  }

  #died(request: FoldRequest, lonely: boolean): void {
    this.#session = -1;
    this.suspect = true;
    const { messages } = request;
    if (messages.length === 0) {
      if (lonely && ++this.#deathsReading >= 2) this.abandon("actors/cannot-fold");
      return;
    }
    this.#suspicion ??= new Suspicion();
    const [first, last] = [messages[0].seq, messages[messages.length - 1].seq];
    if (this.#suspicion.died(first, last, lonely) === "again") return;
    this.#clearSuspicion();
    const message = "its host died twice while it handled this message alone";
    this.#fault(request, first, { code: "plugin_host/killed-host", message });
  }

  #settle(): void {
    if (this.queued || this.#isOpen || this.#readers.length > 0 || this.#parking !== null) return;
    const { marks } = this.#shard;
    const mark = marks.mark(marks.slotOf(this.plugin), this.row);
    if (this.#decided > mark && this.#shard.writing) return;
    const isDone = !this.#wantsOutcomes() || this.#limit(marks.head(this.row)) <= mark ||
      this.#env.deciderFor(this.plugin, this.key) === undefined;
    if (isDone) this.#shard.settled(this);
  }
}
