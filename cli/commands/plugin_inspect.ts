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
    showVersions(plugin, out);
    showHistory(plugin, out);
    if (plugin.silent.length > 0) out.talk(out.paint("yellow", `no answer from ${plugin.silent.join(", ")}`));
  },
});

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
