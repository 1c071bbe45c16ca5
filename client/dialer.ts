/**
 * One request, many doors: asks one node, and when it is gone or not able now, the next, until there is an answer or the
 * time is up. Like a caller with a list of telephone numbers and one question. When somebody has picked up and says
 * nothing, he takes a second telephone and dials the next number, without hanging up the first.
 *
 * The same message id goes with every attempt, so a message that was recorded by the first node whose answer got lost
 * is a duplicate at the second, not a second message. What cannot be repeated so (a rollback) is not.
 */
import { WaterparkError } from "../runtime/base/mod.ts";
import { ended, problemIn, unreachable } from "./failures.ts";
import { Patience, type QuestionKind } from "./patience.ts";

/** How a client is set up. */
export interface ConnectOptions {
  /** bearer token */
  token?: string;
  /** a call ends within this time, with or without an answer; default 15 000 ms */
  deadlineMs?: number;
  /** with several nodes: how long one is waited for before the next is asked; default 5000 ms */
  attemptMs?: number;
  /**
   * with several nodes: one that has not answered a send or a read after so long is waited for still, and the next is
   * asked as well; the first answer counts. Longer where answers usually take longer. Default 1000 ms; `Infinity`: never
   */
  hedgeMs?: number;
  /**
   * when at no URL anybody listens: `"wait"` (default) until the deadline, as nodes come back; or `"fail"` after one
   * round, which suits somebody who waits at a prompt
   */
  whenNobody?: "wait" | "fail";
  /**
   * how messages are sent; all else always goes by HTTP. `"http"` (default): a request each, which any proxy lets pass, and
   * a program ends when it is done. `"websocket"`: over connections that are kept, many messages in one piece, straight to
   * the node that writes the actor, and in order; `client.close()` ends them. Where no WebSocket gets through, they go by
   * HTTP all the same
   */
  wire?: "http" | "websocket";
  /** in place of the platform's `fetch`: tests, proxies */
  fetch?: (request: Request) => Response | Promise<Response>;
}

/** What a call asks for. */
export interface Question {
  method?: "GET" | "POST" | "PUT" | "DELETE";
  path: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  /** false: another attempt could do it twice; default true */
  isRepeatable?: boolean;
  /** true: it changes nothing, whatever its method, so a lost answer leaves nothing open; default: if it is a GET */
  isLook?: boolean;
  /** of what kind it is, if two nodes may be asked at the same time; left out: they may not */
  kind?: QuestionKind;
  /** ends the call from outside */
  signal?: AbortSignal;
}

/** The first pause between two rounds through all nodes, doubled up to {@linkcode PAUSE_MS_MAX}. */
const PAUSE_MS = 50;
const PAUSE_MS_MAX = 1000;

/** Asks nodes. */
export class Dialer {
  /** where the nodes are, without a slash at the end */
  readonly urls: readonly string[];
  /** a call ends within this time */
  readonly deadlineMs: number;
  readonly #token: string | undefined;
  readonly #attemptMs: number;
  readonly #patience: Patience;
  /** somebody waits at a prompt */
  readonly failsWhenNobody: boolean;
  readonly #fetch: (request: Request) => Response | Promise<Response>;
  #current = 0;

  /** @throws {WaterparkError} `client/bad-url` */
  constructor(urls: readonly string[], options: ConnectOptions) {
    for (const url of urls) {
      if (!URL.canParse(url) || !/^https?:/.test(url)) {
        throw new WaterparkError(`Cannot connect to "${url}" as it must be an http or https URL`, {
          code: "client/bad-url",
          outcome: "not-applied",
        });
      }
    }
    if (urls.length === 0) {
      throw new WaterparkError("Cannot connect as there must be at least one URL", {
        code: "client/bad-url",
        outcome: "not-applied",
      });
    }
    this.urls = urls.map((url) => url.replace(/\/+$/, ""));
    this.deadlineMs = options.deadlineMs ?? 15_000;
    this.#token = options.token;
    this.#attemptMs = options.attemptMs ?? 5000;
    this.#patience = new Patience(options.hedgeMs ?? 1000);
    this.failsWhenNobody = options.whenNobody === "fail";
    this.#fetch = options.fetch ?? ((request) => fetch(request));
  }

  /** The node asked next. */
  get url(): string {
    return this.urls[this.#current];
  }

  /** From now on another node is asked first. */
  turn(): void {
    this.#current = (this.#current + 1) % this.urls.length;
  }

  /**
   * The answer to `question`, as JSON.
   *
   * @throws {WaterparkError} the node's own code and outcome; `client/unreachable` when none was reached (outcome
   * `not-applied`) or the connection broke (`unknown`)
   */
  async ask<T>(question: Question): Promise<T> {
    return (await this.answerTo<T>(question)).value;
  }

  /** As {@linkcode ask}, with `isOnly`: no other attempt can have done, or do yet, what this answer says was not done. */
  async answerTo<T>(question: Question): Promise<{ value: T; isOnly: boolean }> {
    const running: Running<T> = new Map();
    const losers = new AbortController();
    try {
      return await this.#ask(question, running, losers.signal);
    } finally {
      if (running.size > 0) losers.abort();
    }
  }

  async #ask<T>(
    question: Question,
    running: Running<T>,
    over: AbortSignal,
  ): Promise<{ value: T; isOnly: boolean }> {
    const endMs = Date.now() + this.deadlineMs;
    const start = (at: number) => {
      asked = at;
      running.set(at, this.#attempt<T>(question, { at, leftMs: Math.max(1, endMs - Date.now()), over }));
    };
    let asked = this.#current;
    let mayBeApplied = false;
    let last: WaterparkError | null = null;
    /** what a node said last: worth more to the caller than that time was out in the middle of the next attempt */
    let told: WaterparkError | null = null;
    /** it stays, but another attempt that is still under way may have done what this one says that it did not */
    let refusal: WaterparkError | null = null;
    let unreached = 0;
    let failures = 0;
    while (true) {
      const leftMs = endMs - Date.now();
      if (running.size === 0) {
        if (refusal !== null || leftMs <= 0) throw ended(refusal ?? told ?? last, mayBeApplied);
        start(this.#current);
      }
      const isHedged: boolean = running.size === 1 && this.urls.length > 1 && question.kind !== undefined &&
        refusal === null;
      const patienceMs: number = isHedged ? this.#patience.hedgeAfterMs(question.kind!) : Infinity;
      const result: Attempt<T> | null = await soonest([...running.values()], patienceMs);
      if (result === null) {
        const next = (asked + 1) % this.urls.length;
        start(running.has(next) ? (next + 1) % this.urls.length : next);
        continue;
      }
      running.delete(result.at);
      if (result.state === "answer") {
        if (question.kind !== undefined) this.#patience.learn(question.kind, result.tookMs);
        // whom this one has overtaken would keep the next question waiting, too
        if (running.has(this.#current)) this.#current = result.at;
        return { value: result.value, isOnly: !mayBeApplied && running.size === 0 };
      }
      last = result.error;
      if (result.status > 0) told = last;
      mayBeApplied ||= last.outcome === "unknown";
      if (!result.isWorthAnother || (mayBeApplied && question.isRepeatable === false)) {
        if (running.size === 0 || isLook(question)) throw ended(last, mayBeApplied);
        refusal = last;
        continue;
      }
      if (refusal !== null) continue;
      failures++;
      unreached = last.code === "client/unreachable" ? unreached + 1 : 0;
      if (this.failsWhenNobody && unreached >= this.urls.length) throw ended(last, mayBeApplied);
      const isSlowDown = result.status === 429;
      // another call may have turned away from it already
      if (!isSlowDown && this.#current === result.at) this.turn();
      if (running.size > 0) continue;
      const round = Math.floor(failures / this.urls.length);
      const isRoundDone = failures % this.urls.length === 0;
      if (isSlowDown || isRoundDone) {
        const backOffMs = Math.min(PAUSE_MS_MAX, PAUSE_MS * 2 ** Math.min(round, 10)) * (0.5 + Math.random() / 2);
        const pauseMs = Math.max(backOffMs, isSlowDown ? last.retryAfterMs ?? 0 : 0);
        await pause(Math.min(pauseMs, Math.max(0, endMs - Date.now())), question.signal);
      }
    }
  }

  /**
   * One attempt, its answer unread. A network failure is `client/unreachable`.
   *
   * @param question what to ask
   * @param signal ends it, also while the answer is read
   * @param url whom to ask; default: the current node
   */
  async open(question: Question, signal: AbortSignal, url = this.url): Promise<Response> {
    const headers = new Headers(question.headers);
    if (this.#token !== undefined) headers.set("authorization", `Bearer ${this.#token}`);
    const { method = "GET", body } = question;
    try {
      const init = { method, headers, body: body as BodyInit | undefined, signal };
      return await this.#fetch(new Request(url + question.path, init));
    } catch (cause) {
      if (question.signal?.aborted) throw question.signal.reason;
      throw unreachable(url, { cause, isLook: isLook(question) });
    }
  }

  async #attempt<T>(
    question: Question,
    { at, leftMs, over }: { at: number; leftMs: number; over: AbortSignal },
  ): Promise<Attempt<T>> {
    const startMs = Date.now();
    const url = this.urls[at];
    const timeout = AbortSignal.timeout(this.urls.length > 1 ? Math.min(leftMs, this.#attemptMs) : leftMs);
    const signal = AbortSignal.any([timeout, over, ...(question.signal === undefined ? [] : [question.signal])]);
    try {
      const response = await this.open(question, signal, url);
      if (!response.ok) return await failed(response, at);
      const text = await response.text();
      const isJson = /\bjson\b/.test(response.headers.get("content-type") ?? "") && !/ndjson/.test(
        response.headers.get("content-type") ?? "",
      );
      const value = (isJson ? JSON.parse(text) : text) as T;
      return { state: "answer", at, value, tookMs: Date.now() - startMs };
    } catch (error) {
      if (question.signal?.aborted) throw question.signal.reason;
      const known = error instanceof WaterparkError
        ? error
        : unreachable(url, { cause: error, isLook: isLook(question) });
      return { state: "failed", at, error: known, status: 0, isWorthAnother: true };
    }
  }
}

/** Attempts under way, by the node's place among the URLs: two at most. */
type Running<T> = Map<number, Promise<Attempt<T>>>;

/** How one attempt ended; `at` is the node's place among the URLs. */
type Attempt<T> =
  | { state: "answer"; at: number; value: T; tookMs: number }
  | { state: "failed"; at: number; error: WaterparkError; status: number; isWorthAnother: boolean };

async function failed<T>(response: Response, at: number): Promise<Attempt<T>> {
  const { status } = response;
  const isWorthAnother = status === 503 || status === 429 || status === 502;
  return { state: "failed", at, error: await problemIn(response), status, isWorthAnother };
}

function isLook({ method = "GET", isLook = method === "GET" }: Question): boolean {
  return isLook;
}

/** What ends first of `running`; null after `ms`. */
async function soonest<T>(running: readonly Promise<T>[], ms: number): Promise<T | null> {
  if (ms === Infinity) return await Promise.race(running);
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<null>((resolve) => timer = setTimeout(() => resolve(null), ms));
  try {
    return await Promise.race([...running, late]);
  } finally {
    clearTimeout(timer!);
  }
}

/** Resolves after `ms`, or rejects with the signal's reason. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal!.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  });
}
