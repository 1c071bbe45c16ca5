import { command } from "../command.ts";

/** `waterpark node drain` */
export const nodeDrain = command({
  description: "moves everything off a node, which goes on running; no request fails",
  args: { name: { type: "positional", description: "node, TN-A-1" } },
  examples: ["node drain TN-A-1"],
  async run({ values, client, out }) {
    await client.drainNode(values.name);
    if (out.isJson) out.json({ name: values.name, draining: true });
    else out.data(`draining ${values.name}`);
    out.talk("watch it with: waterpark topology inspect --watch");
  },
});
