/**
 * One version of a plugin in a `node:vm` context of its own: the inner wall, within the outer one of a process without
 * permissions. It keeps honest plugins pure and apart from each other; that a hostile one cannot do harm is the
 * process's doing.
 *
 * Into the context go strings and numbers, out of it come strings. An object of the host's inside would be a way to the
 * host's globals (`x.constructor.constructor`), so there is none, not even a function.
 *
 * @module
 */
import vm from "node:vm";
import { WaterparkError } from "../base/mod.ts";
import { drive, type Driver } from "./driver.ts";
import { lockdown } from "./lockdown.ts";
import { type Program, PROGRAM_ABI, type ProgramAbout } from "./program.ts";
import type { Row } from "./history.ts";
import type { Runner, Turn } from "./runner.ts";

/** How long a module may take to load, in ms: it has nothing to do but declare. */
export const LOAD_DEADLINE_MS = 1_000;

const LOCKDOWN = new vm.Script(`(${lockdown.toString()})()`, { filename: "waterpark:lockdown" });
const DRIVER = new vm.Script(
  `"use strict";const waterparkDriver=(${drive.toString()})(waterparkProgram);waterparkDriver`,
  {
    filename: "waterpark:driver",
  },
);
// Its name ends what a fault's stack shows: below stand the host's own frames.
const RUN = new vm.Script("waterparkDriver.run()", { filename: "waterpark:run" });

/** A loaded version. After a missed deadline its context is replaced: code that was cut off anywhere may be broken. */
export class PluginContext implements Runner {
  /** what the program says of itself */
  readonly about: ProgramAbout;
  /** counts the contexts; what the program remembers is lost with each */
  generation = 0;
  readonly #script: vm.Script;
  #context: vm.Context;
  #program: Program;
  #driver: Driver;

  /**
   * Loads a bundle.
   *
   * @param source one CommonJS module whose default export is a {@linkcode Program}
   * @param name for the stack traces of faults
   * @throws {WaterparkError} `plugin_host/not-a-plugin` when it throws, takes longer than a second, or exports no handler
   */
  constructor(source: string, name: string) {
    try {
      this.#script = new vm.Script(
        `"use strict";const waterparkProgram=((module)=>{((module,exports)=>{${source}\n})(module,module.exports);` +
          `return module.exports.default})({exports:{}});waterparkProgram`,
        { filename: `plugin:${name}` },
      );
      [this.#context, this.#program, this.#driver] = this.#load();
      this.about = aboutOf(this.#program);
    } catch (cause) {
      if (cause instanceof WaterparkError) throw cause;
      throw notAPlugin(messageOf(cause), cause);
    }
    if (this.about.problem !== "") throw notAPlugin(this.about.problem);
  }

  /** begins to remember a session */
  open(session: number, kind: string, facility: string, id: string, birth: number): void {
    this.#program.open(session, kind, facility, id, birth);
  }

  /** adds a message that was folded before */
  remember(session: number, row: Row): void {
    this.#program.remember(session, row.id, row.at, row.type, row.contentType, row.raw);
  }

  /** keeps only the number of a session's messages; undefined with a bundle of old */
  get lean(): ((session: number, count: number) => void) | undefined {
    if (typeof this.#program.lean !== "function") return undefined;
    return (session, count) => this.#program.lean!(session, count);
  }

  /** forgets a session */
  close(session: number): void {
    this.#program.close(session);
  }

  /** Folds rows, see {@linkcode Runner.run}. */
  run(session: number, rows: readonly Row[], projections: string, switches: string, deadlineMs: number): string | null {
    const driver = this.#driver;
    driver.turn(session, projections, switches);
    for (const row of rows) driver.stage(row.id, row.at, row.type, row.contentType, row.raw);
    try {
      RUN.runInContext(this.#context, { timeout: deadlineMs });
      const text: unknown = driver.answer(0);
      return typeof text === "string" ? text : "";
    } catch (error) {
      this.#renew();
      return isDeadline(error) ? null : "";
    }
  }

  /** Folds rows of several sessions, see {@linkcode Runner.runAll}. */
  runAll(turns: readonly Turn[], deadlineMs: number): string[] | null {
    const driver = this.#driver;
    for (const { session, rows, projections, switches } of turns) {
      driver.turn(session, projections, switches);
      for (const row of rows) driver.stage(row.id, row.at, row.type, row.contentType, row.raw);
    }
    try {
      RUN.runInContext(this.#context, { timeout: deadlineMs });
      const texts: string[] = [];
      for (let i = 0; i < turns.length; i++) {
        const text: unknown = driver.answer(i);
        texts.push(typeof text === "string" ? text : "");
      }
      return texts;
    } catch {
      this.#renew();
      return null;
    }
  }

  #renew(): void {
    this.generation++;
    try {
      [this.#context, this.#program, this.#driver] = this.#load();
    } catch {
      // It did load before, so the machine stalls or the module depends on luck. The old context goes on: sessions are
      // opened in it anew, and what else is broken in it shows as faults.
    }
  }

  #load(): [vm.Context, Program, Driver] {
    const options = { codeGeneration: { strings: false, wasm: false }, microtaskMode: "afterEvaluate" } as const;
    const context = vm.createContext(Object.create(null), options);
    LOCKDOWN.runInContext(context);
    const program = this.#script.runInContext(context, { timeout: LOAD_DEADLINE_MS }) as Program;
    return [context, program, DRIVER.runInContext(context) as Driver];
  }
}

function aboutOf(program: Program): ProgramAbout {
  const text: unknown = program?.about?.();
  const about = typeof text === "string" ? JSON.parse(text) as ProgramAbout : null;
  if (about === null || about.abi !== PROGRAM_ABI) {
    throw notAPlugin(`it is no bundle of this version (ABI ${PROGRAM_ABI}): make one with waterpark plugin deploy`);
  }
  return about;
}

// The error comes from within the context: only its primitive fields are looked at.
function isDeadline(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === "ERR_SCRIPT_EXECUTION_TIMEOUT";
}

function messageOf(error: unknown): string {
  if (isDeadline(error)) return `it takes longer than ${LOAD_DEADLINE_MS} ms to load`;
  const message = (error as { message?: unknown } | null)?.message;
  return typeof message === "string" ? message.slice(0, 1_000) : "it throws while it is loaded";
}

function notAPlugin(state: string, cause?: unknown): WaterparkError {
  return new WaterparkError(`Cannot load the plugin as it must export a handler: ${state}`, {
    code: "plugin_host/not-a-plugin",
    outcome: "not-applied",
    cause,
  });
}
