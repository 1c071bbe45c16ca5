/**
 * What went wrong, sorted by what the caller may conclude: that it was not done, or that nobody knows.
 */
import { type Outcome, WaterparkError } from "../runtime/base/mod.ts";

/** What an error answer says. */
interface ProblemBody {
  code?: string;
  outcome?: Outcome;
  detail?: string;
  retryAfterMs?: number;
}

/** The error that an answer of 400 and more is. */
export async function problemIn(response: Response): Promise<WaterparkError> {
  const text = await response.text().catch(() => "");
  let problem: ProblemBody = {};
  try {
    problem = JSON.parse(text) as ProblemBody;
  } catch {
    // a proxy's page
  }
  return new WaterparkError(
    problem.detail ?? `Cannot use the answer as it must be Waterpark's: HTTP ${response.status}`,
    {
      code: problem.code ?? "client/bad-answer",
      // whoever answered in the node's place cannot know
      outcome: problem.outcome ?? "unknown",
      retryAfterMs: problem.retryAfterMs,
    },
  );
}

/** The error that a call ends with: `last`, unless an earlier attempt may have done what the last one says that it did not. */
export function ended(last: WaterparkError | null, mayBeApplied: boolean): WaterparkError {
  if (last === null) {
    return new WaterparkError("Cannot ask as the deadline must lie ahead", {
      code: "client/unreachable",
      outcome: "not-applied",
    });
  }
  if (!mayBeApplied || last.outcome !== "not-applied") return last;
  // An earlier attempt may have done it, whatever the last one says of itself.
  return new WaterparkError(last.message, { code: last.code, outcome: "unknown", cause: last });
}

/** The error that a failed `fetch` is. */
export function unreachable(url: string, { cause, isLook }: { cause: unknown; isLook: boolean }): WaterparkError {
  const neverReached = isNeverReached(cause);
  const message = neverReached
    ? `Cannot reach "${url}" as a node must be listening there`
    : `Cannot tell how the request ended as the connection to "${url}" must last until the answer: it broke`;
  return new WaterparkError(message, {
    code: neverReached ? "client/unreachable" : "client/broken",
    // who only looked has changed nothing
    outcome: neverReached || isLook ? "not-applied" : "unknown",
    cause,
  });
}

/** Whether the request certainly did not arrive. Runtimes differ in how they say it, and only in words. */
function isNeverReached(error: unknown): boolean {
  for (
    let at = error as { name?: string; message?: string; code?: string; cause?: unknown } | undefined, depth = 0;
    at && depth < 5;
  ) {
    if (at.name === "NotCapable") return true;
    if (
      /client error \(Connect\)|connection refused|dns error|failed to lookup|requests to port \d+ are blocked/i.test(
        at.message ?? "",
      )
    ) return true;
    if (/^(ECONNREFUSED|ENOTFOUND|EHOSTUNREACH|ENETUNREACH)$/.test(at.code ?? "")) return true;
    at = at.cause as typeof at;
    depth++;
  }
  return false;
}
