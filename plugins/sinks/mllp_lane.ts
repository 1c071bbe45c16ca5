/**
 * One connection to an MLLP receiver, and the queue before it: one message is on its way at a time, as MLLP has it, so
 * that an answer can only be that of the message before it. The connection stays open between messages.
 *
 * When a connection fails, all that waits before it fails with it, at once: each would only find out the same, one
 * time-out after the other. For a second after that nothing is tried.
 *
 * @module
 */
import { AnswerReader, framed } from "./mllp_frames.ts";

/** What a lane uses of a connection. */
export interface LaneConnection {
  read(into: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  close(): void;
}

/** How long things may take, ms. */
export interface LaneLimits {
  readonly answerMs: number;
  /** from asking for an exchange to its beginning */
  readonly waitMs: number;
}

/** What came of an exchange: what its reader made of an answer, or why there is none. */
export type Exchanged<T> =
  | { readonly state: "answered"; readonly value: T }
  | { readonly state: "failed"; readonly code: string; readonly text: string };

/** What an answer means; `isOutOfStep`: what comes next on this connection could be anybody's, so it is closed. */
export interface Meaning<T> {
  readonly value: T;
  readonly isOutOfStep: boolean;
}

interface Job<T> {
  readonly message: Uint8Array;
  readonly read: (answer: Uint8Array) => Meaning<T> | undefined;
  readonly askedMs: number;
  readonly resolve: (end: Exchanged<T>) => void;
}

const ANSWER_BYTES_MAX = 1024 * 1024;
const PAUSE_MS = 1_000;

/** One connection and its queue. */
export class MllpLane<T> {
  readonly #connect: () => Promise<LaneConnection>;
  readonly #limits: LaneLimits;
  readonly #queue: Job<T>[] = [];
  #isRunning = false;
  #connection: LaneConnection | null = null;
  #onAnswer: (answer: Uint8Array) => void = () => {};
  #onEnd: (why: string) => void = () => {};
  #failedMs = -Infinity;

  /** @param connect makes a connection, or rejects in its own time */
  constructor(connect: () => Promise<LaneConnection>, limits: LaneLimits) {
    this.#connect = connect;
    this.#limits = limits;
  }

  /** Sends a message when those before it are through, and reads answers until `read` makes something of one. */
  exchange(message: Uint8Array, read: (answer: Uint8Array) => Meaning<T> | undefined): Promise<Exchanged<T>> {
    return new Promise((resolve) => {
      this.#queue.push({ message, read, askedMs: performance.now(), resolve });
      if (!this.#isRunning) this.#run();
    });
  }

  /** Closes the connection; what waits fails. */
  close(): void {
    this.#drop("the sink is closed");
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    for (let job = this.#queue.shift(); job !== undefined; job = this.#queue.shift()) {
      const end = await this.#exchange(job);
      job.resolve(end);
      if (end.state === "answered" || end.code === "mllp/slow") continue;
      for (const waiting of this.#queue.splice(0)) waiting.resolve(end);
    }
    this.#isRunning = false;
  }

  async #exchange({ message, read, askedMs }: Job<T>): Promise<Exchanged<T>> {
    const nowMs = performance.now();
    if (nowMs - askedMs > this.#limits.waitMs) {
      return failed("mllp/slow", `the receiver answers too slowly for what waits`);
    }
    if (this.#connection === null && nowMs - this.#failedMs < PAUSE_MS) {
      return failed("mllp/unreachable", "a moment ago no connection could be made");
    }
    try {
      this.#connection ??= this.#opened(await this.#connect());
    } catch (error) {
      this.#failedMs = performance.now();
      return failed("mllp/unreachable", `no connection: ${(error as Error).message}`);
    }
    const connection = this.#connection;
    return await new Promise<Exchanged<T>>((resolve) => {
      const end = (exchanged: Exchanged<T>) => {
        clearTimeout(timer);
        this.#onAnswer = () => {};
        this.#onEnd = () => {};
        resolve(exchanged);
      };
      const timer = setTimeout(() => {
        end(failed("mllp/no-answer", `no answer in ${this.#limits.answerMs} ms`));
        // a late answer must not be taken for that of the next message
        this.#drop("no answer came in time");
      }, this.#limits.answerMs);
      this.#onEnd = (why) => end(failed("mllp/broken", why));
      this.#onAnswer = (answer) => {
        const meaning = read(answer);
        if (meaning === undefined) return;
        end({ state: "answered", value: meaning.value });
        if (meaning.isOutOfStep) this.#drop("the receiver's answers do not fit");
      };
      writeAll(connection, framed(message)).catch((error) => this.#drop((error as Error).message));
    });
  }

  // Read all the time, not only while an answer is due: so a receiver that closes an idle connection is noticed before
  // the next message is written into nowhere.
  #opened(connection: LaneConnection): LaneConnection {
    (async () => {
      const reader = new AnswerReader(ANSWER_BYTES_MAX);
      const buffer = new Uint8Array(16 * 1024);
      let why = "the receiver has closed the connection";
      try {
        for (;;) {
          const length = await connection.read(buffer);
          if (length === null || this.#connection !== connection) break;
          for (const answer of reader.push(buffer.subarray(0, length))) this.#onAnswer(answer);
        }
      } catch (error) {
        why = (error as Error).message;
      }
      if (this.#connection === connection) this.#drop(why);
    })();
    return connection;
  }

  #drop(why: string): void {
    const connection = this.#connection;
    this.#connection = null;
    try {
      connection?.close();
    } catch {
      // it was closed already
    }
    this.#onEnd(why);
  }
}

function failed(code: string, text: string) {
  return { state: "failed", code, text } as const;
}

async function writeAll(connection: LaneConnection, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}
