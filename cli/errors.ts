import { WaterparkError } from "../client.ts";

/** The command line is wrong: exit code 2. */
export class MisuseError extends Error {
  override name = "MisuseError";
  /** what to try */
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

/** What a process tells its caller; the last two only of simulations, where "failed" says that a promise is broken. */
export const EXIT = { done: 0, failed: 1, misused: 2, unreached: 3, unknown: 4, stuck: 5, crashed: 6 } as const;

/** Something was tried, and did not hold: exit code 1 wrong, 5 stuck, 6 crashed, the worst of all. */
export class VerdictError extends Error {
  override name = "VerdictError";
  /** the exit code */
  readonly exit: number;

  constructor(message: string, verdicts: readonly string[]) {
    super(message);
    this.exit = verdicts.includes("crashed") ? EXIT.crashed : verdicts.includes("wrong") ? EXIT.failed : EXIT.stuck;
  }
}

/** The exit code for an error. "Unknown" beats "not reached": some node may have done it. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof MisuseError) return EXIT.misused;
  if (error instanceof VerdictError) return error.exit;
  if (!(error instanceof WaterparkError)) return EXIT.failed;
  if (error.outcome === "unknown") return EXIT.unknown;
  if (error.code === "client/unreachable" || error.code === "client/broken") return EXIT.unreached;
  return MISUSE.test(error.code) ? EXIT.misused : EXIT.failed;
}

/** Codes that can only come from what was typed. */
const MISUSE =
  /^(base\/bad-key|client\/bad-.*|node\/(bad-name|ack-rule|advertise-needed)|transport\/(bad-address|secret-needed)|topology\/bad-.*)$/;

/** Why a file could not be read, in few words. */
export function fileState(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is none";
  if (error instanceof Deno.errors.PermissionDenied) return "it may not be read";
  if (error instanceof Deno.errors.IsADirectory) return "it is a folder";
  return (error as Error).message;
}
