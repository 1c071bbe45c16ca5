import { command } from "../command.ts";

/** `waterpark plugin inspect` */
export const pluginInspect = command({
  description: "shows one plugin",
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
    const parked = `${plugin.parked} actors on the node that answers`;
    out.data(`  parked    ${plugin.parked > 0 ? out.paint("red", parked) : parked}`);
  },
});
