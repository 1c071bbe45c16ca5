/**
 * Observing: what one life of a node does, written into the journal, which checkers read, and into the trace, which
 * people read.
 */
import type { CoreObserver } from "../../runtime/node/mod.ts";
import { ENTRY } from "../../runtime/storage/mod.ts";
import { shardText } from "../../runtime/topology/mod.ts";
import type { SimulatedNode } from "./cluster.ts";
import type { Recorder } from "./recorder.ts";
import type { Trace } from "./trace.ts";

/** Watches `node`; nothing of what it does depends on being watched. */
export function observing(node: SimulatedNode, options: { recorder: Recorder; trace: Trace | null }): CoreObserver {
  const { recorder, trace } = options;
  const { name } = node;
  const committed: CoreObserver["committed"] = (shard, first, last, as) =>
    recorder.committed(node, { shard, first, last, ...as });
  if (trace === null) return { committed };
  const nameOf = (incarnation: number) => node.core.nameOf(incarnation);
  return {
    committed(shard, first, last, as) {
      committed(shard, first, last, as);
      if (trace.isFull) {
        const details = { shard: shardText(shard), first, last, term: as.term, writer: as.isWriter };
        trace.write({ node: name, room: "replication", event: "commits", ...details });
      }
      if (!as.isWriter) return;
      const store = node.core.replication.store(shard)!;
      for (let index = first; index <= last; index++) {
        if (store.kindAt(index) !== ENTRY.CONFIG) continue;
        const members = node.core.replication.members(shard).map(nameOf);
        const details = { shard: shardText(shard), term: as.term, index, members };
        trace.write({ node: name, room: "replication", event: "configured", ...details });
      }
    },
    linked(incarnation, up) {
      if (!trace.isFull && up) return;
      trace.write({ node: name, room: "mesh", event: up ? "link-up" : "link-down", peer: nameOf(incarnation) });
    },
    suspects(incarnation, isSuspect) {
      const event = isSuspect ? "suspects" : "trusts";
      trace.write({ node: name, room: "membership", event, peer: nameOf(incarnation), incarnation });
    },
    campaigns(shard, term, isReal) {
      const event = isReal ? "election" : "pre-vote";
      trace.write({ node: name, room: "replication", event, shard: shardText(shard), term });
    },
    writes(shard, isWriter, term) {
      const event = isWriter ? "writer-gained" : "writer-lost";
      trace.write({ node: name, room: "replication", event, shard: shardText(shard), term });
    },
    published(version, nodes) {
      trace.write({ node: name, room: "topology", event: "published", version, nodes });
    },
  };
}
