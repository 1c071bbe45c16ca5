import type { SinkCounts } from "../effects/mod.ts";
import type { Sample } from "../telemetry/mod.ts";
import type { NodeCore } from "./core.ts";

/** What `/metrics` tells of a node's rooms. */
export function samplesOf(core: NodeCore): Sample[] {
  const { replication, mailroom, actors, effects, timers, directory, membership, mesh, recovering, relaying } = core;
  const { journal, sealing, retention } = core;
  const counts = replication.counts();
  const due = timers.counts();
  const links = mesh.links();
  const sum = (of: (link: typeof links[number]) => number) => links.reduce((total, link) => total + of(link), 0);
  return [
    ...effects.sinkCounts().flatMap(samplesOfSink),
    {
      name: "topology_version",
      help: "version of the topology in force here",
      value: directory.topology?.version ?? 0,
    },
    { name: "shard_copies", help: "shards of which this node holds a copy", value: counts.replicas },
    { name: "shard_writers", help: "shards that this node writes", value: counts.writers },
    { name: "shards_awake", help: "copies with something left to do", value: counts.awake },
    { name: "journal_bytes", help: "bytes of the journal's files", value: journal?.diskBytes ?? 0 },
    { name: "journal_faulty", help: "1 while the journal cannot be written", value: journal?.fault == null ? 0 : 1 },
    { name: "log_bytes", help: "bytes of entries held in memory", value: counts.bytes },
    ...sealing.samples(),
    ...retention.samples(),
    {
      name: "receipts_owed",
      help: "messages appended here whose receipt is not due yet",
      value: counts.waiters,
    },
    {
      name: "mailroom_pending",
      help: "messages taken in here that wait for their receipt",
      value: mailroom.pending(),
    },
    { name: "handling_backlog", help: "recorded messages that handlers have not seen", value: actors.backlog() },
    { name: "effects_owed", help: "committed effects not carried out yet", value: effects.owed() },
    { name: "timers_open", help: "scheduled messages of the shards written here", value: due.open },
    { name: "timers_late_ms", help: "by how much the one that is due longest is late", value: due.lateMs },
    {
      name: "clock_ahead_ms",
      help: "this node's wall clock against the median of its peers'; beyond 2000 no timer fires here",
      value: membership.clockAheadMs(),
    },
    {
      name: "shards_without_majority",
      help: "shards with a copy here that stand still, as a majority of their copies is gone",
      value: recovering.standingStill,
    },
    {
      name: "shards_short_of_copies",
      help: "shards written here that do not have all their copies where placement wants them",
      value: core.wholeness.shortHere(),
    },
    {
      name: "lost_copies",
      help: "copies of ended generations held here: waterpark lost list",
      value: replication.generations.lost.length,
    },
    {
      name: "frames_unknown",
      help: "frames of kinds that this version does not know",
      value: core.unknownFrames,
    },
    { name: "links", help: "peers with a link", value: links.length },
    { name: "tripwires", help: "links whose peer's death shows at once by a closed TCP", value: mesh.tripwiresHeld },
    { name: "peers_suspected", help: "times that a peer was suspected", value: membership.suspicions },
    {
      name: "ways_broken",
      help: "peers that are not reached directly, dead ones too",
      value: membership.brokenWays,
    },
    ...relaying.samples(),
    { name: "link_queued_bytes", help: "bytes queued to peers", value: sum((link) => link.queuedBytes) },
    {
      name: "link_frames_out",
      help: "frames sent to peers since the links came up",
      value: sum((link) => link.framesOut),
    },
    {
      name: "link_bytes_out",
      help: "bytes sent to peers since the links came up",
      value: sum((link) => link.bytesOut),
    },
    {
      name: "link_bytes_in",
      help: "bytes received from peers since the links came up",
      value: sum((link) => link.bytesIn),
    },
  ];
}

/** What has become of deliveries to one sink, on this node since it began. */
function samplesOfSink({ sink, done, retried, dead, inHand, held }: SinkCounts): Sample[] {
  const labels = { sink };
  return [
    { name: "sink_deliveries_done", help: "deliveries that the sink's target has taken", value: done, labels },
    { name: "sink_deliveries_retried", help: "attempts that failed and were made again", value: retried, labels },
    { name: "sink_deliveries_dead", help: "deliveries laid aside as dead letters", value: dead, labels },
    { name: "sink_deliveries_in_hand", help: "deliveries decided and not carried out, in hand", value: inHand, labels },
    { name: "sink_deliveries_held", help: "deliveries that hold up their actor's later ones", value: held, labels },
  ];
}
