/**
 * The topology as plain data: what the system shard's history comes to. Everything in it is MessagePack-able, immutable
 * by agreement, and equal on all nodes that stand at the same version. Only `applyCommand` makes a new one.
 */
import { SHARDS_PER_SET } from "./shard.ts";

/** The most nodes of a cluster. */
export const NODES_MAX = 1_000;
/** The most facilities with an entry of their own; the others need none, their set comes by hash. */
export const FACILITIES_MAX = 100_000;
/** The most plugins. */
export const PLUGINS_MAX = 200;
/** Versions kept of a plugin; the live one and the one to roll back to are never the ones dropped. */
export const PLUGIN_VERSIONS_MAX = 5;
/** The largest bundle, in bytes. */
export const BUNDLE_BYTES_MAX: number = 4 * 1024 * 1024;
/** All bundles together, in bytes: every node holds them in RAM. */
export const BUNDLES_BYTES_MAX: number = 256 * 1024 * 1024;
/** The most switches. */
export const SWITCHES_MAX = 1_000;
/** The most settings. */
export const SETTINGS_MAX = 1_000;
/** The most copies of a shard that a cluster may be created with. */
export const COPIES_MAX = 9;
/** Names of removed nodes that are remembered; past it the oldest is forgotten, and a few copies may move. */
export const GONE_MAX = 1_000;
/** Incarnations that may not come back and are remembered; past it the oldest is forgotten. */
export const PAST_MAX = 4_096;

/** `up` is usable by placement; `draining` gives away what it has; `absent` is believed lost and its copies replaced. */
export type NodeStatus = "up" | "draining" | "absent";

/** One node. */
export interface TopologyNode {
  /** `TN-A-1` */
  name: string;
  /** from the name */
  dataCenter: string;
  /** from the name */
  zone: string;
  /** from the name */
  number: number;
  /** the one life of the process that counts, 1 to 2^52 */
  incarnation: number;
  /** `host:port` of its mesh */
  address: string;
  /** URL of its gateway */
  http: string | null;
  /** `host:port` of its MLLP listener */
  mllp: string | null;
  /** what the topology holds of it */
  status: NodeStatus;
  /** the newest version of the protocol that it speaks */
  protocol: number;
}

/** The four kinds of plugins. */
export type PluginKind = "handler" | "function" | "source" | "sink";

/** How far a version may act: fold and be compared, act for some actors, act. */
export type PluginStage = "live" | "dark" | "canary";

/** One deployed version of a plugin. */
export interface PluginVersion {
  /** counts up from 1 for each plugin */
  version: number;
  /** SHA-256 of `bytes`, 64 lower-case hexadecimal digits, as the deployer says: whoever loads it checks */
  hash: string;
  /** where it came from; for people */
  url: string;
  /** the bundle */
  bytes: Uint8Array;
  /** `live` for one version at most; the one that it replaces goes on folding as `dark` */
  stage: PluginStage;
  /** part of the actors for a canary, 1 to 100; 0 otherwise */
  percent: number;
  /** has been live and was not rolled back: what a rollback may return to */
  proven: boolean;
  /** kind of actor that a handler handles; `*` all */
  actorKind: string;
  /** wall clock of the deployer, ms; for people */
  deployedAtMs: number;
  /** of a function, source or sink: what it declares, as JSON */
  manifest?: string;
  /** of a canary: canonical keys of actors for which it decides whatever their hash says */
  actors?: string[];
  /** taken back, and why: it folds no more, and is not what a promotion means that names no version */
  withdrawn?: string;
  /** when it ceased to be live, ms: it goes on folding for a while, so that a rollback replays nothing */
  leftAtMs?: number;
}

/** Who said something to the topology, when, and why. */
export interface Word {
  /** name of the token; `unknown` where there is none */
  by: string;
  /** wall clock of the node that was asked, ms; for people */
  atMs: number;
  /** for people */
  reason?: string;
}

/** Deeds that are remembered of a plugin, and of all switches; past it the oldest is forgotten. */
export const DEEDS_MAX = 100;
/** Actors that a canary may list. */
export const CANARY_ACTORS_MAX = 100;

/** One line of a plugin's history. */
export interface PluginDeed extends Word {
  /** what was done */
  deed: "deploy" | "promote" | "rollback";
  /** the version that it put in its place; of a rollback, the one that was left */
  version: number;
  /** SHA-256 of its bundle */
  hash: string;
  /** stage of that version from then on */
  stage: PluginStage;
  /** of a canary */
  percent: number;
}

/** One line of the switches' history. */
export interface SwitchDeed extends Word {
  /** of the switch */
  name: string;
  /** what it was set to */
  on: boolean;
  /** of the topology from which on it is so */
  version: number;
}

/** A plugin with the versions kept, oldest first. */
export interface PluginRecord {
  /** its name */
  name: string;
  /** fixed by its first version */
  kind: PluginKind;
  /** number of the version whose outcomes count; null before there is one */
  live: number | null;
  /** at most {@linkcode PLUGIN_VERSIONS_MAX} */
  versions: PluginVersion[];
  /** who did what, oldest first; at most {@linkcode DEEDS_MAX}. Left out in what older code has written */
  deeds?: PluginDeed[];
}

/** A setting's value; a setting set to null is dropped. */
export type SettingValue = string | number | boolean;

/** The greatest generation of a shard: terms, which are 32 bits, leap with it. */
export const GENERATION_MAX = 4_000;

/** How a shard was revived last. */
export interface Recovery {
  /** 2 at least; whatever speaks of a lower one is refused for ever */
  generation: number;
  /** the incarnation whose copy counts from then on, as it stood */
  survivor: number;
}

/** The topology at one version. */
export interface TopologyState {
  /** `""` until the cluster is created */
  clusterId: string;
  /** 0 at first, one more with each command that changed something */
  version: number;
  /** copies of each shard, as far as there are nodes */
  copies: number;
  /** nodes up at which the shards are born */
  expect: number;
  /** shards in use of each set, the first ones; 64, or a divisor of it where a cluster was created small; fixed for ever */
  shardsPerSet: number;
  /** sorted by name */
  nodes: TopologyNode[];
  /** home data center of each of the 16 sets; `[]` until birth */
  homes: string[];
  /** sets of the facilities that have an entry */
  facilities: Record<string, number>;
  /**
   * at which version the shards were born, and the incarnations of their first voters, in slot order; none for the numbers
   * that are not in use
   */
  born: { version: number; members: number[][] } | null;
  /** by name */
  plugins: Record<string, PluginRecord>;
  /** feature flags, by name */
  switches: Record<string, boolean>;
  /** who set which, oldest first; at most {@linkcode DEEDS_MAX}. Left out in what older code has written */
  switchDeeds?: SwitchDeed[];
  /** settings of the whole cluster, by name */
  settings: Record<string, SettingValue>;
  /** what a receipt needs, as far as the topology has it; null: as the nodes' defaults say */
  ack: { copies: number; dataCenters: number } | null;
  /** generation of the system shard in which this was said; 1 from birth */
  systemGeneration: number;
  /** shards that an operator has revived after they had lost their majority, by number */
  recovered: Record<string, Recovery>;
  /** names of removed nodes, oldest first: their marks stay on the ring, so that a writer's zone keeps its shards */
  gone: string[];
  /** incarnations replaced or removed, oldest first: a late join of one must not bring it back */
  past: number[];
  /** the highest version of the protocol of any command that was applied: who speaks less is not let in any more */
  spoken: number;
}

/** The topology before any command. */
export function emptyState(): TopologyState {
  return {
    clusterId: "",
    version: 0,
    copies: 0,
    expect: 0,
    shardsPerSet: SHARDS_PER_SET,
    nodes: [],
    homes: [],
    facilities: {},
    born: null,
    plugins: {},
    switches: {},
    switchDeeds: [],
    settings: {},
    ack: null,
    systemGeneration: 1,
    recovered: {},
    gone: [],
    past: [],
    spoken: 1,
  };
}
