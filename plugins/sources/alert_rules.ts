/**
 * Rules about a cluster, and which of them hold. What is asked of the past (more dead letters than a minute ago) is compared
 * with what was seen then, so a rule says something from the second look on.
 */
import type { ClusterStatus } from "@waterpark/waterpark";

/** What somebody wants to be told of; `name` and the like left out mean any. */
export type AlertRule =
  /** plugins stand still at more actors than that */
  | { readonly when: "parked"; readonly plugin?: string; readonly over?: number }
  /** more deliveries wait for a sink than that */
  | { readonly when: "queued"; readonly sink?: string; readonly over: number }
  /** more deliveries hold up their actors than that */
  | { readonly when: "held"; readonly sink?: string; readonly over?: number }
  /** there are more dead letters than at the look before, by more than that */
  | { readonly when: "dead"; readonly sink?: string; readonly over?: number }
  /** attempts have failed since the look before, and none got through */
  | { readonly when: "failing"; readonly sink?: string }
  /** a source has failed and waits to begin again */
  | { readonly when: "source"; readonly source?: string }
  /** a node is not heard of */
  | { readonly when: "node"; readonly node?: string }
  /** nothing was recorded for so long: of a facility, a kind of actor, a type of message */
  | {
    readonly when: "silence";
    readonly minutes: number;
    readonly facility?: string;
    readonly kind?: string;
    readonly type?: string;
  };

/** Something that holds, and should not. */
export interface Finding {
  /** what it is about: the same finding at every look */
  readonly id: string;
  /** for people; without data of an actor */
  readonly text: string;
}

/** What the rules but `silence` find. */
export function findingsIn(rule: AlertRule, now: ClusterStatus, before: ClusterStatus | null): Finding[] {
  const found = (name: string, text: string): Finding => ({ id: `${rule.when} ${name}`, text });
  switch (rule.when) {
    case "parked": {
      const { plugin, over = 0 } = rule;
      return now.plugins.filter(({ name, parked }) => isMeant(plugin, name) && parked > over)
        .map(({ name, parked }) => found(name, `${name} stands still at ${parked} actors`));
    }
    case "queued":
      return sinks(now, rule.sink).filter(({ inHand }) => inHand > rule.over)
        .map(({ name, inHand }) => found(name, `${inHand} deliveries wait for ${name}`));
    case "held":
      return sinks(now, rule.sink).filter(({ held }) => held > (rule.over ?? 0))
        .map(({ name, held }) => found(name, `${held} deliveries to ${name} are held and hold up their actors`));
    case "dead":
      return sinks(now, rule.sink).flatMap(({ name, dead }) => {
        const more = dead - (sinkOf(before, name)?.dead ?? dead);
        return more > (rule.over ?? 0) ? [found(name, `${more} deliveries to ${name} have become dead letters`)] : [];
      });
    case "failing":
      return sinks(now, rule.sink).flatMap(({ name, done, retried }) => {
        const then = sinkOf(before, name);
        if (then === undefined || retried <= then.retried || done > then.done) return [];
        return [found(name, `nothing gets through to ${name}`)];
      });
    case "source":
      return now.sources.filter(({ name, state }) => isMeant(rule.source, name) && state === "waiting")
        .map(({ name, node }) => found(name, `${name} fails on ${node}`));
    case "node":
      return now.nodes.filter(({ name, alive }) => isMeant(rule.node, name) && !alive)
        .map(({ name }) => found(name, `${name} is not heard of`));
    case "silence":
      return [];
  }
}

/** What a `silence` rule finds: nothing was recorded since then. */
export function silenceOf(rule: AlertRule & { when: "silence" }): Finding {
  const { minutes, facility, kind, type } = rule;
  const what = [facility, kind, type].filter((part) => part !== undefined).join(" ") || "anybody";
  return { id: `silence ${what}`, text: `nothing has come from ${what} for ${minutes} minutes` };
}

function sinks({ sinks }: ClusterStatus, name: string | undefined) {
  return sinks.filter((sink) => isMeant(name, sink.name));
}

function sinkOf(status: ClusterStatus | null, name: string) {
  return status?.sinks.find((sink) => sink.name === name);
}

function isMeant(wanted: string | undefined, name: string): boolean {
  return wanted === undefined || wanted === name;
}
