import { command } from "../command.ts";

/** `waterpark plugin remove` */
export const pluginRemove = command({
  description: "takes a plugin away, and what it kept; recorded messages stay",
  args: { name: { type: "positional", description: "plugin" } },
  examples: ["plugin remove patient"],
  async run({ values, client, out }) {
    await client.removePlugin(values.name);
    if (out.isJson) out.json({ name: values.name, removed: true });
    else out.data(`removed ${values.name}`);
  },
});
