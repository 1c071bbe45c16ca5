/**
 * How a failure looks to an HTTP client: RFC 9457 `application/problem+json`, with Waterpark's `code` and `outcome`.
 *
 * The status is for proxies and people, the `outcome` for programs: it alone says whether to send again. The status
 * follows from the code, so that a room below need not know HTTP: what it calls `conflict` is 409, `precondition` 412,
 * `too-fast` 429, `unknown-...` 404, `bad-...` 400; whatever else fails is 503, "not now".
 */
import { type Outcome, WaterparkError } from "../base/mod.ts";

/** The body of an error answer. */
export interface Problem {
  /** always `about:blank`: the code says it */
  type: "about:blank";
  /** the status in words */
  title: string;
  /** HTTP status */
  status: number;
  /** what happened, one sentence */
  detail: string;
  /** stable name, `room/what` */
  code: string;
  /** what the caller may conclude */
  outcome: Outcome;
  /** when the same request makes sense again, in ms; as Retry-After, but exact */
  retryAfterMs?: number;
  /** with 412: the actor's last seq */
  seq?: number;
  /** the message's id, so that it can be sent again under the same */
  id?: string;
}

/** What a failure is made of; a refusal of the node's has this shape, and so has a {@linkcode WaterparkError}. */
export interface Failure {
  code: string;
  outcome: Outcome;
  message: string;
  retryAfterMs?: number;
  seq?: number;
  id?: string;
}

const TITLES: Record<number, string> = {
  400: "Bad Request",
  401: "Unauthorized",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  412: "Precondition Failed",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  429: "Too Many Requests",
  500: "Internal Server Error",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

const STATUS_OF_CODE: Record<string, number> = {
  "gateway/unauthorized": 401,
  "gateway/method-not-allowed": 405,
  "gateway/bad-content-type": 415,
  "gateway/bug": 500,
  "actors/unknown": 404,
  "actors/history-too-long": 413,
  "plugin_host/does-not-compile": 400,
  "plugin_host/does-not-load": 400,
  "actors/retired": 404,
  // of functions and sinks: they have been asked, and asking again is the caller's affair
  "plugin_host/threw": 500,
  "plugin_host/bad-answer": 500,
  "plugin_host/deadline": 504,
  "plugin_host/check-failed": 409,
  "effects/not-delivered": 409,
  // what somebody must look at first: to ask again changes nothing
  "node/diff-not-accepted": 409,
  "node/other-actors": 409,
  "node/superseded": 409,
  // versions that do not know each other's questions: another node may
  "node/unknown-request": 503,
  // of the topology's refusals only these pass by themselves
  "topology/no-writer": 503,
  "topology/behind": 503,
  "topology/not-created": 503,
  "topology/not-born": 503,
};

const STATUS_OF_WHAT: [RegExp, number][] = [
  [/^(unknown|no-such)-|^not-found$/, 404],
  [/(^|-)conflict$/, 409],
  [/^precondition$/, 412],
  [/(^|-)too-large$/, 413],
  [/^too-fast$/, 429],
  [/^bad-|^not-(hl7|a-plugin|plain-data)$|^no-key$/, 400],
];

const RETRY_AFTER_MS = 1000;

/** The HTTP status that a code means. */
export function statusOf(code: string): number {
  const what = code.slice(code.indexOf("/") + 1);
  const otherwise = code.startsWith("topology/") ? 409 : 503;
  return STATUS_OF_CODE[code] ?? STATUS_OF_WHAT.find(([pattern]) => pattern.test(what))?.[1] ?? otherwise;
}

/** The problem that a failure is; 429 and 503 always say when to come back. */
export function problemOf(failure: Failure): Problem {
  const status = statusOf(failure.code);
  const retryAfterMs = failure.retryAfterMs ?? (status === 429 || status === 503 ? RETRY_AFTER_MS : undefined);
  return {
    type: "about:blank",
    title: TITLES[status] ?? "Error",
    status,
    detail: failure.message,
    code: failure.code,
    outcome: failure.outcome,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(failure.seq === undefined ? {} : { seq: failure.seq }),
    ...(failure.id === undefined ? {} : { id: failure.id }),
  };
}

/** What was thrown, as a failure. Anything but a WaterparkError is a bug of ours, whose text stays inside. */
export function failureOf(error: unknown): Failure {
  if (error instanceof WaterparkError) return error;
  return {
    code: "gateway/bug",
    outcome: "unknown",
    message: "Cannot answer the request as the gateway failed: see the node's log",
  };
}

/** The problem as an HTTP answer. */
export function problemResponse(failure: Failure, headers: Record<string, string> = {}): Response {
  const problem = problemOf(failure);
  const retry: Record<string, string> = problem.retryAfterMs === undefined
    ? {}
    : { "retry-after": String(Math.max(1, Math.ceil(problem.retryAfterMs / 1000))) };
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: { "content-type": "application/problem+json", ...retry, ...headers },
  });
}
