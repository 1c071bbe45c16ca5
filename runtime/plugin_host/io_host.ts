/**
 * One plugin that touches the outside, as the node sees it: its process, the calls to it, and what it asks of the node.
 *
 * The process is started by the first call and anew when it has died, after a while that grows. Calls have a deadline;
 * what waits is bounded; deliveries that come in one turn go as one call.
 *
 * @module
 */
import type { Timer, World } from "../world/mod.ts";
import { type HostProcess, type SpawnHost } from "./host_process.ts";
import { endsOf } from "./io_ends.ts";
import type { IoAbout } from "./io_manifest.ts";
import { spawnIoProcess } from "./io_process.ts";
import { decodeIo, encodeDeliveries, encodeIo, IO_FRAME, type IoFrame } from "./io_protocol.ts";
import type { Delivery, DeliveryEnd } from "./io_sdk.ts";

/** How a call ended. */
export type IoAnswer =
  | { readonly state: "ok"; readonly value: unknown; readonly blobs: readonly Uint8Array[] }
  | { readonly state: "failed"; readonly code: string; readonly text: string };

/** What a plugin asks of its node: `send`, `read`, `cursor`, `keep`. */
export type IoQuestion = (
  verb: string,
  // deno-lint-ignore no-explicit-any -- comes out of a plugin: whoever answers checks
  value: any,
  bytes: Uint8Array | null,
  done: (answer: { value: unknown } | { code: string; text: string; outcome?: string }) => void,
) => void;

/** What an {@linkcode IoHost} is given. */
export interface IoHostOptions {
  world: World;
  /** one ECMAScript module */
  bundle: Uint8Array;
  /** what the plugin declares; its process gets these permissions */
  about: IoAbout;
  /** answers the plugin; left out: nothing is answered */
  onAsk?: IoQuestion;
  /** the process has ended by itself, or has been ended */
  onDeath?(reason: string): void;
  /** starts the process; for tests */
  spawn?: SpawnHost;
}

/** What it has done so far. */
export interface IoStats {
  /** calls that were answered */
  calls: number;
  /** ends of its process that nobody wanted */
  deaths: number;
  /** calls under way, and waiting */
  open: number;
  isRunning: boolean;
}

interface Call {
  readonly number: number;
  /** 0: none */
  readonly deadlineMs: number;
  readonly frame: Uint8Array;
  readonly done: (answer: IoAnswer) => void;
  timer: Timer | null;
}

/** Calls that wait for a place; more are refused. */
const WAITING_MAX = 1_000;
/** Deliveries that wait for a call; more are refused. */
const DELIVERIES_MAX = 10_000;
const BATCH_BYTES_MAX = 8 * 1024 * 1024;
const BACK_OFF_MS = 250;
const BACK_OFF_MS_MAX = 15_000;
/** What a process needs to start and load, at most. */
const START_MS = 15_000;
/** So many deadlines missed in a row, and the process begins anew. */
const MISSED_MAX = 3;
/** Where the number of calls under way is not declared. */
const OPEN_MAX = 64;
const BATCH_MAX = 100;

/** See the file's header. */
export class IoHost {
  readonly #options: IoHostOptions;
  readonly #world: World;
  readonly #waiting: Call[] = [];
  readonly #sent = new Map<number, Call>();
  #deliveries: { delivery: Delivery; done: (end: DeliveryEnd) => void }[] = [];
  #gathering = false;
  #child: HostProcess | null = null;
  #isReady = false;
  #isClosed = false;
  #lastCall = 0;
  #missed = 0;
  #backOffMs = 0;
  #isResting = false;
  #calls = 0;
  #deaths = 0;
  #start: Timer | null = null;
  #onceEnded: (() => void) | null = null;

  /** Starts nothing yet. */
  constructor(options: IoHostOptions) {
    this.#options = options;
    this.#world = options.world;
  }

  /** what it declares */
  get about(): IoAbout {
    return this.#options.about;
  }

  /** Carries a delivery out, together with others of this turn; `done` is called once. */
  deliver(delivery: Delivery, done: (end: DeliveryEnd) => void): void {
    if (this.#isClosed || this.#deliveries.length >= DELIVERIES_MAX) {
      const code = this.#isClosed ? "plugin_host/closed" : "plugin_host/busy";
      return this.#world.soon(() => done({ state: "retry", code, text: "the sink takes no more now" }));
    }
    this.#deliveries.push({ delivery, done });
    this.#gather();
  }

  /** Has a function answer; the value is `{status, headers}`, the first bytes are the body. */
  fetch(request: { method: string; url: string; headers: [string, string][] }, body: Uint8Array): Promise<IoAnswer> {
    return this.#asking(IO_FRAME.fetch, request, [body], this.#callMs);
  }

  /** Has a sink try its target. */
  check(): Promise<IoAnswer> {
    return this.#asking(IO_FRAME.check, null, [], this.#callMs);
  }

  /** Runs a source until it ends, or {@linkcode stop} is called; resolves then. */
  run(): Promise<IoAnswer> {
    return this.#asking(IO_FRAME.run, null, [], 0);
  }

  /** Has the source end; where it does not within its call's time, its process is ended. */
  stop(): void {
    if (this.#child === null) return;
    this.#child.send(encodeIo(IO_FRAME.stop, 0, null));
    const child = this.#child;
    this.#world.after(this.#callMs, () => {
      if (this.#child === child && this.#sent.size > 0) child.kill("plugin_host/stuck");
    });
  }

  /** What it has done so far. */
  stats(): IoStats {
    const open = this.#sent.size + this.#waiting.length + this.#deliveries.length;
    return { calls: this.#calls, deaths: this.#deaths, open, isRunning: this.#isReady };
  }

  /** Ends the process; what is open is answered `plugin_host/closed`. Resolves when it has ended. */
  close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#isClosed = true;
    this.#start?.cancel();
    const ended = new Promise<void>((resolve) => this.#onceEnded = resolve);
    if (this.#child === null) this.#onceEnded?.();
    else this.#child.kill("plugin_host/closed");
    this.#failAll("plugin_host/closed");
    for (const { done } of this.#deliveries.splice(0)) {
      done({ state: "retry", code: "plugin_host/closed", text: "the sink is closed" });
    }
    return ended;
  }

  get #callMs(): number {
    return this.#options.about.limits.callMs ?? 30_000;
  }

  get #openMax(): number {
    return this.#options.about.limits.openMax ?? OPEN_MAX;
  }

  #asking(kind: number, head: unknown, blobs: Uint8Array[], deadlineMs: number): Promise<IoAnswer> {
    return new Promise((resolve) => {
      const number = this.#nextCall();
      let frame: Uint8Array;
      try {
        frame = encodeIo(kind, number, head, blobs);
      } catch (error) {
        const { code, message } = error as { code: string; message: string };
        return resolve({ state: "failed", code, text: message });
      }
      this.#call({ number, frame, deadlineMs, done: resolve, timer: null });
    });
  }

  #nextCall(): number {
    return this.#lastCall = (this.#lastCall + 1) >>> 0;
  }

  #call(call: Call): void {
    if (this.#isClosed || this.#waiting.length >= WAITING_MAX) {
      const code = this.#isClosed ? "plugin_host/closed" : "plugin_host/busy";
      return this.#world.soon(() => call.done({ state: "failed", code, text: "the plugin takes no more calls now" }));
    }
    this.#waiting.push(call);
    // Whoever waits for a process that does not come up waits no longer than for one that does not answer.
    if (call.deadlineMs > 0) call.timer = this.#world.after(call.deadlineMs, () => this.#missedBy(call));
    this.#pump();
  }

  #gather(): void {
    if (this.#gathering) return;
    this.#gathering = true;
    this.#world.soon(() => {
      this.#gathering = false;
      this.#flush();
    });
  }

  /** Makes calls out of deliveries while there is room: what comes meanwhile makes the next ones larger. */
  #flush(): void {
    const batchMax = this.#options.about.batchMax ?? BATCH_MAX;
    while (this.#deliveries.length > 0 && this.#sent.size + this.#waiting.length < this.#openMax) {
      let count = 0;
      let bytes = 0;
      while (count < Math.min(batchMax, this.#deliveries.length) && (count === 0 || bytes < BATCH_BYTES_MAX)) {
        bytes += this.#deliveries[count++].delivery.bytes.length;
      }
      const batch = this.#deliveries.splice(0, count);
      const number = this.#nextCall();
      const done = (answer: IoAnswer) => {
        const ends = answer.state === "ok" ? endsOf(answer.value, batch.length) : null;
        batch.forEach((one, i) =>
          one.done(ends?.[i] ?? { ...answer as { code: string; text: string }, state: "retry" })
        );
        this.#gather();
      };
      const frame = encodeDeliveries(number, batch.map((one) => one.delivery));
      this.#call({ number, frame, deadlineMs: this.#callMs, done, timer: null });
    }
  }

  #pump(): void {
    if (!this.#isReady) return this.#begin();
    while (this.#waiting.length > 0 && this.#sent.size < this.#openMax) {
      const call = this.#waiting.shift()!;
      this.#sent.set(call.number, call);
      this.#child!.send(call.frame);
    }
  }

  #begin(): void {
    if (this.#child !== null || this.#isClosed || this.#isResting) return;
    const { permissions, limits: { heapMiB = 256 } } = this.#options.about;
    const spawn = this.#options.spawn ??
      ((events) => spawnIoProcess({ world: this.#world, permissions, heapMiB }, events));
    try {
      let child: HostProcess | null = null;
      const isPresent = () => child !== null && child === this.#child;
      this.#child = child = spawn({
        onFrame: (frame) => isPresent() && this.#take(frame),
        onExit: (reason) => isPresent() && this.#died(reason),
      });
      child.send(encodeIo(IO_FRAME.load, 0, null, [this.#options.bundle]));
      this.#start = this.#world.after(START_MS, () => child?.kill("plugin_host/stuck"));
    } catch {
      this.#died("plugin_host/no-process");
    }
  }

  #take(bytes: Uint8Array): void {
    let frame: IoFrame;
    try {
      frame = decodeIo(bytes);
    } catch {
      return this.#child?.kill("plugin_host/bad-answer");
    }
    if (frame.kind === IO_FRAME.loaded) return this.#loaded(frame);
    if (frame.kind === IO_FRAME.ask) return this.#asked(frame);
    const call = this.#sent.get(frame.call);
    if (frame.kind !== IO_FRAME.answer || call === undefined) return;
    this.#sent.delete(frame.call);
    call.timer?.cancel();
    this.#missed = 0;
    this.#calls++;
    call.done(answerOf(frame));
    this.#pump();
  }

  #loaded(frame: IoFrame): void {
    this.#start?.cancel();
    const answer = answerOf(frame);
    if (answer.state === "failed") return this.#child?.kill(answer.code);
    this.#isReady = true;
    this.#backOffMs = 0;
    this.#pump();
  }

  #asked({ call, head, blobs }: IoFrame): void {
    const child = this.#child;
    const answer = (value: unknown) => {
      if (this.#child === child) child?.send(encodeIo(IO_FRAME.told, call, value));
    };
    const refused = { code: "plugin_host/bad-question", text: "there is nothing that a plugin can ask here" };
    if (this.#options.onAsk === undefined) return answer(refused);
    this.#options.onAsk(String(head?.verb), head?.value, blobs[0] ?? null, answer);
  }

  #missedBy(call: Call): void {
    const isSent = this.#sent.delete(call.number);
    const at = this.#waiting.indexOf(call);
    if (at >= 0) this.#waiting.splice(at, 1);
    else if (!isSent) return;
    const text = `no answer within ${call.deadlineMs} ms`;
    call.done({ state: "failed", code: "plugin_host/deadline", text });
    if (isSent && ++this.#missed >= MISSED_MAX) this.#child?.kill("plugin_host/stuck");
    this.#pump();
  }

  #died(reason: string): void {
    this.#child = null;
    this.#isReady = false;
    this.#missed = 0;
    this.#start?.cancel();
    if (this.#isClosed) return this.#onceEnded?.();
    this.#deaths++;
    this.#options.onDeath?.(reason);
    this.#backOffMs = Math.min(BACK_OFF_MS_MAX, Math.max(BACK_OFF_MS, this.#backOffMs * 2));
    this.#isResting = true;
    this.#world.after(this.#backOffMs, () => {
      this.#isResting = false;
      if (this.#waiting.length > 0) this.#pump();
    });
    this.#failAll(reason);
  }

  #failAll(code: string): void {
    // Those that wait for a process that does not load are not kept waiting for the next one, which will not either.
    const calls = [...this.#sent.values(), ...this.#waiting.splice(0)];
    this.#sent.clear();
    for (const call of calls) {
      call.timer?.cancel();
      call.done({ state: "failed", code, text: "the plugin's process has ended" });
    }
  }
}

function answerOf({ head, blobs }: IoFrame): IoAnswer {
  if (typeof head?.code !== "string") return { state: "ok", value: head?.value, blobs };
  return { state: "failed", code: head.code, text: String(head.text ?? "") };
}
