import { KEY_ARG, keyOf } from "../actor_key.ts";
import { command } from "../command.ts";
import { readContent } from "../content.ts";

/** `waterpark actor send` */
export const actorSend = command({
  description: "records a message; when it returns, enough copies have it",
  args: {
    ...KEY_ARG,
    message: { type: "positional", description: "the message itself, @FILE, or - for stdin" },
    type: { type: "string", metavar: "TYPE", description: "what happened; else the message's own `type` or MSH-9" },
    id: { type: "string", metavar: "ID", description: "message id; the same id and bytes are recorded once" },
    "content-type": { type: "string", metavar: "TYPE", description: "media type; else by the file's name or its look" },
    "if-match": { type: "number", metavar: "SEQ", description: "only if the actor's last seq is this" },
    wait: {
      type: "enum",
      choices: ["recorded", "handled"],
      default: "recorded",
      description: "return when recorded, or when the handlers are through",
    },
  },
  examples: [
    `actor send HOSPX/1001 '{"type":"admit","ward":"5W"}'`,
    "actor send HOSPX/1001 @admit.hl7 --wait handled",
    "echo note | waterpark actor send ward/HOSPX/5W - --type note",
  ],
  async run({ values, client, out }) {
    const { bytes, contentType } = await readContent(values.message);
    const sent = await client.send(keyOf(values.key), bytes, {
      contentType: values["content-type"] ?? contentType,
      type: values.type,
      id: values.id,
      ifMatch: values["if-match"],
      wait: values.wait,
    });
    if (out.isJson) return out.json(sent);
    const again = sent.duplicate === true ? out.paint("yellow", " (was recorded before)") : "";
    out.data(`${out.paint("green", "recorded")} ${sent.key} as seq ${out.paint("bold", String(sent.seq))}${again}`);
    out.data(`  id ${sent.id}  shard ${sent.shard}  writer ${sent.writer}  on ${sent.copies.join(", ")}`);
    if (sent.reply !== undefined) out.data(`  reply ${JSON.stringify(sent.reply)}`);
    if (sent.projections !== undefined) out.value(sent.projections);
  },
});
