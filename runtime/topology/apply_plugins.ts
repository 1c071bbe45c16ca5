/**
 * Commands about plugins. One version at most is live, and one at most a canary. The version that was replaced goes on
 * folding, `dark`, so that a rollback needs no replay; `proven` marks those that a rollback may return to.
 */
import { accepted, type Change, type Refused, refused } from "./change.ts";
import type { TopologyCommand } from "./command.ts";
import {
  BUNDLES_BYTES_MAX,
  DEEDS_MAX,
  PLUGIN_VERSIONS_MAX,
  type PluginDeed,
  type PluginRecord,
  PLUGINS_MAX,
  type PluginStage,
  type PluginVersion,
  type TopologyState,
  type Word,
} from "./state.ts";

/** A new version. The same bundle at the same stage once more is no new version: a deploy may be repeated. */
export function deploy(state: TopologyState, command: TopologyCommand & { type: "deploy" }): Change | Refused {
  const { name, kind, hash, url, bytes, stage, atMs: deployedAtMs, actors } = command;
  const percent = command.percent ?? 0;
  const actorKind = command.actorKind ?? "*";
  const old = pluginOf(state, name);
  if (old === null && Object.keys(state.plugins).length >= PLUGINS_MAX) {
    return refused(
      "topology/too-many-plugins",
      `Cannot deploy "${name}" as a cluster has at most ${PLUGINS_MAX} plugins`,
    );
  }
  if (old !== null && old.kind !== kind) {
    return refused("topology/kind-fixed", `Cannot deploy "${name}" as a ${kind} as its kind is fixed: ${old.kind}`);
  }
  const record = old ?? { name, kind, live: null, versions: [] };
  const newest = record.versions.at(-1);
  const standing = stage === "live" ? versionOf(record, record.live) : newest;
  const isSame = standing?.hash === hash && standing.stage === stage && standing.percent === percent &&
    standing.withdrawn === undefined && String(standing.actors ?? "") === String(actors ?? "");
  if (isSame) return accepted({}, { pluginVersion: standing.version });
  const version = (newest?.version ?? 0) + 1;
  const fresh: PluginVersion = {
    version,
    hash,
    url,
    bytes,
    stage: "dark",
    percent: 0,
    proven: false,
    actorKind,
    deployedAtMs,
    ...command.manifest === undefined ? {} : { manifest: command.manifest },
  };
  const word = command.word ?? { by: "unknown", atMs: deployedAtMs };
  const longer = { ...record, versions: [...record.versions, fresh] };
  const staged = withStage(longer, version, { stage, percent, actors, atMs: word.atMs });
  const next = withDeed(forgetOldest(staged), { ...word, deed: "deploy", version, hash, stage, percent });
  if (bundleBytes(state, name) + sum(next) > BUNDLES_BYTES_MAX) {
    return refused(
      "topology/too-many-bundles",
      `Cannot deploy "${name}" as all bundles together have at most ${BUNDLES_BYTES_MAX} bytes`,
    );
  }
  return accepted(withPlugin(state, next), { pluginVersion: version });
}

/** A version goes live, or is a canary's: the newest that was not withdrawn, or the one named. */
export function promote(state: TopologyState, command: TopologyCommand & { type: "promote" }): Change | Refused {
  const { name, version, stage = "live", percent = 0, actors, word = { by: "unknown", atMs: 0 } } = command;
  const record = pluginOf(state, name);
  if (record === null) return noSuchPlugin("promote", name);
  const newest = record.versions.findLast((one) => one.withdrawn === undefined) ?? record.versions.at(-1)!;
  const found = version === undefined ? newest : versionOf(record, version);
  if (found === undefined) {
    const kept = record.versions.map((one) => one.version).join(", ");
    return refused(
      "topology/no-such-version",
      `Cannot promote "${name}" to version ${version} as it has only: ${kept}`,
    );
  }
  if (stage === "canary" && record.live === found.version) {
    return refused("topology/is-live", `Cannot make version ${found.version} of "${name}" a canary as it is live`);
  }
  const isSame = stage === "live"
    ? record.live === found.version
    : found.stage === "canary" && found.percent === percent && String(found.actors ?? "") === String(actors ?? "");
  if (isSame) return accepted({}, { pluginVersion: found.version });
  const next = withStage(record, found.version, { stage, percent, actors, atMs: word.atMs });
  const { version: number, hash } = found;
  const told = withDeed(next, { ...word, deed: "promote", version: number, hash, stage, percent });
  return accepted(withPlugin(state, told), { pluginVersion: number });
}

/**
 * The version that was live before is live again, and the one left is not to be returned to; or, where `from` names a
 * version that is not live, that one decides and folds no more.
 */
export function rollback(state: TopologyState, command: TopologyCommand & { type: "rollback" }): Change | Refused {
  const { name, from, word } = command;
  const record = pluginOf(state, name);
  if (record === null) return noSuchPlugin("roll back", name);
  if (from !== undefined && record.live !== from) return withdraw(state, record, command);
  const before = rollbackTarget(record);
  if (before === undefined) {
    return refused("topology/no-such-version", `Cannot roll back "${name}" as no earlier version of it was live`);
  }
  const left = versionOf(record, record.live)!;
  const back = withVersion(
    withStage(record, before.version, { stage: "live", percent: 0, atMs: word?.atMs ?? 0 }),
    asWithdrawn(left, word),
  );
  return accepted(withPlugin(state, withRollback(back, left, word)), { pluginVersion: before.version });
}

/** Said by older code, without a word, it means: that version is not live, so there is nothing to be done. */
function withdraw(
  state: TopologyState,
  record: PluginRecord,
  { from, word }: TopologyCommand & { type: "rollback" },
): Change | Refused {
  const left = versionOf(record, from ?? null);
  const isLeft = left === undefined || left.withdrawn !== undefined || left.leftAtMs !== undefined;
  if (word === undefined || isLeft) return accepted({}, { pluginVersion: record.live ?? 0 });
  const next = withVersion(record, asWithdrawn(left, word));
  return accepted(withPlugin(state, withRollback(next, left, word)), { pluginVersion: record.live ?? 0 });
}

/** Without a word it is older code's, which knows no more than that it is not to be returned to. */
function asWithdrawn({ actors: _, ...version }: PluginVersion, word?: Word): PluginVersion {
  const dark = { ...version, stage: "dark" as const, percent: 0, proven: false };
  return word === undefined ? dark : { ...dark, withdrawn: word.reason ?? "rolled back" };
}

function withRollback(record: PluginRecord, { version, hash }: PluginVersion, word?: Word): PluginRecord {
  const said = word ?? { by: "unknown", atMs: 0 };
  return withDeed(record, { ...said, deed: "rollback", version, hash, stage: "dark", percent: 0 });
}

function withDeed(record: PluginRecord, deed: PluginDeed): PluginRecord {
  return { ...record, deeds: [...record.deeds ?? [], deed].slice(-DEEDS_MAX) };
}

/** A plugin and all its versions go. What they did stays in the histories. */
export function removePlugin(state: TopologyState, name: string): Change | Refused {
  if (pluginOf(state, name) === null) return noSuchPlugin("remove", name);
  const { [name]: _, ...plugins } = state.plugins;
  return accepted({ plugins });
}

function pluginOf(state: TopologyState, name: string): PluginRecord | null {
  return Object.hasOwn(state.plugins, name) ? state.plugins[name] : null;
}

function versionOf(record: PluginRecord, version: number | null): PluginVersion | undefined {
  return record.versions.find((one) => one.version === version);
}

function rollbackTarget(record: PluginRecord): PluginVersion | undefined {
  return record.versions.findLast((one) => one.proven && record.live !== null && one.version < record.live);
}

function withVersion(record: PluginRecord, version: PluginVersion): PluginRecord {
  return { ...record, versions: record.versions.map((one) => one.version === version.version ? version : one) };
}

/** Puts a version at a stage. One version at most is live, and one at most a canary: whoever was gives way. */
function withStage(
  record: PluginRecord,
  number: number,
  to: { stage: PluginStage; percent: number; actors?: string[]; atMs: number },
): PluginRecord {
  const { stage, percent, actors } = to;
  const versions = record.versions.map((one): PluginVersion => {
    const { actors: _, withdrawn: _why, leftAtMs: _when, ...plain } = one;
    if (one.version === number) {
      const part = actors === undefined || stage !== "canary" ? {} : { actors };
      return {
        ...plain,
        stage,
        percent: stage === "canary" ? percent : 0,
        proven: one.proven || stage === "live",
        ...part,
      };
    }
    if (stage === "live" && one.version === record.live) return { ...plain, stage: "dark", leftAtMs: to.atMs };
    return stage !== "dark" && one.stage === "canary" ? { ...plain, stage: "dark", percent: 0 } : one;
  });
  return { ...record, live: stage === "live" ? number : record.live, versions };
}

function forgetOldest(record: PluginRecord): PluginRecord {
  if (record.versions.length <= PLUGIN_VERSIONS_MAX) return record;
  const newest = record.versions.at(-1);
  const target = rollbackTarget(record);
  const isKept = (one: PluginVersion) =>
    one.version === record.live || one === target || one === newest || one.stage === "canary";
  const oldest = record.versions.find((one) => !isKept(one));
  return { ...record, versions: record.versions.filter((one) => one !== oldest) };
}

function withPlugin(state: TopologyState, record: PluginRecord): Change["fields"] {
  return { plugins: { ...state.plugins, [record.name]: record } };
}

function bundleBytes(state: TopologyState, except: string): number {
  let total = 0;
  for (const record of Object.values(state.plugins)) if (record.name !== except) total += sum(record);
  return total;
}

function sum(record: PluginRecord): number {
  return record.versions.reduce((total, version) => total + version.bytes.length, 0);
}

function noSuchPlugin(action: string, name: string): Refused {
  return refused("topology/no-such-plugin", `Cannot ${action} "${name}" as no plugin has that name`);
}
