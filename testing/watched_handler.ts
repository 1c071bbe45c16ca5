import { isDeepStrictEqual } from "node:util";
import type { HandlerDefinition, HandlerHistory, HandlerMessage, HandlerResult } from "../runtime/plugin_host/mod.ts";
import { purely } from "./pure_guard.ts";

/** What a handler does that it may not, at one message. */
export interface Problem {
  /**
   * The rule that it breaks: `total` (handles every message), `pure`, `plain data`, `effects`, `replay`, `bounded`,
   * `indifferent to ...`, or the name of an invariant.
   */
  rule: string;
  /** the message at which it shows, its place in the history from 1; 0: in the history as a whole */
  seq: number;
  /** what is wrong, in a sentence */
  text: string;
}

/** How {@linkcode watched} looks. */
export interface WatchOptions {
  /** true: a handler may change the projections and messages that it is given */
  mayChangeInputs: boolean;
  /** told of each problem; the first of a call is the one that counts */
  onProblem(problem: Problem): void;
}

/**
 * The same handler, each call watched: it is made with clock, chance and the outside locked away, its arguments are
 * compared with what they were, and it is made twice. What the handler answers, or throws, goes on unchanged.
 */
export function watched<P>(handler: HandlerDefinition<P>, options: WatchOptions): HandlerDefinition<P> {
  return {
    ...handler,
    handle(key, projections, message, history, switches) {
      const problem = (text: string) => options.onProblem({ rule: "pure", seq: message.seq, text });
      const inputs = { key, projections, message, history, switches };
      const before = shapesOf(inputs);
      const copies = { key: copy(key), projections: copy(projections), switches: copy(switches) };
      const call = (given: Inputs<P>) =>
        purely(() => handler.handle(given.key, given.projections, given.message, given.history, given.switches));

      const first = call(inputs);
      if (first.touched !== "") problem(`uses ${first.touched}: take message.at and message.id`);
      const changed = changeIn(before, shapesOf(inputs));
      if (changed !== null && !options.mayChangeInputs) {
        problem(`changes ${changed} in place${placeOfChange(call, { ...inputs, ...copies }, changed, before)}`);
      } else if (changed === null && first.touched === "") {
        const second = call({ ...inputs, ...copies });
        const difference = differenceOf(first.end, second.end);
        if (difference !== "") problem(`answers ${difference} the second time, of the same arguments`);
      }
      if ("value" in first.end) return first.end.value;
      if (first.missed !== "") problem(`uses ${first.missed}, which is not there in a plugin's context`);
      throw first.end.thrown;
    },
  };
}

/** The same handler with clock, chance and the outside locked away, and nothing else. */
export function locked<P>(handler: HandlerDefinition<P>): HandlerDefinition<P> {
  return {
    ...handler,
    handle(...args) {
      const { end } = purely(() => handler.handle(...args));
      if ("value" in end) return end.value;
      throw end.thrown;
    },
  };
}

interface Inputs<P> {
  key: Parameters<HandlerDefinition<P>["handle"]>[0];
  projections: P;
  message: HandlerMessage;
  history: HandlerHistory;
  switches: Record<string, boolean>;
}

type Shapes = Record<string, string>;

function shapesOf(inputs: Inputs<unknown>): Shapes {
  const { id, seq, at, type, contentType } = inputs.message;
  return {
    projections: JSON.stringify(inputs.projections),
    "message.body": shapeOfBody(inputs.message),
    message: JSON.stringify([id, seq, at, type, contentType]),
    history: String(inputs.history.length),
    key: JSON.stringify(inputs.key),
    switches: JSON.stringify(inputs.switches),
  };
}

function shapeOfBody(message: HandlerMessage): string {
  try {
    const { body } = message;
    return body instanceof Uint8Array ? body.join() : JSON.stringify(body);
  } catch {
    // not what its media type says; whether the handler stands that is another question
    return "";
  }
}

function changeIn(before: Shapes, after: Shapes): string | null {
  return Object.keys(before).find((name) => before[name] !== after[name]) ?? null;
}

// Where it happens: the same call with everything frozen throws at that line.
function placeOfChange<P>(
  call: (given: Inputs<P>) => { end: { value: unknown } | { thrown: unknown } },
  { message: { ...message }, ...inputs }: Inputs<P>,
  changed: string,
  before: Shapes,
): string {
  const { body } = message;
  const isPlain = typeof body === "object" && body !== null && Object.getPrototypeOf(body) === Object.prototype;
  if (changed === "message.body" && isPlain) Object.assign(message, { body: JSON.parse(before[changed]) });
  freeze([message, inputs.projections, inputs.key, inputs.switches]);
  const { end } = call({ ...inputs, message });
  const stack = "thrown" in end ? `${(end.thrown as Error)?.stack}` : "";
  return placeIn(stack);
}

/** The first line of a stack: ` (census.ts:17)`; `""` where there is none. */
export function placeIn(stack: string): string {
  const frame = /\n\s+at .*?([^/(\s]+:\d+):\d+\)?(?=\n|$)/.exec(stack);
  return frame === null ? "" : ` (${frame[1]})`;
}

function freeze(value: unknown): void {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value) || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const each of Object.values(value)) freeze(each);
}

function copy<T>(value: T): T {
  return JSON.parse(JSON.stringify(value));
}

type End<P> = { value: HandlerResult<P> } | { thrown: unknown };

function differenceOf(first: End<unknown>, second: End<unknown>): string {
  if ("thrown" in first || "thrown" in second) return "thrown" in first && "thrown" in second ? "" : "otherwise";
  const [one, other] = [first.value, second.value];
  if (!Array.isArray(one) || !Array.isArray(other)) return "";
  if (isDifferent(one[1], other[1])) return "other projections";
  return isDifferent(one[2], other[2]) ? "other effects" : "";
}

function isDifferent(one: unknown, other: unknown): boolean {
  try {
    const [first, second] = [JSON.stringify(one), JSON.stringify(other)];
    // the order of fields does not matter: the host sorts them
    return first !== second && !isDeepStrictEqual(JSON.parse(first), JSON.parse(second));
  } catch {
    return false; // no plain data, which the host says better
  }
}
