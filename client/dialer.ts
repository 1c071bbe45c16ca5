/**
 * One request, many doors: asks one node, and when it is gone or not able now, the next, until there is an answer or the
 * time is up. Like a caller with a list of telephone numbers and one question.
 *
 * The same message id goes with every attempt, so a message that was recorded by the first node whose answer got lost
 * is a duplicate at the second, not a second message. What cannot be repeated so (a rollback) is not.
 */
import { type Outcome, WaterparkError } from "../runtime/base/mod.ts";

/** How a client is set up. */
export interface ConnectOptions {
  /** bearer token */
  token?: string;
  /** a call ends within this time, with or without an answer; default 15 000 ms */
  deadlineMs?: number;
  /** with several nodes: how long one is waited for before the next is asked; default 5000 ms */
  attemptMs?: number;
  /**
   * when at no URL anybody listens: `"wait"` (default) until the deadline, as nodes come back; or `"fail"` after one
   * round, which suits somebody who waits at a prompt
   */
  whenNobody?: "wait" | "fail";
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
  /** ends the call from outside */
  signal?: AbortSignal;
}

/** The first pause between two rounds through all nodes, doubled up to {@linkcode PAUSE_MS_MAX}. */
const PAUSE_MS = 50;
const PAUSE_MS_MAX = 1000;

/** What an error answer says. */
interface ProblemBody {
  code?: string;
  outcome?: Outcome;
  detail?: string;
  retryAfterMs?: number;
}

/** Asks nodes. */
export class Dialer {
  /** where the nodes are, without a slash at the end */
  readonly urls: readonly string[];
  /** a call ends within this time */
  readonly deadlineMs: number;
  readonly #token: string | undefined;
  readonly #attemptMs: number;
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
    const endMs = Date.now() + this.deadlineMs;
    let mayBeApplied = false;
    let last: WaterparkError | null = null;
    /** what a node said last: worth more to the caller than that time was out in the middle of the next attempt */
    let told: WaterparkError | null = null;
    let unreached = 0;
    for (let attempt = 0;; attempt++) {
      const leftMs = endMs - Date.now();
      if (leftMs <= 0) throw ended(told ?? last, mayBeApplied);
      const failure = await this.#attempt<T>(question, leftMs);
      if (failure.state === "answer") return failure.value;
      last = failure.error;
      if (failure.status > 0) told = last;
      mayBeApplied ||= last.outcome === "unknown";
      if (!failure.isWorthAnother || (mayBeApplied && question.isRepeatable === false)) throw ended(last, mayBeApplied);
      unreached = last.code === "client/unreachable" ? unreached + 1 : 0;
      if (this.failsWhenNobody && unreached >= this.urls.length) throw ended(last, mayBeApplied);
      const isSlowDown = failure.status === 429;
      if (!isSlowDown) this.turn();
      const round = Math.floor((attempt + 1) / this.urls.length);
      const isRoundDone = (attempt + 1) % this.urls.length === 0;
      if (isSlowDown || isRoundDone) {
        const backOffMs = Math.min(PAUSE_MS_MAX, PAUSE_MS * 2 ** Math.min(round, 10)) * (0.5 + Math.random() / 2);
        const pauseMs = Math.max(backOffMs, isSlowDown ? last.retryAfterMs ?? 0 : 0);
        await pause(Math.min(pauseMs, Math.max(0, endMs - Date.now())), question.signal);
      }
    }
  }

  /**
   * One attempt at the current node, its answer unread. A network failure is `client/unreachable`.
   *
   * @param question what to ask
   * @param signal ends it, also while the answer is read
   */
  async open(question: Question, signal: AbortSignal): Promise<Response> {
    const headers = new Headers(question.headers);
    if (this.#token !== undefined) headers.set("authorization", `Bearer ${this.#token}`);
    const { method = "GET", body, isLook = method === "GET" } = question;
    try {
      const init = { method, headers, body: body as BodyInit | undefined, signal };
      return await this.#fetch(new Request(this.url + question.path, init));
    } catch (cause) {
      if (question.signal?.aborted) throw question.signal.reason;
      throw unreachable(this.url, { cause, isLook });
    }
  }

  async #attempt<T>(question: Question, leftMs: number): Promise<Attempt<T>> {
    const timeout = AbortSignal.timeout(this.urls.length > 1 ? Math.min(leftMs, this.#attemptMs) : leftMs);
    const signal = question.signal === undefined ? timeout : AbortSignal.any([timeout, question.signal]);
    try {
      const response = await this.open(question, signal);
      if (!response.ok) return await failed(response);
      const text = await response.text();
      const isJson = /\bjson\b/.test(response.headers.get("content-type") ?? "") && !/ndjson/.test(
        response.headers.get("content-type") ?? "",
      );
      return { state: "answer", value: (isJson ? JSON.parse(text) : text) as T };
    } catch (error) {
      if (question.signal?.aborted) throw question.signal.reason;
      const known = error instanceof WaterparkError
        ? error
        : unreachable(this.url, { cause: error, isLook: question.isLook ?? (question.method ?? "GET") === "GET" });
      return { state: "failed", error: known, status: 0, isWorthAnother: true };
    }
  }
}

type Attempt<T> =
  | { state: "answer"; value: T }
  | { state: "failed"; error: WaterparkError; status: number; isWorthAnother: boolean };

async function failed<T>(response: Response): Promise<Attempt<T>> {
  const isWorthAnother = response.status === 503 || response.status === 429 || response.status === 502;
  return { state: "failed", error: await problemIn(response), status: response.status, isWorthAnother };
}

/** The error that an answer of 400 and more is. */
export async function problemIn(response: Response): Promise<WaterparkError> {
  const text = await response.text().catch(() => "");
  let problem: ProblemBody = {};
  try {
    problem = JSON.parse(text) as ProblemBody;
  } catch {
    // a proxy's page
  }
  return new WaterparkError(
    problem.detail ?? `Cannot use the answer as it must be Waterpark's: HTTP ${response.status}`,
    {
      code: problem.code ?? "client/bad-answer",
      // whoever answered in the node's place cannot know
      outcome: problem.outcome ?? "unknown",
      retryAfterMs: problem.retryAfterMs,
    },
  );
}

function ended(last: WaterparkError | null, mayBeApplied: boolean): WaterparkError {
  if (last === null) {
    return new WaterparkError("Cannot ask as the deadline must lie ahead", {
      code: "client/unreachable",
      outcome: "not-applied",
    });
  }
  if (!mayBeApplied || last.outcome !== "not-applied") return last;
  // An earlier attempt may have done it, whatever the last one says of itself.
  return new WaterparkError(last.message, { code: last.code, outcome: "unknown", cause: last });
}

function unreachable(url: string, { cause, isLook }: { cause: unknown; isLook: boolean }): WaterparkError {
  const neverReached = isNeverReached(cause);
  const message = neverReached
    ? `Cannot reach "${url}" as a node must be listening there`
    : `Cannot tell how the request ended as the connection to "${url}" must last until the answer: it broke`;
  return new WaterparkError(message, {
    code: neverReached ? "client/unreachable" : "client/broken",
    // who only looked has changed nothing
    outcome: neverReached || isLook ? "not-applied" : "unknown",
    cause,
  });
}

/** Whether the request certainly did not arrive. Runtimes differ in how they say it, and only in words. */
function isNeverReached(error: unknown): boolean {
  for (
    let at = error as { name?: string; message?: string; code?: string; cause?: unknown } | undefined, depth = 0;
    at && depth < 5;
  ) {
    if (at.name === "NotCapable") return true;
    if (
      /client error \(Connect\)|connection refused|dns error|failed to lookup|requests to port \d+ are blocked/i.test(
        at.message ?? "",
      )
    ) return true;
    if (/^(ECONNREFUSED|ENOTFOUND|EHOSTUNREACH|ENETUNREACH)$/.test(at.code ?? "")) return true;
    at = at.cause as typeof at;
    depth++;
  }
  return false;
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
