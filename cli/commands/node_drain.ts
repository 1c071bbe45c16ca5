import { connect, type WaterparkClient, WaterparkError } from "../../client.ts";
import { command } from "../command.ts";
import type { Output } from "../output.ts";

const POLL_MS = 300;

/** `waterpark node drain` */
export const nodeDrain = command({
  description: "moves everything off a node, which then ends; no request fails",
  args: {
    name: { type: "positional", description: "node, TN-A-1" },
    fast: {
      type: "boolean",
      default: false,
      description: "only hand over what it writes: for one that comes back soon",
    },
    "no-wait": { type: "boolean", default: false, description: "return when it has begun, not when the node has gone" },
  },
  examples: ["node drain TN-A-1", "node drain TN-A-1 --fast"],
  async run({ values, client, out }) {
    const { name, token } = values;
    const nodes = await client.nodes();
    const view = await client.drainNode(name, { fast: values.fast });
    if (view.note !== "") out.talk(`${name}: ${view.note}`);
    if (!values["no-wait"]) {
      // The one that goes cannot say when it has gone.
      const others = nodes.filter((node) => node.name !== name && node.alive && node.http !== null);
      const incarnation = nodes.find((node) => node.name === name)?.incarnation ?? 0;
      const urls = others.map((node) => node.http!);
      await untilGone(urls.length === 0 ? client : connect(urls, { token }), { name, incarnation, out });
    }
    const isGone = !values["no-wait"];
    if (out.isJson) out.json({ ...view, gone: isGone });
    else if (!isGone) out.data(`draining ${name}`);
    else out.data(view.moving ? `drained ${name}: it has ended` : `${name} has handed over and ended`);
  },
});

/** Waits until others find the node gone; on a terminal says how much is left on it. */
export async function untilGone(
  client: WaterparkClient,
  { name, incarnation, out }: { name: string; incarnation: number; out: Output },
): Promise<void> {
  for (;;) {
    try {
      const nodes = await client.nodes();
      const node = nodes.find((node) => node.name === name);
      if (node === undefined || node.incarnation !== incarnation || !node.alive) return out.progress("");
      const holding = (await client.whole()).nodes.find((node) => node.name === name);
      if (holding?.answers) {
        out.progress(`${name}: ${Math.max(0, holding.copies - 1)} copies left, writes ${holding.writers} shards`);
      }
    } catch (error) {
      // Nobody else to ask, and that one is gone.
      if (!(error instanceof WaterparkError) || error.code !== "client/unreachable") throw error;
      return out.progress("");
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
