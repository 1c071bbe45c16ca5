import { command } from "../command.ts";
import { connect } from "../../client.ts";

/** `waterpark actor list` */
export const actorList = command({
  description: "lists actors in key order, asking every node for those that it writes",
  args: {
    after: { type: "string", metavar: "KEY", description: "only keys after this one, kind/facility/id" },
    limit: { type: "number", default: 100, description: "at most so many, up to 1000" },
  },
  examples: ["actor list", "actor list --limit 1000 --json"],
  async run({ values, client, out }) {
    const nodes = (await client.nodes()).filter((node) => node.http !== null && node.status !== "absent");
    const pages = await Promise.allSettled(nodes.map((node) => {
      const one = connect(node.http!, { token: values.token, deadlineMs: 5000 });
      return one.actors({ after: values.after, limit: values.limit });
    }));
    const silent = nodes.filter((_, i) => pages[i].status === "rejected").map((node) => node.name);
    const all = pages.flatMap((page) => page.status === "fulfilled" ? page.value.actors : []);
    // while a shard moves, two nodes may both list an actor
    const newest = new Map<string, number>();
    for (const { key, seq } of all) newest.set(key, Math.max(seq, newest.get(key) ?? 0));
    const actors = [...newest].map(([key, seq]) => ({ key, seq })).sort((a, b) => a.key < b.key ? -1 : 1);
    const page = actors.slice(0, values.limit);
    if (out.isJson) page.forEach((actor) => out.json(actor));
    else out.table(["ACTOR", "SEQ"], page.map(({ key, seq }) => [key, seq]));
    if (silent.length > 0) out.talk(`not asked: ${silent.join(", ")} did not answer, so some may be missing`);
    if (actors.length > page.length || pages.some((page) => page.status === "fulfilled" && page.value.next !== null)) {
      out.talk(`more: waterpark actor list --after ${page.at(-1)?.key}`);
    }
  },
});
