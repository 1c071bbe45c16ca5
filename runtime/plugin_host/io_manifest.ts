/**
 * What a plugin that touches the outside says about itself, found out by loading it where it may do nothing. It is kept
 * with the version in the topology: what was looked at when it was deployed is what its processes are allowed.
 *
 * @module
 */
import { WaterparkError } from "../base/mod.ts";
import type { World } from "../world/mod.ts";
import type { SpawnHost } from "./host_process.ts";
import { spawnIoProcess } from "./io_process.ts";
import { decodeIo, encodeIo, IO_FRAME } from "./io_protocol.ts";
import { type Limits, type Permissions, problemOfManifest, type SinkDefinition } from "./io_sdk.ts";

/** What a version declares. */
export interface IoAbout {
  readonly plugin: "function" | "sink" | "source";
  readonly name: string;
  readonly permissions: Permissions;
  readonly limits: Limits;
  /** of a sink */
  readonly batchMax?: number;
  /** of a sink */
  readonly retry?: SinkDefinition["retry"];
  /** of a sink */
  readonly whenDead?: "hold" | "skip";
  /** of a source */
  readonly runsOn?: "one" | "each";
}

const INSPECT_MS = 15_000;
const MANIFEST_UNITS_MAX = 16_000;

/**
 * Loads a bundle in a process with no permission, and asks what it is.
 *
 * @throws {WaterparkError} `plugin_host/not-a-plugin`, `plugin_host/does-not-load`
 */
export function inspectIo(world: World, bundle: Uint8Array, spawn?: SpawnHost): Promise<IoAbout> {
  return new Promise((resolve, reject) => {
    let isOver = false;
    const end = (act: () => void) => {
      if (isOver) return;
      isOver = true;
      timer.cancel();
      child.kill("plugin_host/closed");
      act();
    };
    const refuse = (code: string, state: string) => end(() => reject(refused(code, state)));
    const start: SpawnHost = spawn ?? ((events) => spawnIoProcess({ world, permissions: {}, heapMiB: 256 }, events));
    const timer = world.after(INSPECT_MS, () => refuse("plugin_host/does-not-load", `it loads for ${INSPECT_MS} ms`));
    const child = start({
      onFrame: (bytes) => {
        const { kind, head } = decodeIo(bytes);
        if (kind !== IO_FRAME.loaded) return;
        if (typeof head?.code === "string") {
          const code = head.code === "plugin_host/not-a-plugin" ? head.code : "plugin_host/does-not-load";
          return refuse(code, String(head.text));
        }
        const about = readAbout(head?.value);
        if (typeof about === "string") refuse("plugin_host/not-a-plugin", about);
        else end(() => resolve(about));
      },
      onExit: (reason) => refuse("plugin_host/does-not-load", `its process has ended: ${reason}`),
    });
    child.send(encodeIo(IO_FRAME.load, 0, null, [bundle]));
  });
}

/** What a manifest says, or what is wrong with it. It may come from a plugin or out of the log. */
export function readAbout(value: unknown): IoAbout | string {
  const problem = problemOfManifest(value, []);
  if (problem !== "") return problem;
  const { plugin, name, permissions = {}, limits = {}, batchMax, retry, whenDead, runsOn } = value as IoAbout;
  if (plugin !== "function" && plugin !== "sink" && plugin !== "source") return "it is no function, sink or source";
  if (JSON.stringify(value).length > MANIFEST_UNITS_MAX) return "what it declares is too long";
  const about: Record<string, unknown> = { plugin, name, permissions, limits };
  if (plugin === "source") {
    if (runsOn !== "one" && runsOn !== "each") return 'its runsOn must be "one" or "each"';
    about.runsOn = runsOn;
  }
  if (plugin === "sink") {
    if (batchMax !== undefined && !isWhole(batchMax, 1, 10_000)) return "its batchMax must be from 1 to 10000";
    if (whenDead !== undefined && whenDead !== "hold" && whenDead !== "skip") {
      return 'its whenDead must be "hold" or "skip"';
    }
    const { attempts = 8, firstMs = 500, mostMs = 60_000 } = retry ?? {};
    if (!isWhole(attempts, 1, 1_000_000)) return "its retry.attempts must be from 1 to 1000000";
    if (!isWhole(firstMs, 1, 3_600_000) || !isWhole(mostMs, firstMs, 86_400_000)) {
      return "its retry.firstMs must be from 1 to 3600000, and retry.mostMs not less, at most a day";
    }
    Object.assign(about, {
      batchMax: batchMax ?? 100,
      whenDead: whenDead ?? "skip",
      retry: { attempts, firstMs, mostMs },
    });
  }
  return about as unknown as IoAbout;
}

function isWhole(value: unknown, least: number, most: number): boolean {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
}

function refused(code: string, state: string): WaterparkError {
  return new WaterparkError(`Cannot use the plugin as it must be a function, a sink or a source: ${state}`, {
    code,
    outcome: "not-applied",
  });
}
