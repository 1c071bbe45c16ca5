/**
 * Requests: one node asks another something that is no message to an actor: to join, to read, to apply a command.
 * A request has a number, a deadline and exactly one end; answers to ended requests are ignored.
 */
import { WaterparkError } from "../base/mod.ts";
import { log } from "../telemetry/mod.ts";
import { ByteReader, ByteWriter, FRAME, FRAME_BYTES_MAX, type Lane, LANE_MESSAGE, pack, unpack } from "../wire/mod.ts";
import type { Timer, World } from "../world/mod.ts";

/** What a request led to. */
export type RequestResult =
  | { ok: true; value: unknown }
  | { ok: false; code: string; outcome: "not-applied" | "applied" | "unknown"; message: string };

/** Answers a request of a peer; `done` at most once. */
export type RequestHandler = (body: unknown, done: (result: RequestResult) => void, from: number) => void;

interface Open {
  to: number;
  timer: Timer;
  done: (result: RequestResult) => void;
}

/** Requests that one node may have open; beyond, they fail at once. */
const OPEN_MAX = 16_384;
/** What fits into a frame beside the number and the name. */
const BODY_BYTES_MAX = FRAME_BYTES_MAX - 4096;

/** Both ends of requests. */
export class Requests {
  readonly #world: World;
  readonly #send: (to: number, lane: Lane, type: number, payload: Uint8Array) => boolean;
  readonly #self: number;
  readonly #handlers = new Map<string, RequestHandler>();
  readonly #open = new Map<number, Open>();
  readonly #writer = new ByteWriter();
  #number = 0;

  constructor(
    options: {
      world: World;
      self: number;
      send: (to: number, lane: Lane, type: number, payload: Uint8Array) => boolean;
    },
  ) {
    this.#world = options.world;
    this.#send = options.send;
    this.#self = options.self;
  }

  /** Answers requests of this name with `handler`. */
  handle(method: string, handler: RequestHandler): void {
    this.#handlers.set(method, handler);
  }

  /** Asks `to`; `done` is called exactly once, after `timeoutMs` at the latest. */
  ask(
    to: number,
    method: string,
    body: unknown,
    options: { timeoutMs: number; done: (result: RequestResult) => void },
  ): void {
    if (to === this.#self) return this.#answer(method, body, to, options.done);
    const number = this.#number = (this.#number + 1) >>> 0;
    if (this.#open.size >= OPEN_MAX) {
      options.done(failed("node/busy", "not-applied", "Cannot ask another node as too many requests are open"));
      return;
    }
    const timer = this.#world.after(options.timeoutMs, () => {
      this.#end(number, failed("node/no-answer", "unknown", `Cannot get an answer to "${method}": time is out`));
    });
    this.#open.set(number, { to, timer, done: options.done });
    const bytes = pack(body);
    if (bytes.length > BODY_BYTES_MAX) {
      this.#end(
        number,
        failed("node/too-large", "not-applied", `Cannot ask for "${method}" as the question is too large`),
      );
      return;
    }
    const payload = this.#writer.u32(number).text(method).raw(bytes).take();
    if (!this.#send(to, LANE_MESSAGE, FRAME.REQUEST, payload)) {
      this.#end(number, failed("node/unreachable", "not-applied", "Cannot ask another node as no link to it is up"));
    }
  }

  /** The link to a peer is down: what was asked there has an unknown outcome. */
  peerDown(incarnation: number): void {
    for (const [number, open] of [...this.#open]) {
      if (open.to === incarnation) {
        this.#end(number, failed("node/no-answer", "unknown", "Cannot get an answer: link lost"));
      }
    }
  }

  /** A request or response frame has arrived. */
  receive(from: number, type: number, payload: Uint8Array): void {
    const reader = new ByteReader(payload);
    const number = reader.u32();
    if (type === FRAME.RESPONSE) {
      const value = readResult(unpack(reader.raw(reader.left)));
      if (this.#open.get(number)?.to === from) this.#end(number, value);
      return;
    }
    const method = reader.text();
    const body = unpack(reader.raw(reader.left));
    this.#answer(method, body, from, (result) => {
      let bytes = pack(result);
      if (bytes.length > BODY_BYTES_MAX) {
        bytes = pack(failed("node/too-large", "unknown", `Cannot answer "${method}" as the answer is too large`));
      }
      this.#send(from, LANE_MESSAGE, FRAME.RESPONSE, this.#writer.u32(number).raw(bytes).take());
    });
  }

  #answer(method: string, body: unknown, from: number, done: (result: RequestResult) => void): void {
    let answered = false;
    const answer = (result: RequestResult) => {
      if (answered) return;
      answered = true;
      done(result);
    };
    const handler = this.#handlers.get(method);
    if (handler === undefined) {
      answer(failed("node/unknown-request", "not-applied", "Cannot answer as this version does not know the request"));
      return;
    }
    try {
      handler(body, answer, from);
    } catch (error) {
      // Its text may quote what was asked for; the name says enough to look for it.
      if (!(error instanceof WaterparkError)) {
        log("node").error("defect in {method}: {name}", { method, name: (error as Error)?.name });
      }
      answer(failedBy(error));
    }
  }

  /** Ends everything open. */
  close(): void {
    for (const number of [...this.#open.keys()]) {
      this.#end(number, failed("node/closing", "unknown", "Cannot get an answer as this node is closing"));
    }
  }

  #end(number: number, result: RequestResult): void {
    const open = this.#open.get(number);
    if (open === undefined) return;
    this.#open.delete(number);
    open.timer.cancel();
    open.done(result);
  }
}

/** The result that a peer sent, whatever that peer is. */
function readResult(value: unknown): RequestResult {
  const result = value as Partial<RequestResult & { ok: false }> | null;
  if (typeof result === "object" && result !== null) {
    if (result.ok as unknown === true) return result as RequestResult;
    const { ok, code, outcome, message } = result;
    const isFailure = ok === false && typeof code === "string" && typeof message === "string" &&
      (outcome === "not-applied" || outcome === "applied" || outcome === "unknown");
    if (isFailure) return { ok, code, outcome, message };
  }
  return failed("node/bad-answer", "unknown", "Cannot read the answer as it must be one: the peer speaks otherwise");
}

/** A failed result. */
export function failed(code: string, outcome: "not-applied" | "applied" | "unknown", message: string): RequestResult {
  return { ok: false, code, outcome, message };
}

/** The failed result of an error; what is no WaterparkError is our own bug and says nothing about its text. */
export function failedBy(error: unknown): RequestResult {
  if (error instanceof WaterparkError) return failed(error.code, error.outcome, error.message);
  return failed("node/bug", "unknown", "Cannot answer as of a defect; the node's log has it");
}

/** The error of a failed result. */
export function errorOf(result: RequestResult & { ok: false }): WaterparkError {
  return new WaterparkError(result.message, { code: result.code, outcome: result.outcome });
}
