/**
 * Stages: which version of a plugin decides for an actor, and which ones only fold along. A pure function of the
 * topology, so every node that has the same one comes to the same answer. Nodes may have different ones for a moment;
 * that is harmless: the shard's log takes one outcome for a message and plugin, and the first stands.
 *
 * A canary's actors are those whose hash, of the plugin's name and their key, falls below its percentage, like seats in
 * a hall whose lights are switched on row by row: raising it keeps those that it had, and the next version's canary meets the
 * same actors, which makes versions comparable. It stops being fair where most messages are of a few actors.
 */
import { hashText } from "../base/mod.ts";
import type { PluginRecord, PluginVersion } from "./state.ts";

/** How long a version that was replaced goes on folding, ms. */
export const KEEPS_FOLDING_MS: number = 24 * 60 * 60 * 1000;
/** Dark versions of one plugin that fold along, at most: the newest candidate, and the one to roll back to. */
export const DARK_FOLDERS_MAX = 2;

/** The versions of a plugin that fold. */
export interface PluginFolders {
  /** decides for all that the canary does not; null: there is none yet */
  live: PluginVersion | null;
  /** decides for a part */
  canary: PluginVersion | null;
  /** decide for nobody; newest first */
  dark: PluginVersion[];
}

/** True for an actor for which a canary of `percent` decides, by hash. */
export function isCanaryActor(plugin: string, key: string, percent: number): boolean {
  if (percent <= 0) return false;
  return percent >= 100 || hashText(key, hashText(plugin)) % 10_000 < percent * 100;
}

/** True for a node that is the place, or stands in it: `TN-A-1` is `TN-A-1`, in `TN-A`, in `TN`. */
export function isAt(node: string, place: string): boolean {
  return node === place || node.startsWith(`${place}-`);
}

/** True when this canary decides for the actor, wherever that is. */
export function decides(plugin: string, canary: Pick<PluginVersion, "percent" | "actors">, key: string): boolean {
  return isCanaryActor(plugin, key, canary.percent) || canary.actors?.includes(key) === true;
}

/**
 * The versions that fold. All are for the same kind of actors as the one that is live (the canary, where none is): one
 * for another kind would be handed actors that are none of its own. It folds once it is live itself.
 *
 * @param nowMs wall time: a version that was replaced stops after {@linkcode KEEPS_FOLDING_MS}. No safety hangs on it.
 */
export function foldersOf(record: PluginRecord, nowMs: number): PluginFolders {
  const live = record.versions.find((one) => one.version === record.live) ?? null;
  const chosen = record.versions.findLast((one) => one.stage === "canary") ?? null;
  const first = live ?? chosen;
  const isAlike = ({ actorKind }: PluginVersion) => first === null || actorKind === first.actorKind;
  const canary = chosen !== null && isAlike(chosen) ? chosen : null;
  const rest = record.versions.filter((one) =>
    one !== live && one !== chosen && one.withdrawn === undefined && isAlike(one)
  ).reverse();
  const candidate = rest.find((one) => one.leftAtMs === undefined && one.version > (record.live ?? 0));
  const left = rest.find((one) => one.proven && nowMs < (one.leftAtMs ?? 0) + KEEPS_FOLDING_MS);
  const dark: PluginVersion[] = [];
  // The same bundle may have been deployed twice; it folds once.
  const known = new Set([live?.hash, canary?.hash]);
  for (const one of [candidate, left]) {
    if (one === undefined || known.has(one.hash)) continue;
    known.add(one.hash);
    dark.push(one);
  }
  return { live, canary, dark };
}
