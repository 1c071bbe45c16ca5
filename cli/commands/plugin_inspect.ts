import type { PluginDetail } from "../../client.ts";
import { command } from "../command.ts";
import type { Output } from "../output.ts";

/** `waterpark plugin inspect` */
export const pluginInspect = command({
  description: "shows one plugin: its versions, how far they are, who did what to it",
  args: { name: { type: "positional", description: "plugin" } },
  examples: ["plugin inspect patient"],
  async run({ values, client, out }) {
    const plugin = await client.plugin(values.name);
    if (out.isJson) return out.json(plugin);
    out.data(`${out.paint("bold", plugin.name)}  ${plugin.kind}  version ${plugin.version}  ${plugin.stage}`);
    out.data(`  from      ${plugin.url || "-"}`);
    out.data(`  sha-256   ${plugin.hash}`);
    out.data(`  bytes     ${plugin.bytes}`);
    out.data(`  deployed  ${new Date(plugin.deployedAt).toISOString()}`);
    const parked = `${plugin.parkedEverywhere} actors`;
    out.data(`  parked    ${plugin.parkedEverywhere > 0 ? out.paint("red", parked) : parked}`);
    showDeclared(plugin, out);
    showVersions(plugin, out);
    showHistory(plugin, out);
    if (plugin.silent.length > 0) out.talk(out.paint("yellow", `no answer from ${plugin.silent.join(", ")}`));
  },
});

/** What the version that decides said of itself. */
function showDeclared({ version, versions }: PluginDetail, out: Output): void {
  const declares = versions.find((one) => one.version === version)?.declares ?? null;
  if (declares === null) return;
  const { permissions = {}, limits = {}, plugin: _kind, name: _name, ...others } = declares;
  const may = Object.entries(permissions as Record<string, unknown>).map(([what, where]) => `${what} ${said(where)}`);
  out.data(`  may       ${may.join("; ") || "nothing but answer"}`);
  for (const [what, values] of [["limits", limits], ["also", others]] as const) {
    const all = Object.entries(values as Record<string, unknown>).map(([key, value]) => `${key} ${said(value)}`);
    if (all.length > 0) out.data(`  ${what.padEnd(8)}  ${all.join("; ")}`);
  }
}

function said(value: unknown): string {
  return Array.isArray(value) ? value.join(", ") : typeof value === "object" ? JSON.stringify(value) : String(value);
}

function showVersions({ versions, folding }: PluginDetail, out: Output): void {
  if (versions.length === 0) return;
  out.data("");
  out.table(
    ["VERSION", "STAGE", "HASH", "ACTORS FOLDED", "SHARDS", "PARKED", "TAKEN BACK"],
    versions.map(({ version, stage, percent, actors, where, byItself, hash, withdrawn }) => {
      const more = actors.length > 0 ? ` and ${actors.length} actors` : "";
      const share = where === null ? `${percent} %${more}` : `at ${where}`;
      const part = stage === "canary" ? ` ${share}${byItself ? ", by itself" : ""}` : "";
      const along = folding.find((one) => one.version === version);
      const rest = along === undefined
        ? ["-", "-", "-"]
        : [`${along.actors} of ${along.actorsAll}`, `${along.shards} of ${along.shardsAll}`, along.parked];
      return [version, stage + part, hash.slice(0, 12), ...rest, withdrawn ?? ""];
    }),
  );
}

function showHistory({ history }: PluginDetail, out: Output): void {
  if (history.length === 0) return;
  out.data("");
  out.table(
    ["WHEN", "WHO", "WHAT", "VERSION", "STAGE", "HASH", "WHY"],
    history.map(({ at, by, deed, version, stage, percent, where, hash, reason }) => [
      at === 0 ? "-" : new Date(at).toISOString(),
      by,
      deed,
      version,
      stage === "canary" ? `canary ${where === null ? `${percent} %` : `at ${where}`}` : stage,
      hash.slice(0, 12),
      reason,
    ]),
  );
}
