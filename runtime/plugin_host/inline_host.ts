import { assert } from "../base/mod.ts";
import type { Fold } from "../actors/mod.ts";
import type { World } from "../world/mod.ts";
import type { Row } from "./history.ts";
import { type Program, programOf } from "./program.ts";
import { rawOf } from "./raw_content.ts";
import type { HandlerDefinition } from "./sdk.ts";
import type { Runner } from "./runner.ts";
import { SESSION_LIMITS, type SessionLimits, Sessions } from "./session.ts";

/**
 * A plugin host without walls: the same sessions, checks, faults and digests as in the host's process, but the handler
 * runs right here. For the simulator and for unit tests, whose plugins are trusted: there is no deadline, and clock and
 * chance are not taken away.
 *
 * @example
 * ```ts
 * import { InlineHost } from "./inline_host.ts";
 * import { defineHandler } from "./sdk.ts";
 * import { SeededRandom, SimulatedTime, simulatedWorld } from "../world/mod.ts";
 * const time = new SimulatedTime();
 * const host = new InlineHost({ world: simulatedWorld({ time, random: new SeededRandom(1) }) });
 * host.load("v1", defineHandler({ name: "count", kind: "patient", initial: 0, handle: (_key, n) => ["ok", n + 1, []] }));
 * const message = { id: "a", seq: 1, atMs: 0, type: "", contentType: "text/plain", payload: new Uint8Array() };
 * const request = { plugin: "count", hash: "v1", key: "patient/H/1", after: 0, wantProjections: true, fresh: false, switches: {} };
 * let projections: unknown;
 * host.fold({ ...request, messages: [message] }, (answer) => projections = answer.state === "ok" ? answer.projections : null);
 * time.step();
 * if (projections !== 1) throw new Error("unreachable");
 * ```
 */
export class InlineHost {
  readonly #world: World;
  readonly #sessions: Sessions;

  /**
   * Starts empty.
   *
   * @param options.limits what differs from {@linkcode SESSION_LIMITS}; the deadline is not heeded
   */
  constructor(options: { world: World; limits?: Partial<SessionLimits> }) {
    this.#world = options.world;
    this.#sessions = new Sessions({ ...SESSION_LIMITS, ...options.limits });
  }

  /**
   * Takes a version in.
   *
   * @param hash any name of the version, as fold requests give it
   * @param readsHistory keeps histories from the start: who folds on never hears that he has to begin again
   * @throws {AssertionError} when it is no handler
   */
  load(hash: string, definition: HandlerDefinition, readsHistory = false): void {
    const program = programOf(definition);
    const { problem } = JSON.parse(program.about());
    assert(problem === "", problem);
    this.#sessions.load(hash, new InlineRunner(program), readsHistory);
  }

  /** Forgets a version and its sessions. */
  unload(hash: string): void {
    this.#sessions.unload(hash);
  }

  /** Folds, see the fold protocol in `runtime/actors/fold.ts`; answers after what is running now. */
  readonly fold: Fold = (request, done) => {
    const rows: Row[] = request.messages.map((message) => ({
      id: message.id,
      at: message.atMs,
      type: message.type,
      contentType: message.contentType,
      raw: rawOf(message.contentType, message.payload),
    }));
    const { changes, ...rest } = request;
    const { answer, projections } = this.#sessions.fold({
      ...rest,
      rows,
      switches: JSON.stringify(request.switches),
      ...changes === undefined
        ? {}
        : { changes: changes.map(({ after, switches }) => ({ after, switches: JSON.stringify(switches) })) },
    });
    if (answer.state === "ok" && projections !== undefined) answer.projections = JSON.parse(projections);
    this.#world.soon(() => done(answer));
  };
}

/** A handler right here: no context, no deadline. */
export class InlineRunner implements Runner {
  readonly generation: number = 0;
  readonly #program: Program;

  constructor(program: Program) {
    this.#program = program;
  }

  open(session: number, kind: string, facility: string, id: string, birth: number): void {
    this.#program.open(session, kind, facility, id, birth);
  }

  remember(session: number, row: Row): void {
    this.#program.remember(session, row.id, row.at, row.type, row.contentType, row.raw);
  }

  lean(session: number, count: number): void {
    this.#program.lean!(session, count);
  }

  close(session: number): void {
    this.#program.close(session);
  }

  run(session: number, rows: readonly Row[], projections: string, switches: string): string {
    this.#program.arm(session, projections, switches);
    for (const row of rows) this.#program.stage(row.id, row.at, row.type, row.contentType, row.raw);
    return this.#program.run();
  }
}
