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

/** What a process tells its caller. */
export const EXIT = { done: 0, failed: 1, misused: 2, unreached: 3, unknown: 4 } as const;

/** The exit code for an error. "Unknown" beats "not reached": some node may have done it. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof MisuseError) return EXIT.misused;
  if (!(error instanceof WaterparkError)) return EXIT.failed;
  if (error.outcome === "unknown") return EXIT.unknown;
  if (error.code === "client/unreachable" || error.code === "client/broken") return EXIT.unreached;
  return MISUSE.test(error.code) ? EXIT.misused : EXIT.failed;
}

/** Codes that can only come from what was typed. */
const MISUSE =
  /^(base\/bad-key|client\/bad-.*|node\/(bad-name|ack-rule)|transport\/(bad-address|secret-needed)|topology\/bad-.*)$/;

/** Why a file could not be read, in few words. */
export function fileState(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is none";
  if (error instanceof Deno.errors.PermissionDenied) return "it may not be read";
  if (error instanceof Deno.errors.IsADirectory) return "it is a folder";
  return (error as Error).message;
}
