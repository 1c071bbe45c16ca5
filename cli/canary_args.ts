/**
 * Flags that say for which actors a canary decides.
 */
import { type ActorKey, parseKey } from "../runtime/base/mod.ts";
import { MisuseError } from "./errors.ts";

/** The flags. */
export const CANARY_ARGS = {
  percent: { type: "number", metavar: "N", description: "of a canary: of the actors, by hash of their key" },
  actor: { type: "string", metavar: "KEY,...", description: "of a canary: actors that it decides for beside them" },
  where: { type: "string", metavar: "PLACE", description: "of a canary: what is written at TN-A-1, in TN-A, in TN" },
} as const;

interface CanaryValues {
  percent?: number;
  actor?: string;
  where?: string;
}

/** What a client wants to be told. */
export function canaryOf(
  { percent, actor, where }: CanaryValues,
): { percent?: number; actors?: ActorKey[]; where?: string } {
  return {
    ...where === undefined ? {} : { where },
    ...percent === undefined ? {} : { percent },
    ...actor === undefined ? {} : { actors: actor.split(",").map((key) => parseKey(key.trim())) },
  };
}

/** The flags make sense for a canary alone; throws else. */
export function requireCanary(stage: string, { percent, actor, where }: CanaryValues): void {
  if (stage === "canary" || (percent ?? actor ?? where) === undefined) return;
  throw new MisuseError(
    `Cannot use --percent, --actor and --where as the stage must be a canary: ${stage}`,
    "--stage canary",
  );
}
