import { parseKey } from "../runtime/base/mod.ts";
import type { ActorKey } from "../client.ts";

/** The positional that names an actor. */
export const KEY_ARG = {
  key: { type: "positional", description: "actor: facility/id or kind/facility/id, slashes in a part as %2F" },
} as const;

/** The actor that somebody typed. */
export function keyOf(text: string): ActorKey {
  return parseKey(text);
}
