import { command } from "../command.ts";

/** `waterpark plugin list` */
export const pluginList = command({
  description: "lists the plugins that the cluster runs",
  args: {},
  examples: ["plugin list"],
  async run({ client, out }) {
    const plugins = await client.plugins();
    if (out.isJson) return plugins.forEach((plugin) => out.json(plugin));
    out.table(
      ["PLUGIN", "KIND", "VERSION", "STAGE", "HASH", "BYTES", "PARKED", "DEPLOYED", "FROM"],
      plugins.map((plugin) => [
        plugin.name,
        plugin.kind,
        plugin.version,
        plugin.stage,
        plugin.hash.slice(0, 12),
        plugin.bytes,
        plugin.parked,
        new Date(plugin.deployedAt).toISOString(),
        plugin.url,
      ]),
    );
  },
});
