import { WaterparkError } from "./errors.ts";

/** The address of an actor as users write it; `kind` is `"patient"` where left out. */
export interface ActorKey {
  /** what it is: `patient`, `ward`, ...; default `"patient"` */
  kind?: string;
  /** the facility that it belongs to, for ever */
  facility: string;
  /** its name in the facility */
  id: string;
}

/** An actor's address with nothing left out. */
export type FullKey = Required<ActorKey>;

/** The longest part of a key, in UTF-16 units. */
export const KEY_PART_UNITS_MAX = 200;

/**
 * Checks a key and fills in the kind.
 *
 * @throws {WaterparkError} `base/bad-key` when a part is missing, empty, too long, or holds a control character
 */
export function fullKey(key: ActorKey): FullKey {
  const full = { kind: key.kind ?? "patient", facility: key.facility, id: key.id };
  for (const [name, part] of Object.entries(full)) {
    if (
      typeof part !== "string" || part === "" || part.length > KEY_PART_UNITS_MAX || /\p{Cc}/u.test(part)
    ) {
      throw new WaterparkError(
        `Cannot use the key's ${name} as it must be 1 to ${KEY_PART_UNITS_MAX} characters without control characters`,
        { code: "base/bad-key", outcome: "not-applied" },
      );
    }
    if (part === "." || part === "..") {
      throw new WaterparkError(
        `Cannot use the key's ${name} as it must not be "." or "..": no URL could name the actor`,
        {
          code: "base/bad-key",
          outcome: "not-applied",
        },
      );
    }
    if (!part.isWellFormed()) {
      throw new WaterparkError(`Cannot use the key's ${name} as it must be well-formed Unicode`, {
        code: "base/bad-key",
        outcome: "not-applied",
      });
    }
  }
  return full;
}

/**
 * Reads `facility/id` or `kind/facility/id`; each part percent-encoded where it holds a slash.
 *
 * @throws {WaterparkError} `base/bad-key`
 *
 * @example
 * ```ts
 * import { parseKey } from "./key.ts";
 * const key = parseKey("HOSPX/1001");
 * if (key.kind !== "patient" || key.id !== "1001") throw new Error("unreachable");
 * ```
 */
export function parseKey(text: string): FullKey {
  const parts = text.split("/");
  if (parts.length !== 2 && parts.length !== 3) {
    throw new WaterparkError(
      `Cannot read the key as it must be facility/id or kind/facility/id: ${parts.length} parts`,
      {
        code: "base/bad-key",
        outcome: "not-applied",
      },
    );
  }
  const decoded = parts.map(decodePart);
  const [kind, facility, id] = parts.length === 3 ? decoded : ["patient", ...decoded];
  return fullKey({ kind, facility, id });
}

/** The one canonical text of a key, `kind/facility/id`, which every table and every hash uses. */
export function formatKey(key: ActorKey): string {
  const { kind, facility, id } = fullKey(key);
  return `${encodePart(kind)}/${encodePart(facility)}/${encodePart(id)}`;
}

function encodePart(part: string): string {
  return part.replace(/[%/]/g, (c) => c === "%" ? "%25" : "%2F");
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw new WaterparkError("Cannot read the key as its percent-encoding is broken", {
      code: "base/bad-key",
      outcome: "not-applied",
      cause,
    });
  }
}
