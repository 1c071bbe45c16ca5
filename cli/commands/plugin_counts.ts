import { command } from "../command.ts";
import { timeOf } from "../times.ts";

/** `waterpark plugin counts` */
export const pluginCounts = command({
  description: "what became of a handler's or a channel's messages: counted in the logs of all nodes, for some seconds",
  args: {
    name: { type: "positional", description: "handler or channel" },
    since: { type: "string", metavar: "TIME", description: "only what was taken in then or later: 2026-11-23T08:00Z" },
  },
  examples: ["plugin counts lab-feed", "plugin counts lab-feed --since 2026-11-23T08:00Z"],
  async run({ values, client, out }) {
    const counts = await client.pluginCounts(values.name, timeOf("since", values.since));
    if (out.isJson) return out.json(counts);
    const { received, waiting, parked, filtered, failed, destinations, isWhole, silent } = counts;
    out.table(["RECEIVED", "WAITING", "PARKED", "FILTERED", "FAILED"], [[received, waiting, parked, filtered, failed]]);
    if (destinations.length > 0) {
      out.data("");
      out.table(
        ["DESTINATION", "SENT", "QUEUED", "DEAD"],
        destinations.map(({ type, to, sent, queued, dead }) => [titleOf(type, to), sent, queued, dead]),
      );
    }
    if (!isWhole) out.talk("there may be more: not all could be counted in time; narrow it with --since");
    if (silent.length > 0) out.talk(`not asked: ${silent.join(", ")} did not answer, so some may be missing`);
  },
});

function titleOf(type: string, to: string): string {
  if (type === "deliver") return to;
  return type === "send" ? `actors of kind ${to}` : "the actor itself";
}
