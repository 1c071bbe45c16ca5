/**
 * Commands to the topology, and the gate through which they come: `readCommand` takes any value whatever, reads each field
 * once, and hands on clean data or a complaint. What is behind it need not doubt anything any more.
 */
import { KEY_PART_UNITS_MAX } from "../base/mod.ts";
import { isDataCenter, readNodeName } from "./node_name.ts";
import { DATA_SHARDS, SHARDS_PER_SET } from "./shard.ts";
import {
  BUNDLE_BYTES_MAX,
  CANARY_ACTORS_MAX,
  COPIES_MAX,
  GENERATION_MAX,
  NODES_MAX,
  type PluginKind,
  type PluginStage,
  type SettingValue,
  type Word,
} from "./state.ts";

/** A node as it asks to join; data center, zone and number follow from the name. */
export interface JoiningNode {
  /** `TN-A-1` */
  name: string;
  /** 1 to 2^52, fresh at each start */
  incarnation: number;
  /** `host:port` of its mesh, 1 to 300 characters */
  address: string;
  /** URL of its gateway */
  http: string | null;
  /** `host:port` of its MLLP listener */
  mllp: string | null;
  /** the newest version of the protocol that it speaks; left out: 1 */
  protocol?: number;
}

/**
 * What may be said to the topology.
 *
 * - `create` names the cluster; once, first of all.
 * - `join`: a node is up. Another incarnation of a name replaces the one before it for good. The join that brings the
 *   nodes up to `expect` gives birth to the shards.
 * - `birth`: gives birth with the nodes that there are.
 * - `absent`, `present`: incarnations believed lost, and back. More than one data center only with `force`.
 * - `drain`, `remove`: a node gives away its copies; a node is gone for good.
 * - `home`: gives a facility a shard set whose home is that data center; for ever, so before its first message.
 * - `deploy`, `promote`, `rollback`, `remove-plugin`: versions of a plugin. `promote` takes the newest where `version` is
 *   left out; `rollback` returns to the version that was live before, or takes the canary back where `from` names that.
 *   `word` says who wants it, and has the cluster speak version 2.
 * - `recover`: a shard that has lost its majority goes on from one survivor's copy, in the next generation; what only the
 *   lost copies had is lost.
 * - `revive`: as `recover`, for many shards at once: those whose members have all died, from what their journals hold.
 * - `leap`: the system shard itself was recovered; the version leaps beyond all that the lost copies may have had.
 * - `ack`: how many copies, in how many data centers, a receipt needs.
 * - `switch`, `setting`: a named flag; a named value, dropped by null.
 */
export type TopologyCommand =
  | {
    type: "create";
    clusterId: string;
    copies: number;
    expect: number;
    /** shards of each set that are used: 1, 2, 4, 8, 16, 32, or 64, as where it is left out */
    shardsPerSet?: number;
  }
  | { type: "join"; node: JoiningNode }
  | { type: "birth" }
  | { type: "absent"; incarnations: number[]; force?: boolean }
  | { type: "present"; incarnations: number[] }
  | {
    type: "drain";
    name: string;
    /** the life that is meant: a command that comes late must not drain the next one */
    incarnation?: number;
  }
  | {
    type: "remove";
    name: string;
    /** the life that is meant: a command that comes late must not remove the next one */
    incarnation?: number;
  }
  | { type: "home"; facility: string; dataCenter: string }
  | {
    type: "deploy";
    name: string;
    kind: PluginKind;
    /** kind of actor that a handler handles; left out: all */
    actorKind?: string;
    hash: string;
    url: string;
    bytes: Uint8Array;
    stage: PluginStage;
    atMs: number;
    /** of a canary; left out: 10; 0 only where actors are listed */
    percent?: number;
    /** of a canary: canonical keys of actors that it decides for */
    actors?: string[];
    /** what a function, source or sink declares, as JSON; has the cluster speak version 2 */
    manifest?: string;
    word?: Word;
  }
  | {
    type: "promote";
    name: string;
    /** left out: the newest that was not withdrawn */
    version?: number;
    /** left out: live */
    stage?: "canary" | "live";
    percent?: number;
    actors?: string[];
    word?: Word;
  }
  | {
    type: "rollback";
    name: string;
    /** the live version, or the canary, to be left: given, the command may be repeated without harm */
    from?: number;
    word?: Word;
  }
  | { type: "remove-plugin"; name: string }
  | {
    type: "recover";
    /** 0 to 1023 */
    shard: number;
    /** incarnation of an up node */
    survivor: number;
    /** the generation that is to end: a command that comes twice must not end two */
    from: number;
  }
  | {
    type: "revive";
    /** those that cannot be recovered (any more) are passed over */
    copies: { shard: number; survivor: number; from: number }[];
  }
  | {
    type: "leap";
    /** of the system shard, in which this is said */
    generation: number;
  }
  | { type: "ack"; copies: number; dataCenters: number }
  | { type: "switch"; name: string; on: boolean; word?: Word }
  | { type: "setting"; name: string; value: SettingValue | null };

/** A command, or why it is none. */
export type CommandReading = { command: TopologyCommand } | { complaint: string };

/** Says what is wrong with a field; never leaves this file. */
class Complaint extends Error {}

const MANIFEST_UNITS_MAX = 16_000;
const INCARNATION_MAX = 2 ** 52;
const PROTOCOL_MAX = 1_000_000;
const PLUGIN_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const FLAG_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const HASH = /^[0-9a-f]{64}$/;

/** Reads any value as a command. Never throws; the answer shares nothing with `value`. */
export function readCommand(value: unknown): CommandReading {
  try {
    if (typeof value !== "object" || value === null) throw new Complaint("it is no object");
    return { command: read(value as Fields) };
  } catch (error) {
    // Anything else comes out of the value itself: an accessor or a proxy of the caller's.
    return { complaint: error instanceof Complaint ? error.message : "its fields cannot be read" };
  }
}

type Fields = Readonly<Record<string, unknown>>;

function read(from: Fields): TopologyCommand {
  const type = from.type;
  switch (type) {
    case "create":
      return {
        type,
        clusterId: text(from.clusterId, "clusterId", 64),
        copies: integer(from.copies, "copies", 1, COPIES_MAX),
        expect: integer(from.expect, "expect", 1, NODES_MAX),
        shardsPerSet: from.shardsPerSet === undefined ? SHARDS_PER_SET : divisor(from.shardsPerSet, "shardsPerSet"),
      };
    case "join":
      return { type, node: joiningNode(from.node) };
    case "birth":
      return { type };
    case "absent":
      return { type, incarnations: incarnations(from.incarnations), force: from.force === true };
    case "present":
      return { type, incarnations: incarnations(from.incarnations) };
    case "drain":
    case "remove": {
      const name = nodeName(from.name);
      if (from.incarnation === undefined || from.incarnation === null) return { type, name };
      return { type, name, incarnation: integer(from.incarnation, "incarnation", 1, INCARNATION_MAX) };
    }
    case "home": {
      const dataCenter = from.dataCenter;
      if (!isDataCenter(dataCenter)) throw new Complaint("dataCenter is no name of a data center");
      return { type, facility: facility(from.facility), dataCenter };
    }
    case "deploy": {
      const stage = oneOf(from.stage, "stage", ["live", "dark", "canary"] as const);
      return {
        type,
        name: pattern(from.name, "name", PLUGIN_NAME),
        kind: oneOf(from.kind, "kind", ["handler", "function", "source", "sink"] as const),
        actorKind: text(from.actorKind ?? "*", "actorKind", KEY_PART_UNITS_MAX),
        hash: pattern(from.hash, "hash", HASH),
        url: text(from.url, "url", 2_000),
        bytes: bundle(from.bytes),
        stage,
        atMs: integer(from.atMs, "atMs", 0, Number.MAX_SAFE_INTEGER),
        ...partOfActors(from, stage),
        ...from.manifest === undefined ? {} : { manifest: text(from.manifest, "manifest", MANIFEST_UNITS_MAX) },
        ...wordIn(from),
      };
    }
    case "promote": {
      const name = pattern(from.name, "name", PLUGIN_NAME);
      const version = from.version ?? undefined;
      const stage = from.stage === undefined ? {} : { stage: oneOf(from.stage, "stage", ["canary", "live"] as const) };
      const part = stage.stage === "canary" ? partOfActors(from, "canary") : {};
      const rest = { ...stage, ...part, ...wordIn(from) };
      if (version === undefined) return { type, name, ...rest };
      return { type, name, version: integer(version, "version", 1, Number.MAX_SAFE_INTEGER), ...rest };
    }
    case "rollback": {
      const name = pattern(from.name, "name", PLUGIN_NAME);
      if (from.from === undefined || from.from === null) return { type, name, ...wordIn(from) };
      return { type, name, from: integer(from.from, "from", 1, Number.MAX_SAFE_INTEGER), ...wordIn(from) };
    }
    case "remove-plugin":
      return { type, name: pattern(from.name, "name", PLUGIN_NAME) };
    case "recover":
      return { type, ...recovery(from) };
    case "revive": {
      const { copies } = from;
      if (!Array.isArray(copies) || copies.length > DATA_SHARDS) throw new Complaint("copies is no list of shards");
      return { type, copies: copies.map((one) => recovery(Object(one))) };
    }
    case "leap":
      return { type, generation: integer(from.generation, "generation", 2, GENERATION_MAX) };
    case "ack":
      return {
        type,
        copies: integer(from.copies, "copies", 1, COPIES_MAX),
        dataCenters: integer(from.dataCenters, "dataCenters", 1, COPIES_MAX),
      };
    case "switch": {
      const on = from.on;
      if (typeof on !== "boolean") throw new Complaint("on is neither true nor false");
      return { type, name: pattern(from.name, "name", FLAG_NAME), on, ...wordIn(from) };
    }
    case "setting":
      return { type, name: pattern(from.name, "name", FLAG_NAME), value: settingValue(from.value) };
    default:
      throw new Complaint("its type is unknown");
  }
}

/** For which actors a canary decides. */
function partOfActors(from: Fields, stage: PluginStage): { percent: number; actors?: string[] } {
  if (stage !== "canary") return { percent: 0 };
  const { actors } = from;
  if (actors === undefined) return { percent: integer(from.percent ?? 10, "percent", 1, 100) };
  if (!Array.isArray(actors) || actors.length === 0 || actors.length > CANARY_ACTORS_MAX) {
    throw new Complaint(`actors is no list of 1 to ${CANARY_ACTORS_MAX} keys`);
  }
  const keys = Array.from({ length: actors.length }, (_, i) => text(actors[i], "actors", 3 * KEY_PART_UNITS_MAX + 2));
  return { percent: integer(from.percent ?? 0, "percent", 0, 100), actors: [...new Set(keys)].sort() };
}

function wordIn(from: Fields): { word?: Word } {
  const { word } = from;
  if (word === undefined) return {};
  if (typeof word !== "object" || word === null) throw new Complaint("word is no object");
  const { by, atMs, reason } = word as Fields;
  const said = { by: text(by, "by", 100), atMs: integer(atMs, "atMs", 0, Number.MAX_SAFE_INTEGER) };
  return { word: reason === undefined ? said : { ...said, reason: text(reason, "reason", 500) } };
}

function joiningNode(value: unknown): JoiningNode {
  if (typeof value !== "object" || value === null) throw new Complaint("node is no object");
  const from = value as Fields;
  return {
    name: nodeName(from.name),
    incarnation: integer(from.incarnation, "incarnation", 1, INCARNATION_MAX),
    address: text(from.address, "address", 300),
    http: textOrNull(from.http, "http", 300),
    mllp: textOrNull(from.mllp, "mllp", 300),
    protocol: integer(from.protocol ?? 1, "protocol", 1, PROTOCOL_MAX),
  };
}

function nodeName(value: unknown): string {
  if (readNodeName(value) === null) throw new Complaint("name is no node's name, like TN-A-1");
  return value as string;
}

function facility(value: unknown): string {
  const name = text(value, "facility", KEY_PART_UNITS_MAX);
  // Decoders of MessagePack and JSON treat this one key as something else than a key.
  if (name === "__proto__") throw new Complaint("facility is a reserved word");
  return name;
}

function incarnations(value: unknown): number[] {
  if (!Array.isArray(value)) throw new Complaint("incarnations is no list");
  const length = value.length;
  if (length > NODES_MAX) throw new Complaint(`incarnations are more than ${NODES_MAX}`);
  const list: number[] = [];
  for (let i = 0; i < length; i++) list.push(integer(value[i], "an incarnation", 1, INCARNATION_MAX));
  return list;
}

function bundle(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new Complaint("bytes are no bytes");
  if (value.length === 0 || value.length > BUNDLE_BYTES_MAX) {
    throw new Complaint(`bytes are ${value.length}, not 1 to ${BUNDLE_BYTES_MAX}`);
  }
  // A copy: the command's bytes may be a window into a frame, or into an entry of the log, and go on living there.
  return new Uint8Array(value);
}

function settingValue(value: unknown): SettingValue | null {
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "number" && Number.isFinite(value)) return value === 0 ? 0 : value;
  if (value === "") return value;
  return text(value, "value", 4_000);
}

function text(value: unknown, field: string, unitsMax: number): string {
  if (typeof value !== "string" || value === "" || value.length > unitsMax) {
    throw new Complaint(`${field} is not 1 to ${unitsMax} characters`);
  }
  // Half a surrogate pair would come back from the log as another character.
  if (/\p{Cc}/u.test(value) || !value.isWellFormed()) throw new Complaint(`${field} holds characters that it must not`);
  return value;
}

function textOrNull(value: unknown, field: string, unitsMax: number): string | null {
  return value === null || value === undefined ? null : text(value, field, unitsMax);
}

function pattern(value: unknown, field: string, rule: RegExp): string {
  if (typeof value !== "string" || !rule.test(value)) throw new Complaint(`${field} does not match ${rule.source}`);
  return value;
}

/** A number of shards into which 64 divide evenly: an actor's place is the rest of its place among 64. */
function divisor(value: unknown, name: string): number {
  const number = integer(value, name, 1, SHARDS_PER_SET);
  if (SHARDS_PER_SET % number !== 0) throw new Complaint(`${name} must divide ${SHARDS_PER_SET}`);
  return number;
}

function integer(value: unknown, field: string, min: number, max: number): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max) {
    throw new Complaint(`${field} is no whole number from ${min} to ${max}`);
  }
  return value === 0 ? 0 : value; // -0 is packed as another value than 0
}

function oneOf<T extends string>(value: unknown, field: string, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === value);
  if (found === undefined) throw new Complaint(`${field} is none of ${allowed.join(", ")}`);
  return found;
}

function recovery(from: Record<string, unknown>): { shard: number; survivor: number; from: number } {
  return {
    shard: integer(from.shard, "shard", 0, DATA_SHARDS - 1),
    survivor: integer(from.survivor, "survivor", 1, INCARNATION_MAX),
    from: integer(from.from, "from", 1, GENERATION_MAX - 1),
  };
}
