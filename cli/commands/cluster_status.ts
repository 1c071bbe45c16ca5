import { connect, type NodeView } from "../../client.ts";
import { isRunning, readState, statePath } from "../cluster_state.ts";
import { command } from "../command.ts";

/** `waterpark cluster status` */
export const clusterStatus = command({
  description: "lists the processes that cluster start has started",
  args: {},
  examples: ["cluster status", "cluster status --json"],
  async run({ values, out }) {
    const state = await readState();
    if (state === null) {
      if (out.isJson) out.json({ running: false, nodes: [] });
      else out.data("no cluster was started here");
      return;
    }
    const rows = await Promise.all(state.nodes.map(async (node) => ({ ...node, running: await isRunning(node) })));
    const urls = rows.filter((row) => row.running).map((row) => `http://${row.http}`);
    const options = { token: values.token, deadlineMs: 2000 };
    const views: NodeView[] = urls.length === 0 ? [] : await connect(urls, options).nodes().catch(() => []);
    const nodes = rows.map((row) => ({ ...row, alive: views.find((view) => view.name === row.name)?.alive ?? false }));
    if (out.isJson) {
      return out.json({ running: urls.length > 0, startedAt: state.startedAt, state: statePath(), nodes });
    }
    out.data(`started ${state.startedAt}, ${urls.length} of ${rows.length} processes run`);
    out.table(
      ["NODE", "PROCESS", "PID", "SEEN", "MESH", "HTTP", "MLLP"],
      nodes.map((node) => [
        node.name,
        node.running ? out.paint("green", "runs") : out.paint("red", "ended"),
        node.pid,
        node.alive ? out.paint("green", "alive") : out.paint("red", "silent"),
        node.mesh,
        node.http,
        node.mllp,
      ]),
    );
  },
});
