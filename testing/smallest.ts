/**
 * The smallest history that still fails. fast-check has shrunk what it drew by then; this takes away what it could
 * not: messages of recorded histories, segments of HL7, fields of JSON. Delta debugging (Zeller, Hildebrandt, 2002):
 * large pieces first, then small ones, until no single one can go.
 *
 * @module
 */
import { envelopeOf, type GivenMessage } from "./given_message.ts";

/** How many histories are tried at most: each is a whole check, and a report that is not the smallest is one, too. */
const TRIALS_MAX = 1_500;

/** The smallest history for which `fails` still says true; `history` itself is known to. */
export function smallest(
  history: readonly GivenMessage[],
  fails: (history: readonly GivenMessage[]) => boolean,
): readonly GivenMessage[] {
  let trialsLeft = TRIALS_MAX;
  const stillFails = (candidate: readonly GivenMessage[]) => trialsLeft-- > 0 && fails(candidate);
  let best = withoutPieces(history, stillFails);
  for (let i = 0; i < best.length; i++) {
    for (let nth = 0; nth < partsOf(best[i]).length; nth++) {
      const { all, join } = partsOf(best[i])[nth];
      const kept = withoutPieces(all, (some) => stillFails(best.with(i, join(some))));
      if (kept.length < all.length) best = best.with(i, join(kept));
    }
  }
  return best;
}

function withoutPieces<T>(all: readonly T[], stillFails: (some: readonly T[]) => boolean): readonly T[] {
  let best = all;
  for (let size = all.length; size >= 1; size = size >> 1) {
    for (let from = 0; from < best.length;) {
      const candidate = [...best.slice(0, from), ...best.slice(from + size)];
      if (stillFails(candidate)) best = candidate;
      else from += size;
    }
  }
  return best;
}

interface Parts {
  all: readonly string[];
  join(some: readonly string[]): GivenMessage;
}

/** In what pieces a message can be taken apart: what is said about it; segments behind the first, or fields. */
function partsOf(given: GivenMessage): Parts[] {
  const said = typeof given === "object" && "body" in given ? ["id", "at"].filter((name) => name in given) : [];
  const without = (some: readonly string[]): GivenMessage =>
    Object.fromEntries(Object.entries(given).filter(([name]) => !said.includes(name) || some.includes(name)));
  return said.length === 0 ? partsOfBody(given) : [{ all: said, join: without }, ...partsOfBody(given)];
}

function partsOfBody(given: GivenMessage): Parts[] {
  const { body } = envelopeOf(given);
  const isBare = typeof given === "string" || given === body;
  const rebuilt = (next: unknown): GivenMessage => isBare ? next as GivenMessage : { ...given as object, body: next };
  if (typeof body === "string" && body.startsWith("MSH")) {
    const [header, ...segments] = body.split(/[\r\n]+/).filter((line) => line !== "");
    return [{ all: segments, join: (some) => rebuilt([header, ...some].join("\r")) }];
  }
  if (typeof body !== "object" || body === null || Array.isArray(body) || body instanceof Uint8Array) return [];
  const fields = Object.keys(body);
  const join = (some: readonly string[]) =>
    rebuilt(Object.fromEntries(Object.entries(body).filter(([name]) => some.includes(name))));
  return [{ all: fields, join }];
}
