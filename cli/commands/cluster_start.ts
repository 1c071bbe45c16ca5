import { resolve } from "node:path";
import { connect } from "../../client.ts";
import { nodeArguments, planCluster, type PlannedNode, rejoinArguments } from "../cluster_plan.ts";
import { isRunning, logPath, readState, removeState, startTimeOf, statePath, writeState } from "../cluster_state.ts";
import type { StartedNode } from "../cluster_state.ts";
import { command } from "../command.ts";
import { MisuseError } from "../errors.ts";
import type { Output } from "../output.ts";
import { NODE_V8_FLAGS } from "../v8_flags.ts";
import { stopNodes } from "./cluster_stop.ts";
import { firstSignal, SHARDS, shardsIn, SYNC } from "./node_start.ts";
import { printNodes } from "./node_list.ts";

const READY_MS_MAX = 120_000;
const POLL_MS = 100;
const GONE_MS = 500;
const OWN_ROOT = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");

/** `waterpark cluster start` */
export const clusterStart = command({
  description: "starts a cluster of real processes on this machine, on loopback",
  args: {
    "data-centers": { type: "string", default: "TN,TX,FL,UT", metavar: "NAME,...", description: "data centers" },
    zones: { type: "number", default: 2, description: "zones in each" },
    nodes: { type: "number", default: 8, description: "nodes, spread over data centers first" },
    "base-port": { type: "number", default: 4600, description: "mesh from here, HTTP 4000 above, MLLP 2025 below" },
    copies: { type: "number", default: 5, description: "copies of every shard" },
    shards: SHARDS,
    transport: {
      type: "enum",
      choices: ["auto", "quic", "websocket"],
      default: "auto",
      description: "how nodes talk",
    },
    data: { type: "string", metavar: "DIR", description: "keep journals there, a folder a node; else memory only" },
    sync: SYNC,
    detach: { type: "boolean", default: false, description: "return when it is ready; cluster stop ends it" },
  },
  examples: [
    "cluster start",
    "cluster start --data /var/tmp/waterpark",
    "cluster start --nodes 4 --data-centers TN,TX --detach",
  ],
  async run({ values, out }) {
    const dataCenters = values["data-centers"].split(",").map((name) => name.trim().toUpperCase());
    const plan = planCluster({ dataCenters, zones: values.zones, nodes: values.nodes, basePort: values["base-port"] });
    const before = await readState();
    if (before !== null && (await Promise.all(before.nodes.map(isRunning))).includes(true)) {
      throw new MisuseError("Cannot start the cluster as only one may run here: one does", "waterpark cluster stop");
    }
    refuseTakenPorts(plan);
    const data = values.data === undefined ? undefined : resolve(values.data);
    const settings = { transport: values.transport, data, sync: values.sync };
    const isBack = data !== undefined && await hasJournal(data, plan);
    const started: StartedNode[] = [];
    const ending = Promise.withResolvers<string>();
    let isEnding = false;
    firstSignal(() => Deno.exit(1)).then((signal) => {
      isEnding = true;
      ending.resolve(signal);
    });
    try {
      const launch = async (i: number) => {
        const pid = spawnNode(
          plan[i].name,
          isBack
            ? rejoinArguments(plan, plan[i], settings)
            : nodeArguments(plan, i, { copies: values.copies, shards: shardsIn(values.shards), ...settings }),
        );
        started.push({ ...plan[i], pid, startTime: await startTimeOf(pid) });
        await writeState({ startedAt, ...settings, nodes: started });
      };
      const startedAt = new Date().toISOString();
      await writeState({ startedAt, ...settings, nodes: [] });
      await launch(0);
      // Those that come back from journals wait for each other.
      if (!isBack) await untilAll(started, "/healthz", { out, of: plan, isEnding: () => isEnding });
      for (let i = 1; i < plan.length; i++) await launch(i);
      await untilAll(started, "/readyz", { out, of: plan, isEnding: () => isEnding });
    } catch (error) {
      await stopNodes(started);
      await removeState();
      throw error;
    }
    const nodes = await connect(`http://${plan[0].http}`).nodes();
    if (out.isJson) out.json({ ready: true, nodes: started, state: statePath() });
    else {
      out.data(`ready ${plan.length} nodes  http http://${plan[0].http}  mllp ${plan[0].mllp}`);
      printNodes(out, nodes);
    }
    if (values.detach) return out.talk("it goes on; end it with: waterpark cluster stop");
    out.talk("end it with Ctrl-C");
    const gone = whenGone({ out, isEnding: () => isEnding });
    out.talk(`${await Promise.race([ending.promise, gone])}: stopping`);
    await stopNodes(await present());
    await removeState();
  },
});

/** True when one of the nodes has been here before: then nobody creates a cluster, and all come back to theirs. */
async function hasJournal(data: string, plan: readonly PlannedNode[]): Promise<boolean> {
  for (const { name } of plan) {
    try {
      for await (const _ of Deno.readDir(`${data}/${name}`)) return true;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return false;
}

/** Somebody else's node on one of our ports would be taken for ours. */
function refuseTakenPorts(plan: readonly PlannedNode[]): void {
  for (const { name, mesh, http, mllp } of plan) {
    for (const address of [mesh, http, mllp]) {
      const at = address?.lastIndexOf(":") ?? -1;
      if (!address || at < 0) continue;
      try {
        Deno.listen({ hostname: address.slice(0, at), port: Number(address.slice(at + 1)) }).close();
      } catch (error) {
        if (!(error instanceof Deno.errors.AddrInUse)) throw error;
        throw new MisuseError(
          `Cannot start ${name} as its port must be free: somebody listens at ${address}`,
          "waterpark cluster start --base-port 5600, or stop who is there",
        );
      }
    }
  }
}

/**
 * Starts the process, in a session of its own so that Ctrl-C reaches it once, through us; its talk goes to a file, as a
 * pipe would break when we leave.
 *
 * @param root the checkout whose code it runs
 */
export function spawnNode(name: string, args: string[], root = OWN_ROOT): number {
  const deno = [
    Deno.execPath(),
    "run",
    "-A",
    `--v8-flags=${NODE_V8_FLAGS}`,
    "--config",
    `${root}/deno.json`,
    `${root}/cli/main.ts`,
    ...args,
    "--json",
  ];
  const child = new Deno.Command("sh", {
    args: ["-c", 'exec "$@" >"$0" 2>&1 </dev/null', logPath(name), ...deno],
    stdin: "null",
    stdout: "null",
    stderr: "null",
    detached: true,
  }).spawn();
  child.unref();
  return child.pid;
}

/** Waits until all nodes answer `path`. */
export async function untilAll(
  nodes: StartedNode[],
  path: string,
  { out, of, isEnding }: { out: Output; of: PlannedNode[]; isEnding: () => boolean },
): Promise<void> {
  const untilMs = Date.now() + READY_MS_MAX;
  const waiting = new Set(nodes);
  while (waiting.size > 0) {
    out.progress(`${nodes.length - waiting.size} of ${of.length} nodes ready`);
    for (const node of waiting) {
      if (isEnding()) throw new Error("Cannot start the cluster as it was stopped");
      const isUp = await fetch(`http://${node.http}${path}`).then(
        async (r) => (await r.body?.cancel(), r.ok),
        () => false,
      );
      if (isUp) waiting.delete(node);
      else if (Date.now() > untilMs || !await hasProcess(node)) throw await notReady(node);
    }
    if (waiting.size > 0) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  out.progress("");
}

async function hasProcess({ pid }: StartedNode): Promise<boolean> {
  return Deno.build.os !== "linux" || await startTimeOf(pid) !== "";
}

async function notReady(node: StartedNode): Promise<Error> {
  const log = await Deno.readTextFile(logPath(node.name)).catch(() => "");
  const tail = log.trim().split("\n").slice(-5).join("\n  ");
  return new Error(
    `Cannot start ${node.name} as it must become ready: it did not\n  ${tail}\n  see ${logPath(node.name)}`,
  );
}

/**
 * Resolves when none of the processes is left; says of each that goes. Looks into the file, as `cluster restart` puts other
 * processes in their places.
 */
async function whenGone({ out, isEnding }: { out: Output; isEnding: () => boolean }): Promise<string> {
  const told = new Set<number>();
  for (let left = 1; left > 0 && !isEnding();) {
    const nodes = await present();
    const areRunning = await Promise.all(nodes.map(isRunning));
    left = areRunning.filter((isRunning) => isRunning).length;
    // One that is being restarted is in nobody's place for a moment: only who is missed twice has ended.
    await new Promise((resolve) => setTimeout(resolve, GONE_MS));
    const gone = nodes.filter((node, i) => !areRunning[i] && !told.has(node.pid));
    const pids = new Set((await present()).map((node) => node.pid));
    for (const { name, pid } of gone) {
      if (isEnding() || !pids.has(pid)) continue;
      told.add(pid);
      out.talk(`${name} has ended; see ${logPath(name)}`);
    }
  }
  return "nobody is left";
}

async function present(): Promise<StartedNode[]> {
  return (await readState())?.nodes ?? [];
}
