import { KEY_ARG, keyOf } from "../actor_key.ts";
import type { ActorKey, FindQuery, MessageState, WaterparkClient } from "../../client.ts";
import { command } from "../command.ts";
import { glimpse } from "../content.ts";
import { MisuseError } from "../errors.ts";
import { timeOf } from "../times.ts";

const STATES = ["parked", "dead", "waiting", "queued", "sent", "nothing"] as const satisfies readonly MessageState[];

/** What is looked for. */
const FILTERS = {
  text: { type: "string", metavar: "TEXT", description: "stands somewhere in the message" },
  id: { type: "string", metavar: "TEXT", description: "stands in the message's id: a control id" },
  type: { type: "string", description: "the message's type, whole" },
  kind: { type: "string", description: "of the actor" },
  facility: { type: "string", description: "of the actor" },
  state: { type: "string", description: `what became of it: ${STATES.join(", ")}, or any` },
  since: { type: "string", metavar: "TIME", description: "taken in then or later: 2026-11-23T08:00Z" },
  until: { type: "string", metavar: "TIME", description: "taken in before" },
  limit: { type: "number", default: 100, description: "at most so many, up to 1000" },
} as const;

type Filters = Partial<Record<Exclude<keyof typeof FILTERS, "limit">, string>> & { limit: number };

function queryOf({ since, until, state, limit, ...texts }: Filters): FindQuery {
  const states = [...STATES, "any"] as const;
  const wanted = states.find((one) => one === state);
  if (state !== undefined && wanted === undefined) {
    throw new MisuseError(`Cannot look for the state "${state}" as it must be one of ${states.join(", ")}`);
  }
  const { text, id, type, kind, facility } = texts;
  return {
    ...{ text, id, type, kind, facility, limit },
    ...wanted === undefined ? {} : { state: wanted },
    since: timeOf("since", since),
    until: timeOf("until", until),
  };
}

/** `waterpark actor find` */
export const actorFind = command({
  description: "looks for messages without knowing the actor, newest first, on all nodes, for some seconds",
  args: FILTERS,
  examples: [
    "actor find --id MSG00017",
    'actor find --type "ORU^R01" --text "718-7" --since 2026-11-23T08:00Z',
    "actor find --state dead",
  ],
  async run({ values, client, out }) {
    const { messages, isWhole, silent } = await client.find(queryOf(values));
    if (out.isJson) return out.json({ messages, isWhole, silent });
    const hasStates = values.state !== undefined;
    out.table(
      ["ACTOR", "SEQ", "AT", "TYPE", "ID", ...hasStates ? ["STATE"] : []],
      messages.map(({ key, seq, at, type, id, states = [] }) => {
        const row = [key, seq, new Date(at).toISOString(), type || "-", glimpse(id, 40)];
        return hasStates ? [...row, states.join(", ")] : row;
      }),
    );
    if (!isWhole) out.talk("there may be more: not all could be looked through; narrow it with --since and --until");
    if (silent.length > 0) out.talk(`not asked: ${silent.join(", ")} did not answer, so some may be missing`);
  },
});

/** `waterpark actor trace` */
export const actorTrace = command({
  description: "what became of a message: what each plugin decided, what went out, what came back",
  args: {
    ...KEY_ARG,
    seq: { type: "positional", description: "the message's place in the history" },
    steps: { type: "boolean", description: "with every form of it: as it came, value by value, and as it was sent on" },
  },
  examples: ["actor trace HOSPX/1001 7", "actor trace HOSPX/1001 7 --steps"],
  async run({ values, client, out }) {
    const seq = seqOf(values.seq);
    const trace = await client.trace(keyOf(values.key), seq);
    const { message, parsed, outcomes, waiting, isWhole } = trace;
    if (out.isJson) return out.json({ message, parsed, outcomes, waiting, isWhole });
    if (values.steps && message !== null) {
      out.data(`came ${new Date(message.at).toISOString()} as ${message.contentType}, id ${message.id}`);
      out.data(indented(message));
      for (const [path, value] of parsed ?? []) out.data(`  ${path.padEnd(12)}  ${value}`);
    }
    if (outcomes.length === 0 && waiting.length === 0) out.talk("no plugin has decided about it yet");
    for (const { plugin, hash, state, code, text, effects } of outcomes) {
      const why = state === "parked" ? `: ${code}: ${text}` : "";
      out.data(`${plugin} ${hash.slice(0, 12)}  ${out.paint(state === "ok" ? "green" : "red", state)}${why}`);
      for (const { type, to, state, answer, code, id, sent } of effects) {
        const said = answer === null ? "" : `  it said ${JSON.stringify(answer)}`;
        const why = code ? `  ${code}` : "";
        out.data(`  ${type} ${to}  ${state === "none" ? "" : state}  ${id}${why}${said}`.trimEnd());
        if (values.steps && sent) out.data(indented(sent));
      }
    }
    for (const plugin of waiting) out.data(`${plugin}  ${out.paint("yellow", "waiting")}`);
    if (!isWhole) out.talk("the log behind it is long: later decisions may be missing");
  },
});

/** What was sent, as text; lines of HL7 end in CR. */
function indented({ message, encoding }: { message: unknown; encoding?: "base64" }): string {
  const text = typeof message === "string" ? message : JSON.stringify(message);
  const lines = text.replace(/[\r\n]+$/, "").split(/\r\n|[\r\n]/).map((line) => `    ${line}`);
  return (encoding === undefined ? lines : [`    base64 ${text}`]).join("\n");
}

/** `waterpark actor resend` */
export const actorResend = command({
  description: "records messages once more, under ids that name the first: for their own actors, or for others",
  args: {
    key: { type: "positional", required: false, description: "the actor; left out: all that the filters find" },
    seq: { type: "positional", required: false, description: "the message's place in the history" },
    to: { type: "string", metavar: "KEY", description: "another actor that gets it" },
    "to-kind": { type: "string", metavar: "KIND", description: "the actor of this kind with the same facility and id" },
    "dry-run": { type: "boolean", description: "say which, and record nothing" },
    ...FILTERS,
  },
  examples: [
    "actor resend HOSPX/1001 7",
    "actor resend HOSPX/1001 7 --to audit/HOSPX/lab",
    'actor resend --state dead --type "ORU^R01" --since 2026-11-23T08:00Z --dry-run',
  ],
  async run({ values, client, out }) {
    if (values.to !== undefined && values["to-kind"] !== undefined) {
      throw new MisuseError("Cannot send to both as there must be one of --to and --to-kind");
    }
    const targetFor = (key: ActorKey): ActorKey => {
      if (values.to !== undefined) return keyOf(values.to);
      return values["to-kind"] === undefined ? key : { ...key, kind: values["to-kind"] };
    };
    if (values.key !== undefined) {
      if (values.seq === undefined) throw new MisuseError("Cannot send a message again as its seq must be named");
      const key = keyOf(values.key);
      const { receipt, id } = await resend(client, { key, seq: seqOf(values.seq), target: targetFor(key) });
      if (out.isJson) return out.json(receipt);
      return out.data(`recorded ${receipt.key} as seq ${receipt.seq}, id ${id}`);
    }
    const { limit: _, ...filters } = FILTERS;
    if (Object.keys(filters).every((name) => values[name as keyof typeof filters] === undefined)) {
      throw new MisuseError("Cannot send everything again as a message or a filter must be named: --state dead");
    }
    const { messages, isWhole } = await client.find(queryOf(values));
    // as they came, so that each actor's stay in order
    for (const { key: text, seq } of messages.reverse()) {
      const key = keyOf(text);
      if (values["dry-run"]) out.isJson ? out.json({ key: text, seq }) : out.data(`${text} ${seq}`);
      else {
        const { receipt, id } = await resend(client, { key, seq, target: targetFor(key) });
        if (out.isJson) out.json(receipt);
        else out.data(`${text} ${seq}: recorded ${receipt.key} as seq ${receipt.seq}, id ${id}`);
      }
    }
    if (messages.length === 0) out.talk("nothing is found");
    if (!isWhole) out.talk("there may be more: say it again, or narrow it with --since and --until");
  },
});

/** Records a message of an actor once more, for `target`; each time under an id of its own. */
async function resend(client: WaterparkClient, { key, seq, target }: { key: ActorKey; seq: number; target: ActorKey }) {
  const { events } = await client.history(key, { after: seq - 1, limit: 1 });
  const [event] = events;
  if (event?.seq !== seq) {
    throw new MisuseError(`Cannot send message ${seq} again as it must be there: waterpark actor history`);
  }
  for (let n = 1;; n++) {
    const id = `${event.id}~again${n}`;
    // The raw bytes of what is JSON or HL7 are not at hand: its content is the same.
    const body = event.body instanceof Uint8Array || typeof event.body === "string" ? event.body : textOf(event.body);
    const receipt = await client.send(target, body, { id, contentType: event.contentType, type: event.type });
    if (!receipt.duplicate) return { receipt, id };
  }
}

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
