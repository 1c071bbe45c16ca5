import type { JoiningNode } from "../topology/mod.ts";
import { SYSTEM_SHARD } from "../topology/mod.ts";
import type { NodeCore } from "./core.ts";
import type { RequestResult } from "./requests.ts";

/** Takes a node in that has asked this one: it is told the topology, and who writes that, once that has it in. */
export function takeIn(core: NodeCore, node: JoiningNode, done: (result: RequestResult) => void): void {
  const { directory, world, replication, config } = core;
  directory.command({ type: "join", node }, (result) => {
    if (!result.ok) return done(result);
    const untilMs = world.nowMonoMs() + config.requestMs;
    const deliver = () => {
      if (world.nowMonoMs() > untilMs) return;
      const { topology } = directory;
      // The command may have been applied elsewhere first: the joiner must get a state that has it in.
      if (topology?.nodeByIncarnation(node.incarnation) == null) {
        world.after(20, deliver);
        return;
      }
      // Without the plugins' bundles, which may be larger than a frame: the log brings them.
      const state = { ...topology.state, plugins: {} };
      done({ ok: true, value: { state, hint: replication.hint(SYSTEM_SHARD) } });
    };
    deliver();
  });
}
