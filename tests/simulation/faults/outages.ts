import type { Fault } from "./ground.ts";

/** All machines lose their power at the same moment, and come back one by one: all that is left is on their disks. */
export const outages: Fault = {
  name: "outages",
  everyMs: ({ hasDisks, outageEveryMs }) => hasDisks ? outageEveryMs : 0,
  strike(ground) {
    if (!ground.bound.take()) return;
    const { cluster } = ground;
    ground.trace("outage", "-");
    cluster.journal.outages++;
    for (const { name } of cluster.living()) cluster.crash(name);
    // The first is back at once, and finds nobody: somebody must be there for those who ask.
    const first = cluster.names[ground.random.below(cluster.names.length)];
    cluster.boot(first);
    for (const { name } of [...cluster.nodes.values()]) {
      if (name === first) continue;
      // Also after faults have ended: nobody else would do it before.
      cluster.time.after(ground.between(100, 3000), () => {
        if (!cluster.nodes.get(name)!.isAlive) cluster.boot(name);
      });
    }
    ground.after(3100, () => ground.bound.giveBackWhenWhole(ground));
  },
};
