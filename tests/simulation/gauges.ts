/**
 * Gauges: what is held in memory. Sampled all the time, against what each may be; and looked at when all has settled,
 * when nothing must be left: no posting, no waiter, no awake replica, no copy that placement does not want.
 */
import { MESH_LIMITS } from "../../runtime/transport/mod.ts";
import type { SimulatedCluster, SimulatedNode } from "./cluster.ts";

const SAMPLE_MS = 250;

/** Samples the gauges of all nodes for as long as the simulation runs. */
export function sampleGauges(cluster: SimulatedCluster): void {
  for (const node of cluster.living()) sample(cluster, node);
  cluster.time.after(SAMPLE_MS, () => sampleGauges(cluster));
}

function sample({ journal }: SimulatedCluster, { name, core }: SimulatedNode): void {
  const note = (gauge: string, value: number, max: number) => {
    const at = `${name} ${gauge}`;
    const known = journal.gauges.get(at);
    if (known === undefined) journal.gauges.set(at, { node: name, name: gauge, most: value, max });
    else if (value > known.most) known.most = value;
  };
  const { mailroom, replication, config } = core;
  note("postings", mailroom.pending(), config.mailroom.postingsMax);
  note("remote postings", mailroom.pendingRemote(), config.mailroom.remoteOpenMax);
  note("waiters", replication.counts().waiters, config.replication.waitersMax);
  for (const link of core.mesh.links()) {
    if (link.queuedBytes !== Infinity) note("queued bytes", link.queuedBytes, MESH_LIMITS.queueBytesMax);
  }
}

/**
 * What is left over on nodes that should have come to rest, in sentences; with `waitsForTimers` those that are not due,
 * too.
 */
export function leftOver(cluster: SimulatedCluster, options: { waitsForTimers: boolean }): string[] {
  const left: string[] = [];
  for (const { name, core } of cluster.living()) {
    const { mailroom, replication, effects, actors } = core;
    const topology = core.directory.topology!;
    const { replicas, awake, waiters } = replication.counts();
    const say = (count: number, what: string) => {
      if (count !== 0) left.push(`${name} has ${count} ${what}`);
    };
    say(mailroom.pending(), "open postings");
    say(mailroom.pendingRemote(), "open postings of others");
    say(waiters, "waiters");
    say(awake, "replicas awake");
    say(effects.owed(), "effects owed");
    say(actors.backlog(), "actors with messages not handled");
    const { open, lateMs } = core.timers.counts();
    if (lateMs > 0 || options.waitsForTimers) say(open, "timers open");
    const { voters, learners } = topology.systemPlacement();
    let wanted = [...voters, ...learners].filter((node) => node.name === name).length;
    for (const shard of topology.dataShards()) {
      if (topology.placementOf(shard).some((node) => node.name === name)) wanted++;
    }
    say(replicas - wanted, "replicas more than it should have");
  }
  return left;
}

/** What stands still for a fault of its plugin, in sentences: with a sound version in force there is nothing. */
export function standingStill(cluster: SimulatedCluster): string[] {
  return cluster.living().flatMap(({ name, core }) => {
    const count = core.actors.parkedCount("chain") + core.actors.parkedCount("census");
    return count === 0 ? [] : [`${name} has ${count} actors that stand still`];
  });
}
