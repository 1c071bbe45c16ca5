import { command } from "../command.ts";

/** `waterpark node remove` */
export const nodeRemove = command({
  description: "takes a node out of the topology, for good",
  args: { name: { type: "positional", description: "node, TN-A-1" } },
  examples: ["node remove TN-A-1"],
  async run({ values, client, out }) {
    await client.removeNode(values.name);
    if (out.isJson) out.json({ name: values.name, removed: true });
    else out.data(`removed ${values.name}`);
  },
});
