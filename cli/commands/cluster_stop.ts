import { isRunning, readState, removeState, type StartedNode } from "../cluster_state.ts";
import { command } from "../command.ts";

const DRAIN_MS = 3000;
const END_MS = 2000;
const POLL_MS = 50;

/** `waterpark cluster stop` */
export const clusterStop = command({
  description: "stops the cluster that cluster start has started; what it held in memory is gone",
  args: {},
  examples: ["cluster stop"],
  async run({ out }) {
    const state = await readState();
    const stopped = state === null ? [] : await stopNodes(state.nodes);
    await removeState();
    if (out.isJson) out.json({ stopped: stopped.map((node) => node.name) });
    else out.data(stopped.length === 0 ? "nothing to stop" : `stopped ${stopped.map((node) => node.name).join(", ")}`);
  },
});

/**
 * Stops those of the processes that still run and are ours. A whole cluster cannot drain, for there is nobody to drain
 * to: each gets a moment, then the second signal, which ends it at once, then no choice.
 */
export async function stopNodes(nodes: StartedNode[]): Promise<StartedNode[]> {
  const running = (await Promise.all(nodes.map(async (node) => await isRunning(node) ? node : null)))
    .filter((node) => node !== null);
  let left = running;
  for (const [signal, waitMs] of [["SIGTERM", DRAIN_MS], ["SIGTERM", END_MS], ["SIGKILL", END_MS]] as const) {
    for (const { pid } of left) {
      try {
        Deno.kill(pid, signal);
      } catch {
        // it has just ended
      }
    }
    const untilMs = Date.now() + waitMs;
    while (left.length > 0 && Date.now() < untilMs) {
      const still = await Promise.all(left.map(isRunning));
      left = left.filter((_, i) => still[i]);
      if (left.length > 0) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
  return running;
}
