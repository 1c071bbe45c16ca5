/**
 * What is done to the nodes and when. Each fault is repaired before the next: more than the promised bound at a time
 * would show nothing but the promise's end.
 */
import type { ClusterOfProcesses } from "../../tests/cluster/cluster_of_processes.ts";

/** A kind of fault. */
export type FaultKind = "kill" | "freeze" | "restart" | "zone" | "data-center";

/** What each does, for `--help`. */
export const FAULTS: Record<FaultKind, string> = {
  kill: "SIGKILL of a node",
  freeze: "SIGSTOP of a node, and SIGCONT",
  restart: "SIGTERM of a node, which hands over and ends",
  zone: "SIGKILL of all nodes of a zone at once",
  "data-center": "SIGKILL of all nodes of a data center at once",
};

/** Takes note of what was done, now. */
export type Tell = (what: string, isFault: boolean) => void;

/**
 * Does it to `victim`, or to all of its zone or data center.
 *
 * @returns the repair; it resolves when all nodes take requests again
 */
export async function strike(
  cluster: ClusterOfProcesses,
  { kind, victim, tell }: { kind: FaultKind; victim: string; tell: Tell },
): Promise<() => Promise<void>> {
  const victims = victimsOf(cluster.nodes.map((node) => node.name), kind, victim);
  const names = victims.length === 1 ? victim : `${kind} of ${victim} (${victims.join(", ")})`;
  if (kind === "freeze") {
    tell(`freeze ${names}`, true);
    cluster.node(victim).signal("SIGSTOP");
    return () => {
      tell(`thaw ${names}`, false);
      cluster.node(victim).signal("SIGCONT");
      return Promise.resolve();
    };
  }
  tell(`${kind === "restart" ? "SIGTERM" : "kill -9"} ${names}`, true);
  await Promise.all(victims.map((name) => cluster.kill(name, kind === "restart" ? "SIGTERM" : "SIGKILL")));
  return async () => {
    tell(`start ${names}`, false);
    await Promise.all(victims.map((name) => cluster.restart(name)));
  };
}

/** Whom it hits. */
export function victimsOf(names: readonly string[], kind: FaultKind, victim: string): string[] {
  const [dataCenter, zone] = victim.split("-");
  if (kind === "data-center") return names.filter((name) => name.startsWith(`${dataCenter}-`));
  if (kind === "zone") return names.filter((name) => name.startsWith(`${dataCenter}-${zone}-`));
  return [victim];
}

/** Waits until every shard has all its copies again; how long that took, ms, or null when it did not come to that. */
export async function wholeAgain(cluster: ClusterOfProcesses, msMax: number): Promise<number | null> {
  const startMs = performance.now();
  for (;;) {
    const view = await cluster.client().whole().catch(() => null);
    if (view?.whole && view.nodes.every(({ answers }) => answers)) return performance.now() - startMs;
    if (performance.now() - startMs > msMax) return null;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
