import { command } from "../command.ts";
import type { NodeView } from "../../client.ts";
import type { Output } from "../output.ts";

/** `waterpark node list` */
export const nodeList = command({
  description: "lists the nodes, as the one that answers sees them",
  args: {},
  examples: ["node list", "node list --json | jq -r 'select(.alive | not).name'"],
  async run({ client, out }) {
    const nodes = await client.nodes();
    if (out.isJson) nodes.forEach((node) => out.json(node));
    else printNodes(out, nodes);
  },
});

/** Nodes as a table. */
export function printNodes(out: Output, nodes: NodeView[]): void {
  out.table(
    ["NODE", "STATUS", "SEEN", "WRITES", "HOLDS", "MESH", "HTTP", "MLLP"],
    nodes.map((node) => [
      node.name,
      node.status === "up" ? node.status : out.paint("yellow", node.status),
      node.alive ? out.paint("green", "alive") : out.paint("red", "silent"),
      node.shards,
      node.copies,
      node.address,
      node.http ?? "-",
      node.mllp ?? "-",
    ]),
  );
}
