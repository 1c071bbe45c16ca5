/**
 * What a caller may conclude when a request has ended in an error: `not-applied`, send it again; `applied`, only the
 * answer was lost; `unknown`, send it again under the same id.
 */
export type Outcome = "not-applied" | "applied" | "unknown";

/** What {@linkcode WaterparkError} carries beside its message. */
export interface WaterparkErrorOptions {
  /** Stable name of the failure, `room/what`; `waterpark explain CODE` knows it. */
  code: string;
  /** What the caller may conclude. */
  outcome: Outcome;
  /** How long to wait before the same request makes sense again, in ms. */
  retryAfterMs?: number;
  /** The inner error. */
  cause?: unknown;
}

/**
 * The end of a request. Its message reads `Cannot <action> "<value>" as <rule>: <present state>`.
 *
 * @example
 * ```ts
 * import { WaterparkError } from "./errors.ts";
 * const error = new WaterparkError("Cannot post as the queue is full: 4096 messages", {
 *   code: "mailroom/busy",
 *   outcome: "not-applied",
 *   retryAfterMs: 200,
 * });
 * if (error.code !== "mailroom/busy") throw error;
 * ```
 */
export class WaterparkError extends Error {
  /** `WaterparkError` */
  override name = "WaterparkError";
  /** Stable name of the failure, `room/what`. */
  readonly code: string;
  /** What the caller may conclude. */
  readonly outcome: Outcome;
  /** How long to wait before the same request makes sense again, in ms. */
  readonly retryAfterMs: number | undefined;

  /** `message`: what cannot be done, by which rule, and what is so at present. */
  constructor(message: string, options: WaterparkErrorOptions) {
    super(message, { cause: options.cause });
    this.code = options.code;
    this.outcome = options.outcome;
    this.retryAfterMs = options.retryAfterMs;
  }
}
