/**
 * Which processes `cluster start` has started: a file, so that `status` and `stop` find them. A process is only taken
 * for ours when its start time and command line are still those of then: ids are used again.
 */
import { MisuseError } from "./errors.ts";
import type { PlannedNode } from "./cluster_plan.ts";

/** A node that was started. */
export interface StartedNode extends PlannedNode {
  pid: number;
  /** the kernel's start time of the process, in its own units; `""` where the system does not tell */
  startTime: string;
  /** checkout whose code it runs; left out: that of who started the cluster */
  root?: string;
}

/** What the file holds. */
export interface ClusterState {
  startedAt: string;
  /** how the nodes talk; left out: `auto` */
  transport?: string;
  /** folder with a folder for each node's journal; left out: memory only */
  data?: string;
  /** when journals are synced */
  sync?: string;
  nodes: StartedNode[];
}

/** Where the file is: `WATERPARK_STATE`, else the user's state directory, else the temporary one. */
export function statePath(): string {
  const given = Deno.env.get("WATERPARK_STATE");
  if (given) return given;
  const home = Deno.env.get("HOME");
  const state = Deno.env.get("XDG_STATE_HOME") || (home ? `${home}/.local/state` : Deno.env.get("TMPDIR") || "/tmp");
  return `${state}/waterpark/cluster.json`;
}

/** Where a node of the cluster writes what it says. */
export function logPath(name: string): string {
  return `${statePath().replace(/\/[^/]*$/, "")}/logs/${name}.log`;
}

/** The state; null where no cluster was started. @throws {MisuseError} when the file is something else */
export async function readState(): Promise<ClusterState | null> {
  const path = statePath();
  try {
    const state = JSON.parse(await Deno.readTextFile(path)) as ClusterState;
    if (Array.isArray(state.nodes)) return state;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
  }
  throw new MisuseError(`Cannot read "${path}" as it must be what cluster start wrote`, "remove the file");
}

/** Writes the state. */
export async function writeState(state: ClusterState): Promise<void> {
  const path = statePath();
  await Deno.mkdir(path.replace(/\/[^/]*$/, "/logs"), { recursive: true });
  await Deno.writeTextFile(path, JSON.stringify(state, null, 2) + "\n");
}

/** Forgets the cluster. */
export async function removeState(): Promise<void> {
  await Deno.remove(statePath()).catch(() => {});
}

/** Whether the process still runs and is the one that was started. */
export async function isRunning({ pid, name, startTime }: StartedNode): Promise<boolean> {
  if (startTime !== await startTimeOf(pid)) return false;
  if (startTime === "") return await isListed(pid, name);
  const line = await Deno.readTextFile(`/proc/${pid}/cmdline`).catch(() => "");
  return isOurs(line.replaceAll("\0", " "), name);
}

/** The kernel's start time of a process; `""` where there is none or the system does not tell. */
export async function startTimeOf(pid: number): Promise<string> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => "");
  // the name in parentheses may hold spaces; the start time is the 20th field after it; Z is dead and not yet buried
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" ? "" : fields[19] ?? "";
}

async function isListed(pid: number, name: string): Promise<boolean> {
  if (Deno.build.os === "linux") return false;
  const { stdout } = await new Deno.Command("ps", { args: ["-p", String(pid), "-o", "command="] }).output();
  return isOurs(new TextDecoder().decode(stdout), name);
}

function isOurs(commandLine: string, name: string): boolean {
  return commandLine.includes("cli/main.ts") && commandLine.includes(`--name ${name} `);
}
