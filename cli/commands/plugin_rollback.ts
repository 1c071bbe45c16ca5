import { command } from "../command.ts";

/** `waterpark plugin rollback` */
export const pluginRollback = command({
  description: "takes a canary back, or makes the version before live again",
  args: {
    name: { type: "positional", description: "plugin" },
    reason: { type: "string", metavar: "TEXT", description: "why, for who looks at its history" },
  },
  examples: ["plugin rollback patient", 'plugin rollback patient --reason "alerts too often"'],
  async run({ values, client, out }) {
    const view = await client.rollbackPlugin(values.name, values.reason === undefined ? {} : { reason: values.reason });
    if (out.isJson) out.json(view);
    else out.data(`${view.name} is at version ${view.version} (${view.hash.slice(0, 12)})`);
  },
});
