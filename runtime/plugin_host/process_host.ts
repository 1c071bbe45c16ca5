/**
 * Plugins in a process of their own, seen from the node: what is asked of it, what becomes of that when it dies, and
 * who is to blame. A pure core: its child comes from a `SpawnHost`, its time from the world.
 *
 * The host is a cook behind a wall with one hatch: orders go in numbered and come out in order. When the kitchen burns
 * down, all open orders are void and a new cook stands there 30 ms later. Whose dish it was is not asked of the ashes:
 * the suspects are cooked again one at a time, and one that burns the kitchen alone is the one.
 *
 * Costs about 60 us for a call that waits for its answer, 10 to 20 us of each side's CPU. Wrong when a plugin needs
 * more than one core: then there are more of them, see `host_pool.ts`.
 *
 * @module
 */
import { assert } from "../base/mod.ts";
import type { Fold, FoldAnswer, FoldRequest } from "../actors/mod.ts";
import type { Timer, World } from "../world/mod.ts";
import { PROCESS_HOST_CONFIG, type ProcessHostConfig } from "./config.ts";
import { decodeHostFrame, encodeFold, encodeTexts, HOST_FRAME, type HostWord } from "./host_protocol.ts";
import { type HostProcess, type SpawnHost, spawnHostProcess } from "./host_process.ts";
import { type LoadAnswer, VersionShelf } from "./version_shelf.ts";

/** What a {@linkcode ProcessHost} has done so far. */
export interface ProcessHostStats {
  /** calls answered by the host */
  folds: number;
  /** processes that ended unasked */
  deaths: number;
  /** calls without an answer, sent ones included */
  open: number;
  /** actors and versions that are run alone since a death */
  suspects: number;
  /** the process takes calls */
  isReady: boolean;
}

interface Call {
  number: number;
  request: { hash: string; key: string; after: number; count: number };
  frame: Uint8Array;
  done: (answer: FoldAnswer) => void;
}

/** What a {@linkcode ProcessHost} is made of. */
export interface ProcessHostOptions {
  world: World;
  /** what differs from {@linkcode PROCESS_HOST_CONFIG} */
  config?: Partial<ProcessHostConfig>;
  /** told of each process that ended unasked, with a code and the number of open calls */
  onDeath?: (reason: string, openCalls: number) => void;
  /** how a process is started; for tests */
  spawn?: SpawnHost;
}

/** A plugin host process and its calls. */
export class ProcessHost {
  readonly #world: World;
  readonly #config: ProcessHostConfig;
  readonly #spawn: SpawnHost;
  readonly #onDeath: (reason: string, openCalls: number) => void;
  readonly #versions: VersionShelf;
  readonly #waiting: Call[] = [];
  readonly #sent = new Map<number, Call>();
  /** (hash, key) of calls that were open at a death */
  readonly #suspects = new Map<string, Suspicion>();
  #child: HostProcess | null = null;
  #isReady = false;
  /** the one call on its way is a suspect's */
  #isAlone = false;
  #isClosed = false;
  #bytes = 0;
  #lastCall = 0;
  #lastSignMs = 0;
  #bornMs = 0;
  #backOffMs = 0;
  #folds = 0;
  #deaths = 0;
  #tick: Timer | null = null;
  #onceEnded: (() => void) | null = null;
  #ended: Promise<void> | null = null;

  /** Starts nothing yet. */
  constructor(options: ProcessHostOptions) {
    this.#world = options.world;
    const config = this.#config = { ...PROCESS_HOST_CONFIG, ...options.config };
    this.#onDeath = options.onDeath ?? (() => {});
    this.#spawn = options.spawn ??
      ((events) => spawnHostProcess({ world: options.world, ...config }, events));
    this.#versions = new VersionShelf(config.versionsMax);
    assert(
      config.silenceMs >= config.deadlineMs * 4 + 500,
      "a host is silent for 4 deadlines while it gives a slow message its second try",
    );
  }

  /** Starts the process; does nothing when there is one. */
  start(): void {
    if (this.#child !== null || this.#isClosed) return;
    this.#bornMs = this.#lastSignMs = this.#world.nowMonoMs();
    try {
      let child: HostProcess | null = null;
      // A process that was given up may still say something: only the present one is listened to.
      const isPresent = () => child !== null && child === this.#child;
      this.#child = child = this.#spawn({
        onFrame: (frame) => isPresent() && this.#take(frame),
        onExit: (reason) => isPresent() && this.#died(reason),
      });
      const { sessionsMax, sessionBytesMax, deadlineMs, sliceMessages, callsTried } = this.#config;
      const limits = { sessionsMax, sessionBytesMax, deadlineMs, sliceMessages, callsTried };
      child.send(encodeTexts(HOST_FRAME.setup, [JSON.stringify(limits)]));
    } catch {
      this.#died("plugin_host/no-process"); // not permitted, or no memory: tried again
    }
    this.#tick ??= this.#world.after(this.#config.tickMs, () => this.#watch());
  }

  /**
   * Takes a version in; it stays through the deaths of processes. Calls made from now on wait for it.
   *
   * @param hash SHA-256 of `bundle`, hexadecimal: the version
   * @param name the plugin's, for stack traces
   * @param bundle what `bundlePlugin` made
   * @param done told once how the first loading ended
   */
  load(hash: string, name: string, bundle: Uint8Array, done: (answer: LoadAnswer) => void = () => {}): void {
    const refusal = this.#versions.put({ hash, name, bundle, done });
    if (refusal !== null) this.#world.soon(() => done(refusal));
    this.#pump();
  }

  /** Forgets a version. Calls for it that wait are answered `plugin_host/not-loaded`. */
  unload(hash: string): void {
    if (this.#versions.remove(hash) && this.#isReady) this.#child?.send(encodeTexts(HOST_FRAME.unload, [hash]));
  }

  /** Folds, see the fold protocol in `runtime/actors/fold.ts`. */
  readonly fold: Fold = (request, done) => {
    const refusal = this.#refusalOf(request);
    if (refusal !== null) return this.#world.soon(() => done(refusal));
    const number = this.#lastCall = (this.#lastCall + 1) >>> 0;
    const frame = encodeFold(number, request);
    this.#bytes += frame.length;
    const { hash, key, after, messages } = request;
    this.#waiting.push({ number, request: { hash, key, after, count: messages.length }, frame, done });
    this.#pump();
  };

  /** What it has done so far. */
  stats(): ProcessHostStats {
    return {
      folds: this.#folds,
      deaths: this.#deaths,
      open: this.#waiting.length + this.#sent.size,
      suspects: this.#suspects.size,
      isReady: this.#isReady,
    };
  }

  /** Ends the process; open calls are answered `down`. Resolves when it has ended. */
  close(): Promise<void> {
    if (this.#ended !== null) return this.#ended;
    this.#isClosed = true;
    this.#tick?.cancel();
    const child = this.#child;
    this.#ended = new Promise<void>((resolve) => this.#onceEnded = resolve);
    if (child === null) this.#onceEnded?.();
    else child.kill("plugin_host/closed");
    const calls = [...this.#sent.values(), ...this.#waiting.splice(0)];
    this.#sent.clear();
    this.#bytes = 0;
    for (const call of calls) {
      this.#world.soon(() => call.done({ state: "down", lonely: false, code: "plugin_host/closed" }));
    }
    return this.#ended;
  }

  #refusalOf(request: FoldRequest): FoldAnswer | null {
    const down = (code: string): FoldAnswer => ({ state: "down", lonely: false, code });
    if (this.#isClosed) return down("plugin_host/closed");
    if (!this.#versions.has(request.hash)) return down("plugin_host/not-loaded");
    let bytes = this.#bytes;
    request.messages.forEach((message, i) => {
      assert(message.seq === request.after + i + 1, "the messages of a fold are the next ones, without a gap");
      bytes += message.payload.length;
    });
    const isFull = this.#waiting.length + this.#sent.size >= this.#config.callsMax || bytes > this.#config.callBytesMax;
    return isFull ? down("plugin_host/busy") : null;
  }

  /** Sends what may be sent now: versions first and alone, then calls; those of suspects one at a time, and alone. */
  #pump(): void {
    if (!this.#isReady || this.#child === null || this.#versions.isLoading) return;
    const next = this.#versions.next();
    if (next !== null) {
      if (this.#sent.size > 0) return;
      this.#lastSignMs = this.#world.nowMonoMs();
      this.#versions.begin(next);
      this.#child.send(encodeTexts(HOST_FRAME.load, [next.hash, next.name], next.bundle));
      return;
    }
    while (this.#waiting.length > 0) {
      const call = this.#waiting[0];
      const settled = this.#versions.verdictOn(call.request);
      const isSuspect = this.#suspects.size > 0 && this.#suspects.has(suspectOf(call));
      if (settled === null && this.#sent.size > 0) {
        if (isSuspect || this.#isAlone || this.#sent.size >= this.#config.windowCalls) return;
      }
      this.#waiting.shift();
      if (settled !== null) {
        this.#bytes -= call.frame.length;
        this.#world.soon(() => call.done(settled));
        continue;
      }
      if (this.#sent.size === 0) this.#lastSignMs = this.#world.nowMonoMs();
      this.#isAlone = isSuspect;
      this.#sent.set(call.number, call);
      this.#child.send(call.frame);
    }
  }

  #take(frame: Uint8Array): void {
    this.#lastSignMs = this.#world.nowMonoMs();
    let told: HostWord;
    try {
      told = decodeHostFrame(frame);
    } catch {
      this.#child?.kill("plugin_host/bad-answer");
      return;
    }
    if (told.word === "ready") this.#isReady = true;
    else if (told.word === "loaded") this.#versions.settle(told.hash, told.answer);
    else if (told.word === "answer") this.#answered(told);
    this.#pump();
  }

  #answered({ call: number, answer }: { call: number; answer: FoldAnswer }): void {
    const call = this.#sent.get(number);
    if (call === undefined) return;
    this.#sent.delete(number);
    this.#bytes -= call.frame.length;
    if (this.#suspects.size > 0) this.#clear(call, answer);
    this.#folds++;
    call.done(answer);
  }

  /** Who has come through all that it was asked at the death is none any more; to have come half way proves nothing. */
  #clear(call: Call, answer: FoldAnswer): void {
    const suspicion = this.#suspects.get(suspectOf(call));
    if (suspicion === undefined || answer.state === "behind" || answer.state === "down") return;
    if (answer.at >= suspicion.upTo) this.#suspects.delete(suspectOf(call));
  }

  #died(reason: string): void {
    this.#child = null;
    this.#isReady = false;
    if (this.#isClosed) return this.#onceEnded?.();
    const nowMs = this.#world.nowMonoMs();
    const calls = [...this.#sent.values()];
    this.#sent.clear();
    this.#deaths++;
    this.#versions.died(reason);
    this.#onDeath(reason, calls.length);
    for (const call of calls) {
      this.#bytes -= call.frame.length;
      const { after, count } = call.request;
      this.#suspects.set(suspectOf(call), { upTo: after + count, untilMs: nowMs + this.#config.suspectMs });
    }
    const lonely = calls.length === 1;
    for (const call of calls) call.done({ state: "down", lonely, code: reason });
    const { backOffMs, backOffMsMax } = this.#config;
    const hasLived = nowMs - this.#bornMs > backOffMsMax * 2;
    this.#backOffMs = hasLived ? 0 : Math.min(backOffMsMax, Math.max(backOffMs, this.#backOffMs * 2));
    this.#world.after(this.#backOffMs, () => this.start());
  }

  #watch(): void {
    this.#tick = this.#world.after(this.#config.tickMs, () => this.#watch());
    const nowMs = this.#world.nowMonoMs();
    for (const [suspect, { untilMs }] of this.#suspects) {
      if (nowMs > untilMs) this.#suspects.delete(suspect);
    }
    this.#pump();
    const owes = this.#sent.size > 0 || this.#versions.isLoading || !this.#isReady;
    const patienceMs = this.#isReady ? this.#config.silenceMs : this.#config.startMs;
    if (owes && this.#child !== null && nowMs - this.#lastSignMs > patienceMs) this.#child.kill("plugin_host/stuck");
  }
}

/** What it takes to be let off: an answer about the message that came last at the death, or time. */
interface Suspicion {
  upTo: number;
  untilMs: number;
}

function suspectOf({ request: { hash, key } }: Call): string {
  return `${hash} ${key}`;
}
