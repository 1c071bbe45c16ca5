/**
 * Topology: where everything is, as a function. Nodes, homes, plugins and settings are one plain value, made by applying
 * the system shard's commands in their order; every "where" is computed from it, by everyone alike, like a timetable that
 * all travellers carry instead of a desk that all must ask.
 *
 * It decides where copies *should* be and who should write. Who is a member, and who writes now, is in each shard's log.
 * Pure: no clock, no chance, no I/O. Costs per version of the topology: a sort of 2,048 marks for each node whose data
 * center's names have changed, then about 10 us for each shard that is asked for. Good up to 1,000 nodes.
 *
 * Reading order: `shard`, `hash_ring`, `placement`, `state`, `command`, `apply`, `topology`, `what_if`.
 *
 * @module
 */
export type { ActorKey } from "../base/mod.ts";
export { type Applied, applyCommand } from "./apply.ts";
export type { Accepted, AnswerDetails, CommandAnswer, Refused } from "./change.ts";
export { type JoiningNode, type TopologyCommand } from "./command.ts";
export { HashRing, type HashRingOptions, RING_NAMES_MAX } from "./hash_ring.ts";
export { assignHomes } from "./homes.ts";
export { type NodeName, parseNodeName, readNodeName } from "./node_name.ts";
export { COMMAND_SINCE, dated, protocolInForce, STAGES_SINCE } from "./protocol.ts";
export { copiesPossible } from "./placement.ts";
export { DATA_SHARDS, parseShard, SHARD_SETS, SHARDS_PER_SET, shardText, SYSTEM_SHARD } from "./shard.ts";
export {
  BUNDLE_BYTES_MAX,
  BUNDLES_BYTES_MAX,
  CANARY_ACTORS_MAX,
  COPIES_MAX,
  DEEDS_MAX,
  emptyState,
  FACILITIES_MAX,
  GENERATION_MAX,
  GONE_MAX,
  NODES_MAX,
  type NodeStatus,
  PAST_MAX,
  PLUGIN_VERSIONS_MAX,
  type PluginDeed,
  type PluginKind,
  type PluginRecord,
  PLUGINS_MAX,
  type PluginStage,
  type PluginVersion,
  type Recovery,
  SETTINGS_MAX,
  type SettingValue,
  type SwitchDeed,
  SWITCHES_MAX,
  type TopologyNode,
  type TopologyState,
  type Word,
} from "./state.ts";
export { EVERYWHERE_AFTER } from "./apply_plugins.ts";
export { decides, foldersOf, isAt, isCanaryActor, type PluginFolders } from "./stages.ts";
export { SYSTEM_VOTERS_MAX, type SystemPlacement } from "./system_placement.ts";
export { type AckRule, Topology } from "./topology.ts";
export {
  type NodeShare,
  type WhatIf,
  whatIf,
  type WhatIfChange,
  type WhatIfFacts,
  type WhatIfMove,
  type WhatIfNode,
} from "./what_if.ts";
