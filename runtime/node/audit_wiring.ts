/**
 * What an audit sees of a core's rooms.
 */
import { Auditing } from "./auditing.ts";
import type { NodeCore } from "./core.ts";

/** The auditing of a core. */
export function auditingOf(core: NodeCore): Auditing {
  const { world, self, requests, replication, config } = core;
  return new Auditing({
    world,
    self: self.incarnation,
    requests,
    topology: () => core.directory.require(),
    copyOf(shard) {
      const state = replication.stateOf(shard);
      if (state === null) return null;
      const { store, generation, term, commit } = state;
      return { store, generation, term, commit, last: store.lastIndex, voters: replication.members(shard) };
    },
    writerOf: (shard) => replication.hint(shard)?.writer ?? 0,
    isSuspect: (incarnation) => core.isSuspect(incarnation),
    needed: () => core.directory.require().effectiveAck(config.ack),
    config: config.audit,
  });
}
