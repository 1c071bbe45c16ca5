import { compareText } from "./node_name.ts";
import type { TopologyNode } from "./state.ts";

/** The most voters of the system shard: more of them make every command to the topology slower, and nothing safer. */
export const SYSTEM_VOTERS_MAX = 7;

/** Where the system shard should be. */
export interface SystemPlacement {
  /** the greatest odd number of nodes up to min(7, nodes up); the first one should be the writer */
  voters: readonly TopologyNode[];
  /** all other nodes that are there, those that drain too: each node knows the topology */
  learners: readonly TopologyNode[];
}

/**
 * Spreads the system shard's voters over data centers, then zones, then numbers. A function of names and statuses alone.
 *
 * Weakness: in a cluster of very unequal data centers (5, 1, 1 nodes) the large one has the majority. If it is lost the
 * topology stands still until it is back; the data path goes on.
 */
export function placeSystem(nodes: readonly TopologyNode[]): SystemPlacement {
  const free = nodes.filter((node) => node.status === "up").sort((a, b) =>
    compareText(a.dataCenter, b.dataCenter) || compareText(a.zone, b.zone) || a.number - b.number
  );
  const wanted = Math.min(SYSTEM_VOTERS_MAX, free.length);
  const voters: TopologyNode[] = [];
  const count = (of: (node: TopologyNode) => boolean) => voters.filter(of).length;
  while (voters.length < (wanted % 2 === 1 ? wanted : wanted - 1)) {
    let best = 0;
    let bestRank = Infinity;
    free.forEach((node, at) => {
      const inDataCenter = count((voter) => voter.dataCenter === node.dataCenter);
      const inZone = count((voter) => voter.dataCenter === node.dataCenter && voter.zone === node.zone);
      const rank = inDataCenter * (SYSTEM_VOTERS_MAX + 1) + inZone;
      if (rank < bestRank) [best, bestRank] = [at, rank];
    });
    voters.push(...free.splice(best, 1));
  }
  // Who drains must know the topology to the end: it still routes, and has copies to give away.
  const learners = [...free, ...nodes.filter((node) => node.status === "draining")];
  return { voters, learners: learners.sort((a, b) => compareText(a.name, b.name)) };
}
