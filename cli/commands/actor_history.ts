import { formatKey } from "../../runtime/base/mod.ts";
import { KEY_ARG, keyOf } from "../actor_key.ts";
import type { ActorEvent } from "../../client.ts";
import { command } from "../command.ts";
import { glimpse } from "../content.ts";

const PAGE = 1_000;

/** `waterpark actor history` */
export const actorHistory = command({
  description: "lists the messages of an actor, oldest first",
  args: {
    ...KEY_ARG,
    after: { type: "number", default: 0, metavar: "SEQ", description: "only those after this seq" },
    limit: { type: "number", default: 100, description: "at most so many, up to 1000" },
    all: { type: "boolean", default: false, description: "page after page, to the end" },
  },
  examples: [
    "actor history HOSPX/1001",
    "actor history HOSPX/1001 --after 100 --json | jq .body",
    "actor history HOSPX/1001 --all --json > stay.ndjson    # for waterpark plugin test FILE --recorded stay.ndjson",
  ],
  async run({ values, client, out }) {
    const actor = keyOf(values.key);
    // Each line says whose it is: lines of several actors, one file after the other, are a recording.
    const key = formatKey(actor);
    const page = (after: number) => client.history(actor, { after, limit: values.all ? PAGE : values.limit });
    let { events, next } = await page(values.after);
    for (;;) {
      show(events);
      if (!values.all || next === null) break;
      ({ events, next } = await page(next));
    }
    if (next !== null) out.talk(`more: waterpark actor history ${values.key} --after ${next}`);

    function show(events: readonly ActorEvent[]): void {
      if (out.isJson) {
        for (const event of events) out.json({ key, ...eventForJson(event) });
        return;
      }
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
  },
});

/** An event whose bytes, if it has some, are base64. */
export function eventForJson(event: { body: unknown }): object {
  return event.body instanceof Uint8Array ? { ...event, body: event.body.toBase64(), encoding: "base64" } : event;
}
