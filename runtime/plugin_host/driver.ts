/** Runs a program for many sessions in one call. */
export interface Driver {
  /** says whose turn it is; what is staged from here on is its */
  turn(session: number, projections: string, switches: string): void;
  /** adds a message to the turn */
  stage(id: string, at: number, type: string, contentType: string, raw: string): void;
  /** has the program run turn by turn */
  run(): void;
  /** what the program answered to a turn */
  answer(turn: number): unknown;
}

/**
 * What stands beside a program in its context: takes turns in, runs them all, gives the answers out. It belongs to the
 * host and not to the bundle, so that bundles which were made before it are run by the batch, too.
 *
 * Handed to the context as text (`Function.prototype.toString`), so it refers to nothing outside itself.
 *
 * @param program the bundle's
 */
export function drive(program: {
  arm(session: number, projections: string, switches: string): void;
  stage(id: string, at: number, type: string, contentType: string, raw: string): void;
  run(): string;
}): Driver {
  "use strict";
  interface Turn {
    session: number;
    projections: string;
    switches: string;
    rows: { id: string; at: number; type: string; contentType: string; raw: string }[];
  }
  let turns: Turn[] = [];
  let answers: string[] = [];
  return {
    turn: (session, projections, switches) => void (turns[turns.length] = { session, projections, switches, rows: [] }),
    stage(id, at, type, contentType, raw) {
      const { rows } = turns[turns.length - 1];
      rows[rows.length] = { id, at, type, contentType, raw };
    },
    run() {
      const now = turns;
      turns = [];
      answers = [];
      for (let t = 0; t < now.length; t++) {
        const { session, projections, switches, rows } = now[t];
        program.arm(session, projections, switches);
        for (let i = 0; i < rows.length; i++) {
          const { id, at, type, contentType, raw } = rows[i];
          program.stage(id, at, type, contentType, raw);
        }
        answers[t] = program.run();
      }
    },
    answer: (turn) => answers[turn],
  };
}
