/**
 * Which versions of plugins a node folds with, as its topology says: those that decide, and those that fold along.
 */
import type { LivePlugin } from "../actors/mod.ts";
import { foldersOf, type PluginVersion, type TopologyState } from "../topology/mod.ts";

/** A bundle that the plugin host must have. */
export interface Bundle {
  name: string;
  hash: string;
  bytes: Uint8Array;
}

/** Plugins of kind handler, by name, with the versions that fold; those that an operator has stopped do not. */
export function foldingVersions(
  plugins: TopologyState["plugins"],
  { nowMs, isPaused }: { nowMs: number; isPaused(name: string): boolean },
): LivePlugin[] {
  const folding: LivePlugin[] = [];
  for (const name of Object.keys(plugins).sort()) {
    if (plugins[name].kind !== "handler" || isPaused(name)) continue;
    const { live, canary, dark } = foldersOf(plugins[name], nowMs);
    const first = live ?? canary;
    if (first === null) continue;
    const numbers: Record<string, number> = {};
    for (const { hash, version } of plugins[name].versions) numbers[hash] = version;
    const plugin: LivePlugin = { name, hash: live?.hash ?? "", actorKind: first.actorKind };
    if (canary !== null) plugin.canary = partOf(canary);
    if (dark.length > 0) plugin.dark = dark.map((version) => version.hash);
    if (canary !== null || dark.length > 0) plugin.numbers = numbers;
    folding.push(plugin);
  }
  return folding;
}

/** The bundles of all of them. */
export function bundlesOf(plugins: TopologyState["plugins"], folding: readonly LivePlugin[]): Bundle[] {
  return folding.flatMap(({ name, hash, canary, dark = [] }) => {
    const hashes = new Set([hash, canary?.hash ?? "", ...dark]);
    return [...hashes].filter((one) => one !== "").map((one) => ({
      name,
      hash: one,
      bytes: plugins[name].versions.find((version) => version.hash === one)!.bytes,
    }));
  });
}

/** What makes a difference to who folds: two topologies with the same text have the same. */
export function textOf(folding: readonly LivePlugin[]): string {
  return JSON.stringify(folding);
}

function partOf({ hash, percent, actors }: PluginVersion): NonNullable<LivePlugin["canary"]> {
  return actors === undefined ? { hash, percent } : { hash, percent, actors };
}
