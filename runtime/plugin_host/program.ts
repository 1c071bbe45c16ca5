/**
 * The program of a handler: what a bundle's entry wraps around the plugin's own module, so that how messages are read,
 * results checked and digests made is part of the bundle and of its hash. A node of another version runs the same
 * bundle to the same digests.
 *
 * Everything that crosses its border is a string or a number. The host holds the sessions; what is remembered here is
 * a copy, lost without harm when the context is thrown away in the middle of a call.
 *
 * @module
 */
import { checkedHandle } from "./checked_handle.ts";
import { EFFECTS_MAX, packEffect, problemOfEffect } from "./effect_check.ts";
import { messageOf, type Row, RowHistory } from "./history.ts";
import { canonicalText, digestOfText } from "./plain_data.ts";
import { type HandlerDefinition, problemOfDefinition } from "./sdk.ts";

const { parse, stringify } = JSON;
const { isArray } = Array;
const { isMissed } = RowHistory;

/** Raised when a host of an older version could not run a bundle's program. */
export const PROGRAM_ABI = 1;

/**
 * Code of a fault that is none, and leaves no host: the handler looked at a history of which only the length is here,
 * see `lean`.
 */
export const NEEDS_HISTORY = "plugin_host/needs-history";

/** Longest text of projections, and of the effects of one message, in UTF-16 units. */
export const PLAIN_UNITS_MAX = 1024 * 1024;

/** What a program says of itself, as JSON. */
export interface ProgramAbout {
  abi: number;
  name: string;
  /** kind of the actors that it handles */
  actorKind: string;
  /** what is wrong with it; `""` when nothing is */
  problem: string;
}

/** What `run` answers before the line end, as JSON; after it stand the projections' text. */
export interface RunHeader {
  /** per message: digest of the projections, and the text of the effects or `""` for none */
  results: [string, string][];
  /** why the message after the last result was not handled */
  fault: { code: string; message: string; stack: string } | null;
}

/** A bundle's default export. */
export interface Program {
  /** {@linkcode ProgramAbout} as JSON */
  about(): string;
  /** begins to remember a session; the first message that is folded in it has the seq after `birth`, by default 0 */
  open(session: number, kind: string, facility: string, id: string, birth?: number): void;
  /** adds a message that was folded before */
  remember(session: number, id: string, at: number, type: string, contentType: string, raw: string): void;
  /**
   * Keeps no messages of a session from now on, only their number: `count` were folded before. A handler that looks at
   * one ends the run with the fault {@linkcode NEEDS_HISTORY}. Not there in bundles of old.
   */
  lean?(session: number, count: number): void;
  /** forgets a session */
  close(session: number): void;
  /** says what the next `run` is about; `projections` is `""` at birth, `switches` is JSON */
  arm(session: number, projections: string, switches: string): void;
  /** adds a message for the next `run` */
  stage(id: string, at: number, type: string, contentType: string, raw: string): void;
  /** folds what was staged: {@linkcode RunHeader} as JSON, a line end, the projections' text */
  run(): string;
}

interface Memory {
  kind: string;
  facility: string;
  id: string;
  birth: number;
  /** how many were folded */
  count: number;
  /** null: they are not kept */
  rows: Row[] | null;
}

class PluginFault extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** The program of what a plugin's module exports by default. Never throws: `about` tells what is wrong. */
export function programOf(exported: unknown): Program {
  let definition = exported as HandlerDefinition;
  const memories = new Map<number, Memory>();
  let initial = "";
  let problem = "";
  let bounds = NO_BOUNDS;
  try {
    problem = problemOfDefinition(exported);
    if (problem === "") {
      definition = { ...definition, handle: checkedHandle(definition) };
      bounds = boundsOf(definition);
      initial = canonicalText(definition.initial, { name: "initial", unitsMax: bounds.projectionsUnitsMax });
    }
  } catch (error) {
    problem = (error as Error).message;
  }

  let staged: Row[] = [];
  let armed = { session: 0, projections: "", switches: "{}" };

  return {
    about: () =>
      stringify({
        abi: PROGRAM_ABI,
        name: problem === "" ? definition.name : "",
        actorKind: problem === "" ? definition.kind : "",
        problem,
      }),
    open: (session, kind, facility, id, birth = 0) =>
      void memories.set(session, { kind, facility, id, birth, count: 0, rows: [] }),
    remember: (session, id, at, type, contentType, raw) =>
      keep(memories.get(session)!, { id, at, type, contentType, raw }),
    lean(session, count) {
      const memory = memories.get(session)!;
      memory.count = count;
      memory.rows = null;
    },
    close: (session) => void memories.delete(session),
    arm: (session, projections, switches) => void (armed = { session, projections, switches }),
    stage: (id, at, type, contentType, raw) => void (staged[staged.length] = { id, at, type, contentType, raw }),
    run() {
      const rows = staged;
      staged = [];
      const memory = memories.get(armed.session)!;
      let projections = armed.projections === "" ? initial : armed.projections;
      const header: RunHeader = { results: [], fault: null };
      for (const row of rows) {
        try {
          const decided = handle(definition, { memory, projections, row, bounds, switches: armed.switches });
          projections = decided.projections;
          header.results[header.results.length] = [digestOfText(projections), decided.effects];
          keep(memory, row);
        } catch (error) {
          header.fault = faultOf(error);
          break;
        }
      }
      return stringify(header) + "\n" + projections;
    },
  };
}

function keep(memory: Memory, row: Row): void {
  if (memory.rows !== null) memory.rows[memory.count] = row;
  memory.count++;
}

interface Turn {
  memory: Memory;
  projections: string;
  row: Row;
  bounds: Bounds;
  switches: string;
}

/** What a handler has said that it keeps to. */
interface Bounds {
  projectionsUnitsMax: number;
  effectsMax: number;
  /** null: all that there are */
  effectTypes: readonly string[] | null;
}

const NO_BOUNDS: Bounds = { projectionsUnitsMax: PLAIN_UNITS_MAX, effectsMax: EFFECTS_MAX, effectTypes: null };

function boundsOf({ effects, limits = {}, messages, whenInvalid = "alert" }: HandlerDefinition): Bounds {
  const { projectionsKiB = 1024, effectsMax = EFFECTS_MAX } = limits;
  // That messages are refused with an alert is declared by `whenInvalid`, and need not be once more.
  const implied = messages !== undefined && whenInvalid === "alert";
  for (const type of effects ?? []) {
    if (problemOfEffect({ type })?.code === "plugin_host/unknown-effect") {
      throw new Error(`its effects must be such as there are: there is no "${type}"`);
    }
  }
  return {
    projectionsUnitsMax: projectionsKiB * 1024,
    effectsMax: implied ? Math.max(1, effectsMax) : effectsMax,
    effectTypes: effects === undefined ? null : implied ? [...effects, "alert"] : effects,
  };
}

function handle(definition: HandlerDefinition, turn: Turn): { projections: string; effects: string } {
  const { kind, facility, id, birth, count, rows } = turn.memory;
  const history = new RowHistory(rows, count, birth);
  let result: unknown;
  try {
    result = definition.handle(
      { kind, facility, id },
      parse(turn.projections),
      messageOf(turn.row, birth + count + 1),
      history,
      parse(turn.switches),
    );
  } finally {
    // deno-lint-ignore no-unsafe-finally -- what the handler threw, or returned, does not count then
    if (isMissed(history)) throw new PluginFault(NEEDS_HISTORY, "the handler looks at the history");
  }
  if (!isArray(result) || result[0] !== "ok" || result.length < 2 || result.length > 3) {
    throw new PluginFault(
      "plugin_host/bad-result",
      `Cannot take what the handler returned as it must be ["ok", projections, effects]: ${formOfResult(result)}`,
    );
  }
  return {
    projections: canonicalText(result[1], { name: "projections", unitsMax: turn.bounds.projectionsUnitsMax }),
    effects: effectsText(result[2] ?? [], turn.bounds),
  };
}

function effectsText(effects: unknown, { effectsMax, effectTypes }: Bounds): string {
  if (!isArray(effects) || effects.length > effectsMax) {
    const state = isArray(effects) ? `${effects.length} of them` : typeof effects;
    throw new PluginFault(
      isArray(effects) ? "plugin_host/too-many-effects" : "plugin_host/bad-result",
      `Cannot take the effects as they must be an array of at most ${effectsMax}: ${state}`,
    );
  }
  if (effects.length === 0) return "";
  const packed: unknown[] = [];
  for (let i = 0; i < effects.length; i++) packed[i] = packEffect(effects[i]);
  const text = canonicalText(packed, { name: "effects", unitsMax: PLAIN_UNITS_MAX });
  for (const effect of parse(text)) {
    const problem = problemOfEffect(effect);
    if (problem !== null) throw new PluginFault(problem.code, problem.message);
    if (effectTypes !== null && !effectTypes.includes(effect.type)) {
      throw new PluginFault(
        "plugin_host/undeclared-effect",
        `Cannot take the effect "${effect.type}" as the handler has declared what it asks for: ${
          effectTypes.join(", ") || "nothing"
        }`,
      );
    }
  }
  return text;
}

// Says of what form it is, never what is in it: that is a patient's data.
function formOfResult(result: unknown): string {
  if (typeof result !== "object" || result === null) return result === null ? "null" : typeof result;
  if (result instanceof Promise) return "a promise, but handlers are synchronous";
  return isArray(result) ? `an array of ${result.length}` : "an object";
}

// What was thrown may be anything, a trap included.
function faultOf(error: unknown): { code: string; message: string; stack: string } {
  const fault = { code: "plugin_host/threw", message: "the handler threw something that cannot be shown", stack: "" };
  try {
    if (typeof error !== "object" || error === null) {
      fault.message = `the handler threw ${String(error)}`.slice(0, 1_000);
      return fault;
    }
    const { code, name, message, stack } = error as Record<string, unknown>;
    if (typeof code === "string" && code.startsWith("plugin_host/")) fault.code = code;
    const isOurs = fault.code !== "plugin_host/threw";
    if (typeof message === "string") fault.message = (isOurs ? message : `${name}: ${message}`).slice(0, 1_000);
    if (typeof stack === "string") fault.stack = ownFrames(stack).slice(0, 4_000);
  } catch {
    // the trap in it is the plugin's own; what is known by now must do
  }
  return fault;
}

// Below this frame stands the host, with the paths of its machine.
function ownFrames(stack: string): string {
  const end = stack.indexOf("\n    at waterpark:run");
  return end < 0 ? stack : stack.slice(0, end);
}
