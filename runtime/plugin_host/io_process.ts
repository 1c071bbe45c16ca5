/**
 * Starts the process of a plugin that touches the outside: as a handlers' host, but with what the plugin declares opened
 * in the wall, and with declared variables only in its environment.
 *
 * @module
 */
import { gates, type World } from "../world/mod.ts";
import type { HostProcess, HostProcessEvents } from "./host_process.ts";
import { spawnWalled, walledCommand } from "./host_process.ts";
import type { Permissions } from "./io_sdk.ts";

/** What {@linkcode spawnIoProcess} is told. */
export interface IoProcessOptions {
  world: World;
  permissions: Permissions;
  heapMiB: number;
}

/** The process may be so much larger than its heap: buffers of sockets and messages stand beside it, MiB. */
const BESIDE_HEAP_MIB = 512;
const MEMORY_INTERVAL_MS = 1_000;

/** Starts it. */
export function spawnIoProcess(options: IoProcessOptions, events: HostProcessEvents): HostProcess {
  const { world, heapMiB } = options;
  const residentBytesMax = (heapMiB + BESIDE_HEAP_MIB) * 1024 * 1024;
  const process = { world, heapMiB, residentBytesMax, memoryIntervalMs: MEMORY_INTERVAL_MS };
  return spawnWalled(ioCommand(options), process, events);
}

/** How it is run: exported so that a test can look at it. */
export function ioCommand({ permissions, heapMiB }: Omit<IoProcessOptions, "world">): ReturnType<typeof walledCommand> {
  const main = new URL("./io_main.ts", import.meta.url);
  const { args, env, ...rest } = walledCommand(main, heapMiB);
  const { env: names = [], ...others } = permissions;
  // Packages look at the whole environment; here that is what was declared, and nothing else.
  const flags = ["--allow-env"];
  for (const [what, list] of Object.entries(others)) {
    if (list !== undefined && list.length > 0) flags.push(`--allow-${what}=${list.join(",")}`);
  }
  const declared: Record<string, string> = {};
  for (const name of names) {
    const value = gates.process.environment.get(name);
    if (value !== undefined) declared[name] = value;
  }
  // Behind "run". Code may be made from text here: packages do that, and this wall is not made of it.
  const others2 = args.slice(1).map((arg) => arg.replace(",--disallow-code-generation-from-strings", ""));
  return { ...rest, args: ["run", ...flags, ...others2], env: { ...declared, ...env } };
}
