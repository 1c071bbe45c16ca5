import { command } from "../command.ts";

/** `waterpark plugin rollback` */
export const pluginRollback = command({
  description: "makes a plugin's version before live again",
  args: { name: { type: "positional", description: "plugin" } },
  examples: ["plugin rollback patient"],
  async run({ values, client, out }) {
    const view = await client.rollbackPlugin(values.name);
    if (out.isJson) out.json(view);
    else out.data(`${view.name} is at version ${view.version} (${view.hash.slice(0, 12)})`);
  },
});
