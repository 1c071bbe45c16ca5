import type { SimulatedNode } from "../cluster.ts";
import type { Fault, Ground } from "./ground.ts";

/** Nodes end without a word and come back with amnesia: one, two, a zone, a data center. */
export const crashes: Fault = {
  name: "crashes",
  everyMs: (options) => options.crashEveryMs,
  strike(ground) {
    if (!ground.bound.take()) return;
    for (const { name } of victimsOf(ground)) {
      ground.cluster.crash(name);
      ground.cluster.time.after(300 + ground.random.next() * 4000, () => {
        if (!ground.cluster.nodes.get(name)!.isAlive) ground.cluster.boot(name);
      });
    }
    ground.bound.giveBackWhenWhole(ground);
  },
};

function victimsOf({ cluster, random, bound }: Ground): SimulatedNode[] {
  const { dataCenterRate, zoneRate } = cluster.options;
  const living = cluster.living();
  const first = living[random.below(living.length)];
  const mayLoseMany = bound.mayLoseDataCenter;
  if (random.next() < dataCenterRate && mayLoseMany) {
    return living.filter((node) => node.dataCenter === first.dataCenter);
  }
  if (zoneRate > 0 && random.next() < zoneRate && mayLoseMany) {
    return living.filter((node) => zoneOf(node) === zoneOf(first));
  }
  if (random.next() >= 0.3 || bound.nodesMax < 2) return [first];
  const other = living[random.below(living.length)];
  return other === first ? [first] : [first, other];
}

function zoneOf({ name }: SimulatedNode): string {
  return name.slice(0, name.lastIndexOf("-"));
}
