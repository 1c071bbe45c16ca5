import type { Row } from "./history.ts";

/** A loaded version of a plugin, see {@linkcode Program}. */
export interface Runner {
  /** raised whenever the program has lost its memory */
  readonly generation: number;
  /** begins to remember a session; the first message that is folded in it has the seq after `birth` */
  open(session: number, kind: string, facility: string, id: string, birth: number): void;
  /** adds a message that was folded before */
  remember(session: number, row: Row): void;
  /** keeps only the number of a session's messages, see {@linkcode Program.lean}; not there: it keeps all */
  lean?(session: number, count: number): void;
  /** forgets a session */
  close(session: number): void;
  /**
   * Folds rows.
   *
   * @returns what {@linkcode Program.run} answers; `""` when the program is broken; null when the deadline passed, and
   *   then the generation has changed
   */
  run(session: number, rows: readonly Row[], projections: string, switches: string, deadlineMs: number): string | null;
  /**
   * Folds rows of several sessions, each of them once, within one deadline; not there: they are run one by one.
   *
   * @returns what {@linkcode Program.run} answers, per turn; null when it was broken or the deadline passed: then the
   *   generation has changed, and nothing of it counts
   */
  runAll?(turns: readonly Turn[], deadlineMs: number): string[] | null;
}

/** One session's part of {@linkcode Runner.runAll}. */
export interface Turn {
  readonly session: number;
  readonly rows: readonly Row[];
  /** canonical text; `""` at birth */
  readonly projections: string;
  /** JSON */
  readonly switches: string;
}
