import { KEY_ARG, keyOf } from "../actor_key.ts";
import { command } from "../command.ts";
import { glimpse } from "../content.ts";
import { MisuseError } from "../errors.ts";

/** `waterpark actor find` */
export const actorFind = command({
  description: "looks for messages without knowing the actor, newest first, on all nodes, for some seconds",
  args: {
    text: { type: "string", metavar: "TEXT", description: "stands somewhere in the message" },
    id: { type: "string", metavar: "TEXT", description: "stands in the message's id: a control id" },
    type: { type: "string", description: "the message's type, whole" },
    kind: { type: "string", description: "of the actor" },
    facility: { type: "string", description: "of the actor" },
    since: { type: "string", metavar: "TIME", description: "taken in then or later: 2026-11-23T08:00Z" },
    until: { type: "string", metavar: "TIME", description: "taken in before" },
    limit: { type: "number", default: 100, description: "at most so many, up to 1000" },
  },
  examples: ["actor find --id MSG00017", 'actor find --type "ORU^R01" --text "718-7" --since 2026-11-23T08:00Z'],
  async run({ values, client, out }) {
    const { text, id, type, kind, facility, limit } = values;
    const { messages, isWhole, silent } = await client.find({
      ...{ text, id, type, kind, facility, limit },
      since: timeOf("since", values.since),
      until: timeOf("until", values.until),
    });
    if (out.isJson) return out.json({ messages, isWhole, silent });
    out.table(
      ["ACTOR", "SEQ", "AT", "TYPE", "ID"],
      messages.map((
        { key, seq, at, type, id },
      ) => [key, seq, new Date(at).toISOString(), type || "-", glimpse(id, 40)]),
    );
    if (!isWhole) out.talk("there may be more: not all could be looked through; narrow it with --since and --until");
    if (silent.length > 0) out.talk(`not asked: ${silent.join(", ")} did not answer, so some may be missing`);
  },
});

/** `waterpark actor trace` */
export const actorTrace = command({
  description: "what became of a message: what each plugin decided, what went out, what came back",
  args: { ...KEY_ARG, seq: { type: "positional", description: "the message's place in the history" } },
  examples: ["actor trace HOSPX/1001 7"],
  async run({ values, client, out }) {
    const seq = seqOf(values.seq);
    const { outcomes, isWhole } = await client.trace(keyOf(values.key), seq);
    if (out.isJson) return out.json({ outcomes, isWhole });
    if (outcomes.length === 0) out.talk("no plugin has decided about it yet");
    for (const { plugin, hash, state, code, text, effects } of outcomes) {
      const why = state === "parked" ? `: ${code}: ${text}` : "";
      out.data(`${plugin} ${hash.slice(0, 12)}  ${out.paint(state === "ok" ? "green" : "red", state)}${why}`);
      for (const { type, to, state, answer, id } of effects) {
        const said = answer === null ? "" : `  it said ${JSON.stringify(answer)}`;
        out.data(`  ${type} ${to}  ${state === "none" ? "" : state}  ${id}${said}`.trimEnd());
      }
    }
    if (!isWhole) out.talk("the log behind it is long: later decisions may be missing");
  },
});

/** `waterpark actor resend` */
export const actorResend = command({
  description: "records a message once more, under an id that names the first: for its own actor, or for another one",
  args: {
    ...KEY_ARG,
    seq: { type: "positional", description: "the message's place in the history" },
    to: { type: "string", metavar: "KEY", description: "another actor that gets it" },
  },
  examples: ["actor resend HOSPX/1001 7", "actor resend HOSPX/1001 7 --to audit/HOSPX/lab"],
  async run({ values, client, out }) {
    const seq = seqOf(values.seq);
    const key = keyOf(values.key);
    const { events } = await client.history(key, { after: seq - 1, limit: 1 });
    const [event] = events;
    if (event?.seq !== seq) {
      throw new MisuseError(`Cannot send "${values.key}" ${seq} again as it must be there: waterpark actor history`);
    }
    const target = values.to === undefined ? key : keyOf(values.to);
    for (let n = 1;; n++) {
      const id = `${event.id}~again${n}`;
      // The raw bytes of what is JSON or HL7 are not at hand: its content is the same.
      const body = event.body instanceof Uint8Array || typeof event.body === "string" ? event.body : textOf(event.body);
      const options = { id, contentType: event.contentType, type: event.type };
      const receipt = await client.send(target, body, options);
      if (receipt.duplicate) continue;
      if (out.isJson) return out.json(receipt);
      return out.data(`recorded ${receipt.key} as seq ${receipt.seq}, id ${id}`);
    }
  },
});

function textOf(body: unknown): string {
  const { text } = Object(body) as { text?: unknown };
  return typeof text === "string" && body !== null && Object.getPrototypeOf(body) !== Object.prototype
    ? text
    : JSON.stringify(body);
}

function seqOf(text: string): number {
  const seq = Number(text);
  if (Number.isSafeInteger(seq) && seq > 0) return seq;
  throw new MisuseError(`Cannot find message "${text}" as a place in a history must be a number from 1`);
}

function timeOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const time = Date.parse(text);
  if (Number.isFinite(time)) return time;
  throw new MisuseError(`Cannot use --${name} "${text}" as it must be a time: 2026-11-23T08:00Z`);
}
