import { command } from "../command.ts";

/** `waterpark node absent` */
export const nodeAbsent = command({
  description: "says that a node is lost: its copies are replaced at once; being heard of again takes that back",
  args: { name: { type: "positional", description: "node, TN-A-1" } },
  examples: ["node absent TN-A-1"],
  async run({ values, client, out }) {
    await client.declareAbsent(values.name);
    if (out.isJson) out.json({ name: values.name, absent: true });
    else out.data(`${values.name} is absent`);
    out.talk("watch its copies being replaced with: waterpark topology inspect --watch");
  },
});
