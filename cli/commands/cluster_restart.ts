import { connect } from "../../client.ts";
import { rejoinArguments } from "../cluster_plan.ts";
import { isRunning, readState, type StartedNode, startTimeOf, writeState } from "../cluster_state.ts";
import type { ClusterState } from "../cluster_state.ts";
import { command } from "../command.ts";
import { MisuseError, VerdictError } from "../errors.ts";
import type { Output } from "../output.ts";
import { spawnNode, untilAll } from "./cluster_start.ts";
import { untilThere } from "./node_wait.ts";

const POLL_MS = 50;
/** A node that was told to go has gone by then, or it is asked why. */
const GONE_MS_MAX = 60_000;

const ARGS = {
  name: { type: "positional", required: false, description: "only this node; left out: all, one after the other" },
  timeout: {
    type: "number",
    default: 600,
    metavar: "SECONDS",
    description: "that all copies may take to be back after each node",
  },
} as const;

/** `waterpark cluster restart` */
export const clusterRestart = command({
  description: "restarts the nodes of cluster start one after the other; no request fails",
  args: ARGS,
  examples: ["cluster restart", "cluster restart TN-A-1"],
  run: ({ values, out }) => restartNodes({ ...values, from: null, out }),
});

/** `waterpark cluster upgrade` */
export const clusterUpgrade = command({
  description: "as cluster restart, each node with the code of another checkout",
  args: {
    ...ARGS,
    from: { type: "string", metavar: "DIR", description: "checkout of Waterpark with the code to run" },
  },
  examples: ["cluster upgrade --from ../waterpark-0.3"],
  async run({ values, out }) {
    const { from } = values;
    if (from === undefined) {
      throw new MisuseError(
        "Cannot upgrade as it must be said to what: --from is left out",
        "waterpark cluster upgrade --from DIR",
      );
    }
    for (const file of ["deno.json", "cli/main.ts"]) {
      const isThere = await Deno.stat(`${from}/${file}`).then((stat) => stat.isFile, () => false);
      if (!isThere) throw new MisuseError(`Cannot upgrade from "${from}" as it must be a checkout: it has no ${file}`);
    }
    await restartNodes({ ...values, from: await Deno.realPath(from), out });
  },
});

interface Restart {
  name?: string;
  timeout: number;
  from: string | null;
  out: Output;
}

/**
 * One node at a time: waits until every shard has all its copies, has the node hand over and end, starts it anew, waits
 * again. Stops at the first that does not come back, and leaves the others as they are.
 */
async function restartNodes({ name, timeout, from, out }: Restart): Promise<void> {
  if (!(timeout > 0)) throw new MisuseError("Cannot wait as --timeout must be more than 0 seconds");
  const state = await readState();
  const nodes = state?.nodes.filter((node) => name === undefined || node.name === name) ?? [];
  if (state === null || nodes.length === 0) {
    throw new MisuseError(
      name === undefined
        ? "Cannot restart as no cluster was started here"
        : `Cannot restart "${name}" as it is none of the cluster`,
      "waterpark cluster status",
    );
  }
  if (state.nodes.length < 2) {
    throw new MisuseError(
      "Cannot restart a single node as it must have somebody to hand over to: what it holds is lost",
    );
  }
  const done: { name: string; pid: number; awayMs: number; wholeMs: number }[] = [];
  for (const node of nodes) {
    const others = state.nodes.filter((one) => one.name !== node.name);
    const client = connect(others.map((one) => `http://${one.http}`));
    const wait = () => untilThere(client, { whole: true, timeoutMs: timeout * 1000, out });
    if (await isRunning(node)) {
      await wait();
      const beganMs = Date.now();
      await letGo(node, client, out);
      done.push(await startAnew(state, node, { from, beganMs, out }));
    } else done.push(await startAnew(state, node, { from, beganMs: Date.now(), out }));
    const backMs = Date.now();
    await wait();
    const last = done[done.length - 1];
    last.wholeMs = Date.now() - backMs;
    if (out.isJson) out.json(last);
    else {
      out.data(
        `${last.name} is back after ${seconds(last.awayMs)}, every shard has all its copies after ${
          seconds(last.wholeMs)
        }`,
      );
    }
  }
}

async function letGo(node: StartedNode, client: ReturnType<typeof connect>, out: Output): Promise<void> {
  const view = await client.drainNode(node.name, { fast: true });
  if (view.note !== "") out.talk(`${node.name}: ${view.note}`);
  const untilMs = Date.now() + GONE_MS_MAX;
  while (await isRunning(node)) {
    if (Date.now() > untilMs) {
      throw new VerdictError(`Cannot restart ${node.name} as it must end first: it has not`, ["wrong"]);
    }
    out.progress(`${node.name} hands over`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function startAnew(
  state: ClusterState,
  node: StartedNode,
  { from, beganMs, out }: { from: string | null; beganMs: number; out: Output },
): Promise<{ name: string; pid: number; awayMs: number; wholeMs: number }> {
  const before = node.root;
  const root = from ?? before;
  const { nodes, transport = "auto", data, sync } = state;
  const pid = spawnNode(node.name, rejoinArguments(nodes, node, { transport, data, sync }), root);
  Object.assign(node, { pid, startTime: await startTimeOf(pid), ...root === undefined ? {} : { root } });
  await writeState(state);
  try {
    await untilAll([node], "/readyz", { out, of: [node], isEnding: () => false });
  } catch (error) {
    if (from === null || await isRunning(node)) throw error;
    // Code that does not start is not the node's: a restart gives it back what it had.
    node.root = before;
    await writeState(state);
    out.talk(`${node.name} is down; with the code that it had: waterpark cluster restart ${node.name}`);
    throw error;
  }
  return { name: node.name, pid, awayMs: Date.now() - beganMs, wholeMs: 0 };
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
