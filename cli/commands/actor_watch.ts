import { KEY_ARG, keyOf } from "../actor_key.ts";
import { command } from "../command.ts";
import { glimpse } from "../content.ts";
import { eventForJson } from "./actor_history.ts";

/** `waterpark actor watch` */
export const actorWatch = command({
  description: "prints an actor's messages, and goes on as they come",
  args: {
    ...KEY_ARG,
    after: { type: "number", metavar: "SEQ", description: "only those after this seq; else from now on" },
  },
  examples: ["actor watch HOSPX/1001", "actor watch HOSPX/1001 --after 0 --json"],
  async run({ values, client, out }) {
    const key = keyOf(values.key);
    const after = values.after ?? await lastSeq();
    out.talk(`watching ${values.key} after seq ${after}; end with Ctrl-C`);
    for await (const event of client.watch(key, { after })) {
      if (out.isJson) out.json(eventForJson(event));
      else {
        const head = `${event.seq}  ${new Date(event.at).toISOString()}  ${event.type || "-"}  `;
        out.data(head + glimpse(event.body, Math.max(20, out.columns - head.length)));
      }
    }

    /** An actor without messages, or whose life has ended, may be watched all the same. */
    async function lastSeq(): Promise<number> {
      try {
        return (await client.read(key)).seq;
      } catch (error) {
        const { code } = error as { code?: string };
        if (code === "actors/unknown" || code === "actors/retired") return 0;
        throw error;
      }
    }
  },
});
