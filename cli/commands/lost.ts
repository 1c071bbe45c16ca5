import type { LostCopyName } from "../../client.ts";
import { command } from "../command.ts";
import { MisuseError } from "../errors.ts";

const COPY = {
  type: "positional",
  description: "copy, as lost list names it: NODE/SHARD/GENERATION",
} as const;
const PAGE = 500;

/** `waterpark lost list` */
export const lostList = command({
  description: "copies of ended generations that nodes came back with",
  args: {},
  examples: ["lost list"],
  async run({ client, out }) {
    const { copies } = await client.lostCopies();
    if (out.isJson) return out.json({ copies });
    // A recovery leaves a copy of each of its shards behind, most of them without a message: those would hide the rest.
    for (const { node, shard, generation, messages } of copies) {
      if (messages > 0) out.data(`${node}/${shard}/${generation}  ${messages} messages`);
    }
    const empty = copies.filter(({ messages }) => messages === 0).length;
    if (copies.length === 0) out.talk("no node that answers has any");
    else if (empty > 0) out.talk(`${empty} more without a message: --json lists them`);
  },
});

/** `waterpark lost show` */
export const lostShow = command({
  description: "messages of a lost copy that are not in the present history",
  args: { copy: COPY, all: { type: "boolean", default: false, description: "those that are, too" } },
  examples: ["lost show TN-A-1/S05/017/1"],
  async run({ values, client, out }) {
    const copy = copyOf(values.copy);
    let missing = 0;
    for (let after: number | null = 0; after !== null;) {
      const { messages, next } = await client.lostMessages(copy, { after, limit: PAGE });
      for (const message of messages) {
        if (message.present !== true) missing++;
        if (message.present === true && !values.all) continue;
        if (out.isJson) out.json(message);
        else {
          const state = message.present === null ? "unknown" : message.present ? "present" : "missing";
          out.data(`${state.padEnd(7)}  ${message.key}  ${message.id}  ${new Date(message.at).toISOString()}`);
        }
      }
      after = next;
    }
    out.talk(`${missing} not known to be in the present history`);
  },
});

/** `waterpark lost resend` */
export const lostResend = command({
  description: "sends a lost copy's messages again, under their ids: those that are there already stay as they are",
  args: { copy: COPY, ids: { type: "string", metavar: "ID,...", description: "only these messages" } },
  examples: ["lost resend TN-A-1/S05/017/1"],
  async run({ values, client, out }) {
    const ids = values.ids?.split(",").map((id) => id.trim()).filter((id) => id !== "");
    const sum = await client.resendLost(copyOf(values.copy), ids);
    if (out.isJson) return out.json(sum);
    out.data(`${sum.sent} recorded, ${sum.already} were there already, ${sum.refused.length} refused`);
    for (const { key, id, code } of sum.refused) out.data(`refused  ${key}  ${id}  ${code}`);
  },
});

/** `waterpark lost discard` */
export const lostDiscard = command({
  description: "frees a lost copy, for good",
  args: { copy: COPY },
  examples: ["lost discard TN-A-1/S05/017/1"],
  async run({ values, client, out }) {
    const copy = copyOf(values.copy);
    await client.discardLost(copy);
    if (out.isJson) out.json({ ...copy, discarded: true });
    else out.data(`discarded ${values.copy}`);
  },
});

function copyOf(text: string): LostCopyName {
  const parts = /^([^/]+)\/([A-Z0-9]+\/[0-9]+)\/([0-9]{1,9})$/.exec(text);
  if (parts === null) {
    throw new MisuseError(`Cannot use "${text}" as a copy as it must be NODE/SHARD/GENERATION`, "waterpark lost list");
  }
  return { node: parts[1], shard: parts[2], generation: Number(parts[3]) };
}
