import { command } from "../command.ts";

/** `waterpark node remove` */
export const nodeRemove = command({
  description: "takes a node out of the topology, for good",
  args: {
    name: { type: "positional", description: "node, TN-A-1" },
    force: { type: "boolean", default: false, description: "although it is alive: its copies are gone at once" },
  },
  examples: ["node remove TN-A-1"],
  async run({ values, client, out }) {
    await client.removeNode(values.name, { force: values.force });
    if (out.isJson) out.json({ name: values.name, removed: true });
    else out.data(`removed ${values.name}`);
  },
});
