import type { PluginDiffView } from "../../client.ts";
import { command } from "../command.ts";
import type { Output } from "../output.ts";

/** `waterpark plugin diff` */
export const pluginDiff = command({
  description: "shows in what versions differ that have folded the same messages",
  args: { name: { type: "positional", description: "plugin" } },
  examples: ["plugin diff census", "plugin diff census --json"],
  async run({ values, client, out }) {
    const view = await client.pluginDiff(values.name);
    if (out.isJson) return out.json(view);
    if (view.diffs.length === 0) out.talk("nothing has been compared: deploy a version with --stage dark or canary");
    for (const diff of view.diffs) show(diff, out);
    if (view.silent.length > 0) out.talk(out.paint("yellow", `no answer from ${view.silent.join(", ")}`));
  },
});

function show(diff: PluginDiffView["diffs"][number], out: Output): void {
  const { compared, equal, skipped, actors, counts, paths, examples, blocking } = diff;
  const short = ({ version, hash }: { version: number; hash: string }) => `version ${version} (${hash.slice(0, 12)})`;
  out.data(out.paint("bold", `${short(diff.old)} against ${short(diff.new)}`));
  out.data(`  compared   ${compared} messages of ${actors} actors${skipped > 0 ? `, ${skipped} left out` : ""}`);
  out.data(`  equal      ${equal}`);
  for (const [kind, count] of Object.entries(counts)) {
    if (count > 0) out.data(`  ${out.paint(kind === "projection" ? "yellow" : "red", kind)}  ${count}`);
  }
  for (const [path, count] of Object.entries(paths)) out.data(`    at ${path || "(all)"}  ${count} of those looked at`);
  if (examples.length > 0) out.data("  examples");
  for (const { kind, key, seq, what, paths: at } of examples) {
    const details = [what ?? "", at?.join(", ") ?? ""].filter((text) => text !== "").join("  ");
    out.data(`    ${kind}  ${key} seq ${seq}  ${details}`);
    out.data(out.paint("dim", `      waterpark actor history ${key} --after ${seq - 1} --limit 1`));
  }
  if (blocking > 0) out.talk(`${blocking} differences in effects stop a promotion, unless with --accept-diff`);
}
