import { type Outcome, WaterparkError } from "../base/mod.ts";

/** A header, query or field that is not what it must be. */
export function badRequest(message: string): WaterparkError {
  return new WaterparkError(message, { code: "gateway/bad-request", outcome: "not-applied" });
}

/** A JSON body that does not parse, or is nested too deep. */
export function badJson(message: string, cause?: unknown): WaterparkError {
  return new WaterparkError(message, { code: "gateway/bad-json", outcome: "not-applied", cause });
}

/** A line that is no receipt; `rule` says what it must be. */
export function badReceipt(rule: string): WaterparkError {
  return new WaterparkError(`Cannot audit the line as a receipt must be ${rule}`, {
    code: "gateway/bad-receipt",
    outcome: "not-applied",
  });
}

/** A content type that is missing, no content type, or of no use here. */
export function badContentType(message: string): WaterparkError {
  return new WaterparkError(message, { code: "gateway/bad-content-type", outcome: "not-applied" });
}

/** A body or line over its limit. */
export function tooLarge(what: string, bytesMax: number): WaterparkError {
  return new WaterparkError(`Cannot take the ${what} as it must have at most ${bytesMax} bytes`, {
    code: "gateway/too-large",
    outcome: "not-applied",
  });
}

/** Nothing at this address. */
export function notFound(message: string): WaterparkError {
  return new WaterparkError(message, { code: "gateway/not-found", outcome: "not-applied" });
}

/** Nobody who may ask. */
export function unauthorized(): WaterparkError {
  return new WaterparkError("Cannot answer the request as it must carry a known bearer token", {
    code: "gateway/unauthorized",
    outcome: "not-applied",
  });
}

/** The rooms below did not answer in time. */
export function pastDeadline(deadlineMs: number, outcome: Outcome): WaterparkError {
  return new WaterparkError(`Cannot answer the request as it must end within ${deadlineMs} ms`, {
    code: "gateway/deadline",
    outcome,
  });
}

/** More comes than this node gets done: not even looked at. */
export function busy(): WaterparkError {
  return new WaterparkError("Cannot take the message as this node has more under way than it gets done in time", {
    code: "gateway/busy",
    outcome: "not-applied",
    retryAfterMs: 1000,
  });
}

/** As many streams are open as may be. */
export function tooManyStreams(openStreamsMax: number): WaterparkError {
  return new WaterparkError(`Cannot open the stream as at most ${openStreamsMax} may be open`, {
    code: "gateway/too-many-streams",
    outcome: "not-applied",
    retryAfterMs: 5000,
  });
}

/** The gateway is going down. */
export function closing(): WaterparkError {
  return new WaterparkError("Cannot open the stream as the node is closing: ask another", {
    code: "gateway/closing",
    outcome: "not-applied",
    retryAfterMs: 1000,
  });
}
