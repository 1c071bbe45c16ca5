import { KEY_ARG, keyOf } from "../actor_key.ts";
import { command } from "../command.ts";
import { glimpse } from "../content.ts";

/** `waterpark actor history` */
export const actorHistory = command({
  description: "lists the messages of an actor, oldest first",
  args: {
    ...KEY_ARG,
    after: { type: "number", default: 0, metavar: "SEQ", description: "only those after this seq" },
    limit: { type: "number", default: 100, description: "at most so many, up to 1000" },
  },
  examples: ["actor history HOSPX/1001", "actor history HOSPX/1001 --after 100 --json | jq .body"],
  async run({ values, client, out }) {
    const { events, next } = await client.history(keyOf(values.key), { after: values.after, limit: values.limit });
    if (out.isJson) {
      for (const event of events) out.json(eventForJson(event));
    } else {
      const left = 60 + Math.max(0, ...events.map((event) => event.type.length));
      out.table(
        ["SEQ", "AT", "TYPE", "ID", "MESSAGE"],
        events.map(({ seq, at, type, id, body }) => [
          seq,
          new Date(at).toISOString(),
          type || "-",
          glimpse(id, 20),
          glimpse(body, Math.max(20, out.columns - left)),
        ]),
      );
    }
    if (next !== null) out.talk(`more: waterpark actor history ${values.key} --after ${next}`);
  },
});

/** An event whose bytes, if it has some, are base64. */
export function eventForJson(event: { body: unknown }): object {
  return event.body instanceof Uint8Array ? { ...event, body: event.body.toBase64(), encoding: "base64" } : event;
}
