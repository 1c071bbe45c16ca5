/**
 * The protocol's version: what this code can read, in one number and in one place.
 *
 * Two nodes speak the highest version that both know; a cluster may hold both kinds while it is upgraded node by node. So
 * whoever changes what is said between nodes (a kind of frame or record, a field, a request, a command to the topology,
 * an entry of a log) raises `newest` by one and says it only to those who speak that version:
 *
 * - to one peer: `mesh.versionOf(incarnation)` tells what the two have agreed on;
 * - to the whole cluster, in a log that all nodes read: `COMMAND_SINCE` of `runtime/topology/protocol.ts`.
 *
 * `oldest` follows when nobody runs the old code any more. What does not depend on it: the layout of a frame's header, and
 * the fields of a hello and of a joining node, which may gain fields that others pass over.
 */
export interface ProtocolRange {
  /** a peer that speaks nothing newer is refused */
  oldest: number;
  /** what is spoken with those who know it */
  newest: number;
}

/** What this code speaks. */
export const PROTOCOL: Readonly<ProtocolRange> = { oldest: 1, newest: 2 };

/** The version that two speak with each other; null: they have none in common. */
export function commonVersion(a: ProtocolRange, b: ProtocolRange): number | null {
  const version = Math.min(a.newest, b.newest);
  return version >= Math.max(a.oldest, b.oldest) ? version : null;
}
