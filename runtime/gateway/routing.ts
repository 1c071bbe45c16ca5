/**
 * What all routes share: the node behind them, and strict reading of paths, queries and headers.
 */
import type { Context } from "@hono/hono";
import {
  formatKey,
  type FullKey,
  fullKey,
  KEY_PART_UNITS_MAX,
  type Outcome,
  parseKey,
  WaterparkError,
} from "../base/mod.ts";
import type { World } from "../world/mod.ts";
import type { Admission } from "./admission.ts";
import { withDeadline } from "./body.ts";
import { badRequest } from "./errors.ts";
import type { GatewayLimits } from "./limits.ts";
import type { OpenStreams } from "./open_streams.ts";
import type { NodeService } from "./service.ts";

/** What a route works with. */
export interface Gateway {
  service: NodeService;
  world: World;
  limits: GatewayLimits;
  streams: OpenStreams;
  admission: Admission;
  /** told of everything that failed without a code: a bug of ours */
  onBug?: (error: unknown) => void;
}

/** Answers one request; what it throws becomes a problem. */
export type Handler = (c: Context) => Response | Promise<Response>;

/** Adds a route to the app. */
export type Route = (method: "GET" | "POST" | "PUT" | "DELETE", path: string, handler: Handler) => void;

/** Who asks: the name of the token, `unknown` where it has none, or nobody needs one. */
export function callerOf(c: Context): string {
  return c.get("caller") ?? "unknown";
}

/** The node's answer within the request's deadline. */
export function inTime<T>({ world, limits }: Gateway, outcome: Outcome, promise: Promise<T>): Promise<T> {
  return withDeadline(promise, { world, deadlineMs: limits.requestDeadlineMs, outcome });
}

/**
 * The decoded parts of the path from `first` on. Cut from the raw path: the router's own parameters let broken
 * percent-encoding pass as it is, and two spellings would then be two actors.
 *
 * @throws {WaterparkError} `base/bad-key`
 */
export function pathParts(c: Context, first: number, count: number): string[] {
  const url = c.req.url;
  const from = url.indexOf("/", url.indexOf("://") + 3);
  const path = url.slice(from).split(/[?#]/, 1)[0];
  return path.split("/").slice(first, first + count).map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      throw new WaterparkError("Cannot read the path as its percent-encoding is broken", {
        code: "base/bad-key",
        outcome: "not-applied",
      });
    }
  });
}

/**
 * The actor's key in a path whose part `first` is the kind.
 *
 * @throws {WaterparkError} `base/bad-key`
 */
export function keyInPath(c: Context, first: number): FullKey {
  const [kind, facility, id] = pathParts(c, first, 3);
  return fullKey({ kind, facility, id });
}

/**
 * A whole number in the query, or undefined.
 *
 * @throws {WaterparkError} `gateway/bad-request`
 */
export function numberInQuery(
  c: Context,
  name: string,
  { min, max }: { min: number; max: number },
): number | undefined {
  const text = c.req.query(name);
  if (text === undefined) return undefined;
  const value = wholeNumber(text);
  if (value === undefined || value < min || value > max) {
    throw badRequest(`Cannot read the query's ${name} as it must be a whole number from ${min} to ${max}`);
  }
  return value;
}

/** The number that decimal digits are, if they are; else undefined. */
export function wholeNumber(text: string): number | undefined {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  return Number.isSafeInteger(value) ? value : undefined;
}

/** The longest message id and message type, in UTF-16 units. */
export const NAME_UNITS_MAX = 200;

/**
 * A message id or type from outside, checked.
 *
 * @throws {WaterparkError} `gateway/bad-request`
 */
export function checkedName(what: "message id" | "message type", text: string): string {
  if (isPrintable(text)) return text;
  if (text.length > NAME_UNITS_MAX || /\p{Cc}/u.test(text) || !text.isWellFormed()) {
    throw badRequest(
      `Cannot take the ${what} as it must be at most ${NAME_UNITS_MAX} characters without control characters`,
    );
  }
  return text;
}

/** Short and ASCII, as nearly all names are: seen in 20 ns, where the rule's own expressions take 200. */
function isPrintable(text: string): boolean {
  if (text.length > NAME_UNITS_MAX) return false;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 || unit > 0x7e) return false;
  }
  return true;
}

/**
 * The canonical text of a key that a stranger wrote as a text.
 *
 * @throws {WaterparkError} `base/bad-key`
 */
export function canonicalKey(text: string): string {
  let slashes = 0;
  let isPlain = text.length <= KEY_PART_UNITS_MAX;
  for (let i = 0, before = 0x2f; i <= text.length && isPlain; i++) {
    const unit = i === text.length ? 0x2f : text.charCodeAt(i);
    // No part is empty, or begins with a point: "." and ".." are no names.
    if (unit === 0x2f) {
      isPlain = before !== 0x2f;
      slashes++;
    } else isPlain = unit >= 0x20 && unit <= 0x7e && unit !== 0x25 && (unit !== 0x2e || before !== 0x2f);
    before = unit;
  }
  if (isPlain && slashes === 3) return text;
  return isPlain && slashes === 2 ? `patient/${text}` : formatKey(parseKey(text));
}

/** An answer of 200, or of another status, as JSON. */
export function json(body: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json", ...headers } });
}
