import { KEY_ARG, keyOf } from "../actor_key.ts";
import { command } from "../command.ts";

/** `waterpark actor show` */
export const actorShow = command({
  description: "shows what each plugin keeps of an actor, now or at a past seq",
  args: {
    ...KEY_ARG,
    at: { type: "number", metavar: "SEQ", description: "as it was after this message" },
    after: { type: "number", metavar: "SEQ", description: "wait until it has got there: a receipt's seq" },
    read: {
      type: "enum",
      choices: ["writer", "fresh", "nearest"],
      default: "writer",
      description: "whom to ask: fresh is linearizable, nearest may be behind",
    },
  },
  examples: ["actor show HOSPX/1001", "actor show ward/HOSPX/5W --at 12 --json"],
  async run({ values, client, out }) {
    const view = await client.read(keyOf(values.key), { at: values.at, after: values.after, read: values.read });
    if (out.isJson) return out.json(view);
    const behind = view.behind > 0 ? out.paint("yellow", `  ${view.behind} behind`) : "";
    out.data(`${out.paint("bold", view.key)}  seq ${view.seq}${behind}`);
    out.data(
      `  writer ${view.writer || out.paint("red", "none now")}  followers ${view.followers.join(", ") || "none"}`,
    );
    for (const [plugin, { seq, code, message }] of Object.entries(view.parked)) {
      out.data(out.paint("red", `  ${plugin} stands still at seq ${seq}: ${code}: ${message}`));
    }
    for (const [plugin, projection] of Object.entries(view.projections)) {
      out.data(`${out.paint("cyan", plugin)} ${JSON.stringify(projection, null, 2)}`);
    }
  },
});
