/**
 * One version that does not decide, at work on one actor: an understudy who plays along behind the stage. It folds up to
 * where the committed outcomes are and never beyond, what it says is laid beside them, and nothing of it reaches the log.
 *
 * A sweep has it fold the history with nothing to compare: `goal` alone. Where the host has forgotten its session it
 * begins at the birth of the actor's life, as every version does; results before the first decision are dropped.
 */
import type { Effect } from "../effects/mod.ts";
import { asDecided, compareEffects } from "./compare.ts";
import type { DiffExample } from "./diff_book.ts";
import type { FoldAnswer, FoldMessage, FoldRequest, FoldResult } from "./fold.ts";
import type { ActorFoldJob, FoldPumps } from "./fold_pumps.ts";
import type { RestingVersions } from "./resting_versions.ts";

/** What was committed about the messages from `from` to `seq`; all but the last had no effects. */
export interface Decision {
  from: number;
  seq: number;
  /** of the version that decided */
  hash: string;
  effects: readonly Effect[];
  /** of the projections after `seq` */
  digest: string;
  /** code of the fault when the version could not handle `seq`; then `from` is `seq` */
  parked: string | null;
}

/** What a comparison came to: `examples` is empty where all was equal. */
export interface Compared {
  decision: Decision;
  /** messages in it */
  messages: number;
  examples: DiffExample[];
}

/** What a {@linkcode Shadow} is given. */
export interface ShadowOptions {
  plugin: string;
  /** the version that it is */
  hash: string;
  key: string;
  row: number;
  /** last seq of the actor's former lives */
  birth: number;
  pump: FoldPumps;
  resting: RestingVersions;
  /** messages behind `after`, up to `to`, as many as a call may have, and the switches that all of them see */
  slice(after: number, to: number): { messages: FoldMessage[]; switches: Record<string, boolean> };
  compared(result: Compared): void;
  /** could not handle `seq`, and goes no further */
  stuck(seq: number, code: string): void;
  /** has nothing to do */
  settled(): void;
}

/** Decisions of one actor that wait to be compared; past it, the oldest are not. */
export const DECISIONS_MAX = 64;
const DEATHS_MAX = 6;
const BEHINDS_MAX = 8;

/** See the module's header. */
export class Shadow implements ActorFoldJob {
  queued = false;
  suspect = false;
  readonly options: ShadowOptions;
  readonly key: string;
  readonly #decisions: Decision[] = [];
  /** what the decision that is being compared has brought so far */
  #found: DiffExample[] = [];
  /** up to where the decision that is being compared was gone through; -1: not begun */
  #midway = -1;
  #goal: number;
  #session = -1;
  #deaths = 0;
  /** the messages at which the host has died: gone through one by one */
  #blamed: { after: number; upTo: number } | null = null;
  #behinds = 0;
  #isOpen = false;
  #isOver = false;

  /** @param goal fold up to here, with nothing to compare; committed */
  constructor(options: ShadowOptions, goal: number) {
    this.options = options;
    this.key = options.key;
    this.#goal = goal;
  }

  /** see {@linkcode FoldJob} */
  get isMidway(): boolean {
    return this.#session > this.options.birth && this.#session < this.#target;
  }

  get #target(): number {
    return this.#decisions.at(-1)?.seq ?? this.#goal;
  }

  get #isBlamed(): boolean {
    return this.#blamed !== null && this.#session >= this.#blamed.after && this.#session < this.#blamed.upTo;
  }

  /** There is something to do. */
  wake(): void {
    if (!this.#isOpen && !this.#isOver) this.options.pump.enqueue(this);
  }

  /** Something was committed; answers how many messages will not be compared as there is no room for them. */
  decided(decision: Decision): number {
    let skipped = 0;
    if (this.#decisions.length >= DECISIONS_MAX) {
      const [oldest] = this.#decisions.splice(0, 1);
      this.#found = [];
      this.#midway = -1;
      skipped = oldest.seq - oldest.from + 1;
    }
    this.#decisions.push(decision);
    this.wake();
    return skipped;
  }

  /** Nobody wants it any more. */
  end(): void {
    this.#isOver = true;
  }

  begin(): FoldRequest | null {
    if (this.#isOver) return null;
    const { plugin, hash, key, birth, resting } = this.options;
    const target = this.#target;
    const first = this.#decisions[0];
    if (this.#session >= target && first === undefined) {
      this.#settle();
      return null;
    }
    if (resting.sleepIfResting(hash, this)) return null;
    // Where it should stand, if the host has kept its session; the host corrects us.
    if (this.#session < 0) this.#session = first === undefined ? target : Math.max(birth, first.from - 1);
    // A call ends where switches change, so a decision may need several; otherwise it is compared from its beginning.
    if (this.#session !== this.#midway) {
      this.#midway = -1;
      this.#found = [];
      if (first !== undefined && this.#session >= first.from) this.#session = birth;
    }
    const { messages, switches } = this.options.slice(this.#session, this.#isBlamed ? this.#session + 1 : target);
    this.#isOpen = true;
    return {
      plugin,
      hash,
      key,
      birth,
      after: this.#session,
      messages,
      wantProjections: false,
      resultsAfter: first === undefined ? Infinity : first.from - 1,
      fresh: false,
      switches,
    };
  }

  ended(request: FoldRequest, answer: FoldAnswer): void {
    this.#isOpen = false;
    if (this.#isOver) return;
    switch (answer.state) {
      case "ok":
        this.options.resting.isThere(request.hash);
        this.#session = answer.at;
        this.#behinds = 0;
        // to have come as far as where it began proves nothing
        if (answer.at >= (this.#blamed?.upTo ?? 0)) {
          this.#blamed = null;
          this.#deaths = 0;
          this.suspect = false;
        }
        this.#compare(request, answer.results);
        break;
      case "behind":
        this.#session = answer.at;
        if (++this.#behinds % BEHINDS_MAX === 0) this.options.pump.pause(this.key);
        break;
      case "fault":
        this.#session = answer.at - 1;
        this.#compare(request, answer.results);
        return this.#stuck(answer.at, answer.code);
      case "down":
        return this.#down(request, answer);
    }
    // A history that is not all there any more has nothing for us.
    if (answer.state === "ok" && request.messages.length === 0 && this.#decisions.length > 0) return this.#settle();
    this.wake();
  }

  #down(request: FoldRequest, { code, lonely }: FoldAnswer & { state: "down" }): void {
    if (code === "plugin_host/not-loaded") return this.options.resting.rest(request.hash, this);
    if (code === "plugin_host/does-not-load" || code === "plugin_host/closed") return this.#settle();
    this.options.pump.pause(this.key);
    this.#session = -1;
    if (code !== "plugin_host/busy") {
      this.suspect = true;
      this.#deaths++;
      const { after, messages: { length } } = request;
      this.#blamed = { after, upTo: Math.max(after + length, this.#blamed?.upTo ?? 0) };
      const first = request.messages[0];
      if (lonely && this.#deaths >= 2 && first !== undefined) return this.#stuck(first.seq, "plugin_host/killed-host");
      if (this.#deaths >= DEATHS_MAX) return this.#settle();
    }
    this.wake();
  }

  #compare({ after, messages }: FoldRequest, results: readonly FoldResult[]): void {
    const { key } = this.options;
    for (const { seq, effects, digest } of results) {
      const decision = this.#decisions[0];
      if (decision === undefined) return;
      if (seq < decision.from) continue;
      const isLast = seq === decision.seq;
      if (decision.parked !== null) {
        if (isLast) this.#add({ kind: "parked-by-old", key, seq, what: decision.parked });
      } else {
        const asked = asDecided(effects, messages[seq - after - 1]?.atMs ?? NaN);
        for (const { kind, what } of compareEffects(isLast ? decision.effects : [], asked)) {
          this.#add({ kind, key, seq, what });
        }
        if (isLast && digest !== decision.digest) this.#add({ kind: "projection", key, seq });
      }
      if (isLast) this.#next();
      else this.#midway = seq;
    }
  }

  #add(example: DiffExample): void {
    this.#found.push(example);
  }

  #next(): void {
    const decision = this.#decisions.shift()!;
    const examples = this.#found;
    this.#found = [];
    this.#midway = -1;
    this.options.compared({ decision, messages: decision.seq - decision.from + 1, examples });
  }

  /** The rest of the actor's messages are not compared: one fault is one difference, and not one for each that follows. */
  #stuck(seq: number, code: string): void {
    const decision = this.#decisions[0];
    if (decision !== undefined && seq >= decision.from) {
      if (decision.parked === null) this.#add({ kind: "parked-by-new", key: this.options.key, seq, what: code });
      this.#decisions[0] = { ...decision, seq };
      this.#next();
    } else if (decision !== undefined) {
      // It could not even fold what came before.
      this.#decisions[0] = { ...decision, from: seq, seq };
      this.#add({ kind: "parked-by-new", key: this.options.key, seq, what: code });
      this.#next();
    }
    this.options.stuck(seq, code);
    this.#settle();
  }

  #settle(): void {
    this.#isOver = true;
    this.options.settled();
  }
}
