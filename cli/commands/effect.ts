import { command } from "../command.ts";
import { readContent } from "../content.ts";

const ID = { type: "positional", description: "delivery, as effect list shows it" } as const;

/** `waterpark effect list` */
export const effectList = command({
  description: "what is under way to the outside, or was given up",
  args: {
    sink: { type: "string", metavar: "NAME", description: "only of this sink" },
    dead: { type: "boolean", default: false, description: "dead letters: what was given up" },
    settled: { type: "boolean", default: false, description: "with dead letters that were sent or discarded since" },
    limit: { type: "number", default: 100, description: "at most so many, up to 1000" },
  },
  examples: ["effect list", "effect list --dead --sink lab-archive"],
  async run({ values, client, out }) {
    const { sink, dead, settled, limit } = values;
    const { deliveries, sinks, sources, silent } = await client.effects({ sink, dead, settled, limit });
    if (out.isJson) return out.json({ deliveries, sinks, sources, silent });
    if (deliveries.length > 0) {
      out.table(
        ["ID", "SINK", "STATE", "ATTEMPTS", "WHY"],
        deliveries.map(({ id, sink, state, attempts, code }) => [id, sink, state, attempts, code]),
      );
    }
    for (const { name, version, isPaused, done, retried, dead, inHand, held } of sinks) {
      const state = version === 0 ? ", not deployed" : isPaused ? ", paused" : "";
      const sums = `${done} done, ${inHand} in hand, ${held} held, ${dead} dead, ${retried} retried`;
      out.talk(`sink ${name}${state}: ${sums}`);
    }
    for (const { name, node, state, code } of sources) {
      out.talk(`source ${name}: ${state} on ${node}${code === "" ? "" : ` (${code})`}`);
    }
    if (silent.length > 0) out.talk(`not asked: ${silent.join(", ")} did not answer, so some may be missing`);
  },
});

/** `waterpark effect retry` */
export const effectRetry = command({
  description: "tries a delivery that is held, or a dead letter, now; mended, where a message is given",
  args: {
    id: ID,
    message: { type: "string", metavar: "MESSAGE|@FILE|-", description: "send this in place of what was to be sent" },
  },
  examples: ['effect retry "patient/HOSPX/1001#7#results-out#0"', "effect retry ID --message @mended.hl7"],
  async run({ values, client, out }) {
    const body = values.message === undefined ? undefined : (await readContent(values.message)).bytes;
    const view = await client.retryEffect(values.id, body);
    if (out.isJson) out.json(view);
    else out.data(view.state === "sent" ? `sent ${view.id}` : `${view.id} is tried now`);
  },
});

/** `waterpark effect discard` */
export const effectDiscard = command({
  description: "has a delivery that is held, or a dead letter, never be sent",
  args: { id: ID },
  examples: ['effect discard "patient/HOSPX/1001#7#results-out#0"'],
  async run({ values, client, out }) {
    const view = await client.discardEffect(values.id);
    if (out.isJson) out.json(view);
    else out.data(`discarded ${view.id}`);
  },
});
