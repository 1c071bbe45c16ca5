/**
 * Flags that say for which actors a canary decides.
 */
import { type ActorKey, parseKey } from "../runtime/base/mod.ts";
import { MisuseError } from "./errors.ts";

/** The flags. */
export const CANARY_ARGS = {
  percent: { type: "number", metavar: "N", description: "of a canary: of the actors, by hash of their key" },
  actor: { type: "string", metavar: "KEY,...", description: "of a canary: actors that it decides for beside them" },
} as const;

interface CanaryValues {
  percent?: number;
  actor?: string;
}

/** What a client wants to be told. */
export function canaryOf({ percent, actor }: CanaryValues): { percent?: number; actors?: ActorKey[] } {
  return {
    ...percent === undefined ? {} : { percent },
    ...actor === undefined ? {} : { actors: actor.split(",").map((key) => parseKey(key.trim())) },
  };
}

/** The flags make sense for a canary alone; throws else. */
export function requireCanary(stage: string, { percent, actor }: CanaryValues): void {
  if (stage === "canary" || (percent === undefined && actor === undefined)) return;
  throw new MisuseError(`Cannot use --percent and --actor as the stage must be a canary: ${stage}`, "--stage canary");
}
