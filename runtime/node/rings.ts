/**
 * Rings: a version goes from one actor (or one of a hundred) to a node, its zone, its data center, and to all, by itself,
 * while it keeps within its budget; where it does not, it goes back. What is decided here follows from what has been
 * seen; who sees and says it is `version_watch.ts`.
 */
import { hashText } from "../base/mod.ts";
import type { PluginVersion, TopologyNode } from "../topology/mod.ts";

/** What a version may cost on its way, and how long it stays in each ring. */
export interface RingPlan {
  /** ms in each ring, at least */
  stepMs: number;
  /** messages compared with the version before, in all, before a step; and actors that they are of */
  messagesMin: number;
  actorsMin: number;
  /** actors at which it may stand still */
  errorsMax: number;
  /** messages for which it may have other effects than the version before */
  differencesMax: number;
  /** its time for a message, in times of that of the version before, beyond a millisecond */
  latencyMax: number;
}

/** What has been seen of it, over the whole cluster. */
export interface RingEvidence {
  compared: number;
  actors: number;
  differences: number;
  errors: number;
  /** mean ms for a message; null: none was folded */
  ms: number | null;
  /** the same of the version before */
  msBefore: number | null;
  /** since it came into the ring that it is in */
  sinceMs: number;
}

/** What follows: it stays, goes on, or goes back, with the reason. */
export type RingVerdict =
  | { state: "stay"; reason: string }
  | { state: "on"; reason: string }
  | { state: "back"; reason: string };

/** As DESIGN says: 1,000 messages over 100 actors before an automatic step. */
export const RING_PLAN: RingPlan = {
  stepMs: 600_000,
  messagesMin: 1_000,
  actorsMin: 100,
  errorsMax: 0,
  differencesMax: 0,
  latencyMax: 3,
};

/** Below so much nobody notices, whatever the ratio, ms. */
const LATENCY_FREE_MS = 1;

/** The plan that a version brings along; null: it does not go by itself, or its plan cannot be read. */
export function ringPlanOf({ rings }: Pick<PluginVersion, "rings">): RingPlan | null {
  if (rings === undefined) return null;
  try {
    const given = Object(JSON.parse(rings)) as Record<string, unknown>;
    const plan = { ...RING_PLAN };
    for (const name of Object.keys(plan) as (keyof RingPlan)[]) {
      const value = given[name] ?? plan[name];
      if (typeof value !== "number" || !Number.isFinite(value) || value < 0) return null;
      plan[name] = value;
    }
    return plan;
  } catch {
    return null;
  }
}

/** What follows from what was seen. */
export function verdictOn(plan: RingPlan, seen: RingEvidence): RingVerdict {
  const { errors, differences, ms, msBefore, compared, actors, sinceMs } = seen;
  const back = (reason: string): RingVerdict => ({ state: "back", reason: `by itself: ${reason}` });
  if (errors > plan.errorsMax) return back(`it stood still at ${errors} actors, more than ${plan.errorsMax}`);
  if (differences > plan.differencesMax) {
    return back(`its effects were others for ${differences} messages, more than ${plan.differencesMax}`);
  }
  if (ms !== null && msBefore !== null && ms > msBefore * plan.latencyMax + LATENCY_FREE_MS) {
    return back(`it took ${ms.toFixed(2)} ms a message, and the version before ${msBefore.toFixed(2)} ms`);
  }
  const stay = (reason: string): RingVerdict => ({ state: "stay", reason });
  if (sinceMs < plan.stepMs) return stay(`it has been in this ring for ${Math.round(sinceMs / 1000)} s`);
  if (compared < plan.messagesMin || actors < plan.actorsMin) {
    return stay(`${compared} messages of ${actors} actors have been compared`);
  }
  return { state: "on", reason: `by itself: ${compared} messages of ${actors} actors, ${differences} differences` };
}

/** The next ring of a canary: where it decides then; null: everywhere. */
export function nextRing(
  name: string,
  { version, where }: Pick<PluginVersion, "version" | "where">,
  nodes: readonly Pick<TopologyNode, "name" | "status">[],
): string | null {
  if (where === undefined) return firstNode(`${name} ${version}`, nodes);
  const parts = where.split("-");
  // from a node to its zone, to its data center, to all
  return parts.length === 1 ? null : parts.slice(0, -1).join("-");
}

/** Another one for each version, so that no node is everybody's trial. */
function firstNode(seed: string, nodes: readonly Pick<TopologyNode, "name" | "status">[]): string | null {
  const names = nodes.filter(({ status }) => status === "up").map((node) => node.name).sort();
  return names.length === 0 ? null : names[hashText(seed) % names.length];
}
