import { formatKey } from "../base/mod.ts";
import { decides } from "../topology/mod.ts";
import type { LivePlugin } from "./actors_options.ts";

/** A plugin with the start of the keys that it handles. */
export interface Handler extends LivePlugin {
  /** `patient/`; "" for every kind */
  prefix: string;
}

/** With the start of the keys that it handles. */
export function handlerOf(plugin: LivePlugin): Handler {
  return { ...plugin, prefix: prefixOf(plugin.actorKind) };
}

/** The version, by hash, that decides about an actor; null: none does. */
export function deciderFor(handler: Handler, key: string): string | null {
  if (!key.startsWith(handler.prefix)) return null;
  const { canary } = handler;
  if (canary !== undefined) {
    if (decides(handler.name, { ...canary, actors: listOf(canary) }, key) || canary.covers?.(key)) return canary.hash;
  }
  return handler.hash === "" ? null : handler.hash;
}

/** The versions that fold along with the one that has decided about an actor. */
export function shadowsFor({ hash, canary, dark = [] }: Handler, decided: string): string[] {
  const all = [hash, canary?.hash ?? "", ...dark];
  return [...new Set(all)].filter((one) => one !== "" && one !== decided);
}

/** True when versions of the plugin fold that do not decide. */
export function hasShadows({ canary, dark }: LivePlugin): boolean {
  return canary !== undefined || (dark !== undefined && dark.length > 0);
}

function listOf({ actors }: { actors?: readonly string[] }): string[] | undefined {
  return actors as string[] | undefined;
}

function prefixOf(actorKind: string): string {
  if (actorKind === "*") return "";
  const key = formatKey({ kind: actorKind, facility: "-", id: "-" });
  return key.slice(0, key.indexOf("/") + 1);
}
