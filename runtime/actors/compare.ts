import type { Effect } from "../effects/mod.ts";
import { pack } from "../wire/mod.ts";
import type { DiffKind } from "./diff_book.ts";

/** One kind of difference between the effects of two versions, with the types that it is about. */
export interface EffectDifference {
  kind: DiffKind;
  what: string;
}

/** Paths of one comparison that are named. */
const PATHS_MAX = 20;
const DEPTH_MAX = 20;

/**
 * How the effects of a message differ. By position, as an effect's id has its number in it: two effects that have changed
 * places are two others to whoever gets them.
 */
export function compareEffects(old: readonly Effect[], fresh: readonly Effect[]): EffectDifference[] {
  const types: Record<string, Set<string>> = {};
  const add = (kind: DiffKind, effect: Effect) => (types[kind] ??= new Set()).add(String(effect.type));
  for (let i = 0; i < Math.max(old.length, fresh.length); i++) {
    if (i >= fresh.length) add("effects-missing", old[i]);
    else if (i >= old.length) add("effects-added", fresh[i]);
    else if (!isSameEffect(old[i], fresh[i])) add("effects-changed", fresh[i]);
  }
  return Object.entries(types).map(([kind, of]) => ({ kind: kind as DiffKind, what: [...of].sort().join(", ") }));
}

/** A candidate's effects as its writer would have logged them: a timer is logged with the time at which it is due. */
export function asDecided(effects: readonly Effect[], atMs: number): readonly Effect[] {
  if (!effects.some(({ type }) => type === "schedule")) return effects;
  return effects.map((effect) => {
    if (effect.type !== "schedule") return effect;
    const { name, message, at = atMs + (effect.afterMs ?? NaN) } = effect;
    return { type: "schedule", name, at, message };
  });
}

/** Paths at which two plain values differ, as `a.b[3]`; `` for the whole. Bounded in number and depth. */
export function differingPaths(old: unknown, fresh: unknown): string[] {
  const paths: string[] = [];
  walk(old, fresh, "", paths);
  return paths;
}

function walk(old: unknown, fresh: unknown, path: string, paths: string[], depth = 0): void {
  if (paths.length >= PATHS_MAX || Object.is(old, fresh)) return;
  const isBoth = typeof old === "object" && typeof fresh === "object" && old !== null && fresh !== null;
  if (!isBoth || Array.isArray(old) !== Array.isArray(fresh) || depth >= DEPTH_MAX || !isWalked(old)) {
    if (!isBoth || !isSame(old, fresh)) paths.push(path);
    return;
  }
  const [a, b] = [old as Record<string, unknown>, fresh as Record<string, unknown>];
  for (const name of [...new Set([...Object.keys(a), ...Object.keys(b)])].sort()) {
    const part = Array.isArray(old) ? `[${name}]` : path === "" ? name : `.${name}`;
    const own = (of: Record<string, unknown>) => Object.hasOwn(of, name) ? of[name] : undefined;
    walk(own(a), own(b), path + part, paths, depth + 1);
  }
}

function isWalked(value: object): boolean {
  return Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype ||
    Object.getPrototypeOf(value) === null;
}

function isSameEffect(old: Effect, fresh: Effect): boolean {
  return isSame(old, fresh) || differingPaths(old, fresh).length === 0;
}

function isSame(old: unknown, fresh: unknown): boolean {
  try {
    const [a, b] = [pack(old), pack(fresh)];
    return a.length === b.length && a.every((byte, i) => byte === b[i]);
  } catch {
    return false;
  }
}
