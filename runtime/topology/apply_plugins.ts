/**
 * Commands about plugins. One version at most is live. The version that it replaced goes on folding, `dark`, so that a
 * rollback needs no replay; `proven` marks those that a rollback may return to.
 */
import { accepted, type Change, type Refused, refused } from "./change.ts";
import type { TopologyCommand } from "./command.ts";
import {
  BUNDLES_BYTES_MAX,
  PLUGIN_VERSIONS_MAX,
  type PluginRecord,
  PLUGINS_MAX,
  type PluginVersion,
  type TopologyState,
} from "./state.ts";

/** A new version. The same bundle at the same stage once more is no new version: a deploy may be repeated. */
export function deploy(state: TopologyState, command: TopologyCommand & { type: "deploy" }): Change | Refused {
  const { name, kind, hash, url, bytes, stage, atMs: deployedAtMs } = command;
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
  if (standing?.hash === hash && standing.stage === stage && standing.percent === percent) {
    return accepted({}, { pluginVersion: standing.version });
  }
  const version = (newest?.version ?? 0) + 1;
  const fresh = {
    version,
    hash,
    url,
    bytes,
    stage: "dark" as const,
    percent: 0,
    proven: false,
    actorKind,
    deployedAtMs,
  };
  const longer = { ...record, versions: [...record.versions, fresh] };
  const staged = stage === "live" ? withLive(longer, version) : withVersion(longer, { ...fresh, stage, percent });
  const next = forgetOldest(staged);
  if (bundleBytes(state, name) + sum(next) > BUNDLES_BYTES_MAX) {
    return refused(
      "topology/too-many-bundles",
      `Cannot deploy "${name}" as all bundles together have at most ${BUNDLES_BYTES_MAX} bytes`,
    );
  }
  return accepted(withPlugin(state, next), { pluginVersion: version });
}

/** A version goes live: the newest, or the one named. */
export function promote(state: TopologyState, name: string, version?: number): Change | Refused {
  const record = pluginOf(state, name);
  if (record === null) return noSuchPlugin("promote", name);
  const found = version === undefined ? record.versions.at(-1)! : versionOf(record, version);
  if (found === undefined) {
    const kept = record.versions.map((one) => one.version).join(", ");
    return refused(
      "topology/no-such-version",
      `Cannot promote "${name}" to version ${version} as it has only: ${kept}`,
    );
  }
  if (record.live === found.version) return accepted({}, { pluginVersion: found.version });
  return accepted(withPlugin(state, withLive(record, found.version)), { pluginVersion: found.version });
}

/** The version that was live before is live again; the one left is not to be returned to. */
export function rollback(state: TopologyState, name: string, from?: number): Change | Refused {
  const record = pluginOf(state, name);
  if (record === null) return noSuchPlugin("roll back", name);
  if (from !== undefined && record.live !== from) return accepted({}, { pluginVersion: record.live ?? 0 });
  const before = rollbackTarget(record);
  if (before === undefined) {
    return refused("topology/no-such-version", `Cannot roll back "${name}" as no earlier version of it was live`);
  }
  const left = versionOf(record, record.live)!;
  const back = withVersion(withLive(record, before.version), { ...left, stage: "dark", proven: false });
  return accepted(withPlugin(state, back), { pluginVersion: before.version });
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

function withLive(record: PluginRecord, version: number): PluginRecord {
  const versions = record.versions.map((one): PluginVersion => {
    if (one.version === version) return { ...one, stage: "live", percent: 0, proven: true };
    return one.version === record.live ? { ...one, stage: "dark" } : one;
  });
  return { ...record, live: version, versions };
}

function forgetOldest(record: PluginRecord): PluginRecord {
  if (record.versions.length <= PLUGIN_VERSIONS_MAX) return record;
  const newest = record.versions.at(-1);
  const target = rollbackTarget(record);
  const oldest = record.versions.find((one) => one.version !== record.live && one !== target && one !== newest);
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
