import { type WaterparkClient, WaterparkError, type WholeView } from "../../client.ts";
import { command } from "../command.ts";
import { MisuseError, VerdictError } from "../errors.ts";
import type { Output } from "../output.ts";

const POLL_MS = 500;

/** `waterpark node wait` */
export const nodeWait = command({
  description: "waits until a node is there; with --whole until every shard has all its copies",
  args: {
    name: { type: "positional", required: false, description: "node, TN-A-1; left out: the one that is asked" },
    whole: { type: "boolean", default: false, description: "and every shard of the cluster has all its copies" },
    timeout: { type: "number", default: 600, metavar: "SECONDS", description: "then it fails" },
  },
  examples: ["node wait TN-A-1 --whole", "node wait --whole --timeout 3600"],
  async run({ values, client, out }) {
    if (!(values.timeout > 0)) throw new MisuseError("Cannot wait as --timeout must be more than 0 seconds");
    const { name, whole } = values;
    const view = await untilThere(client, { name, whole, timeoutMs: values.timeout * 1000, out });
    if (out.isJson) out.json(view);
    else {out.data(
        whole ? `${view.shards} shards have all their ${view.copies} copies` : `${name ?? "the node"} is there`,
      );}
  },
});

/** What to wait for. */
export interface Wanted {
  /** node that must answer; left out: any */
  name?: string;
  /** true: every shard must have all its copies */
  whole: boolean;
  timeoutMs: number;
  out: Output;
}

/**
 * Waits for it.
 *
 * @throws {VerdictError} when it has not come true in time
 */
export async function untilThere(client: WaterparkClient, wanted: Wanted): Promise<WholeView> {
  const { name, whole, timeoutMs, out } = wanted;
  const endMs = Date.now() + timeoutMs;
  let state = "nobody answers";
  for (;;) {
    try {
      const view = await client.whole();
      const node = view.nodes.find((node) => node.name === name);
      const isThere = name === undefined || (node?.answers === true && !node.leaving);
      if (isThere && (view.whole || !whole)) {
        out.progress("");
        return view;
      }
      state = isThere ? `${view.short} of ${view.shards} shards are short of copies` : `${name} is not there`;
    } catch (error) {
      const isLater = error instanceof WaterparkError && error.outcome === "not-applied";
      if (!isLater || error.code === "gateway/unauthorized") throw error;
      state = error.message;
    }
    out.progress(state);
    if (Date.now() > endMs) {
      throw new VerdictError(`Cannot wait longer than ${timeoutMs / 1000} s: ${state}`, ["wrong"]);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
