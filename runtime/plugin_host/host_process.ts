/**
 * Starts the host's process and carries frames to and from it. Decides nothing but what can only be seen from outside:
 * that the process has ended, and that it holds too much memory.
 *
 * @module
 */
import { gates, type World } from "../world/mod.ts";
import { FrameCutter, joinFrames } from "./host_protocol.ts";

/** A running host. */
export interface HostProcess {
  /** Sends a frame, in order. The sender bounds what is on its way. */
  send(frame: Uint8Array): void;
  /** Ends it at once; `onExit` comes when it has ended. */
  kill(reason: string): void;
}

/** What a {@linkcode HostProcess} tells; nothing comes after `onExit`, and nothing within the call that started it. */
export interface HostProcessEvents {
  /** a frame, from its kind on; a view, good during the call */
  onFrame(frame: Uint8Array): void;
  /** it has ended, or never began; `reason` is a fault code */
  onExit(reason: string): void;
}

/** Starts a host. */
export type SpawnHost = (events: HostProcessEvents) => HostProcess;

/** What {@linkcode spawnHostProcess} can be told. */
export interface HostProcessOptions {
  world: World;
  /** V8 heap of the process in MiB */
  heapMiB: number;
  /** resident memory in bytes above which it is killed; looked at where the system has /proc */
  residentBytesMax: number;
  /** how often that is looked at */
  memoryIntervalMs: number;
}

// Bytes of a page: right for x86-64 and for most arm64 systems; where pages are larger the limit is higher.
const PAGE_BYTES = 4096;
const SEMI_SPACE_MIB = 8;

/** Starts the host's process: no permission, no packages, no configuration, an empty environment. */
export function spawnHostProcess(options: HostProcessOptions, events: HostProcessEvents): HostProcess {
  const main = new URL("./host_main.ts", import.meta.url);
  return spawnWalled(walledCommand(main, options.heapMiB), options, events);
}

/** Starts what {@linkcode walledCommand} says, perhaps with more permissions. */
export function spawnWalled(
  command: ReturnType<typeof walledCommand>,
  options: HostProcessOptions,
  events: HostProcessEvents,
): HostProcess {
  const pipes = { stdin: "piped", stdout: "piped", stderr: "piped" } as const;
  const child = new gates.process.Command(gates.process.execPath(), { ...command, ...pipes }).spawn();
  return new ChildHost(child, options, events);
}

/** How `main` is run within the outer wall: exported so that a test can pry at it from inside. */
export function walledCommand(main: URL, heapMiB: number): {
  args: string[];
  clearEnv: boolean;
  env: Record<string, string>;
  cwd: string;
} {
  // From a package on the network its modules are in the cache: --no-remote would refuse them.
  const source = main.protocol === "file:" ? ["--no-remote"] : ["--cached-only"];
  const flags = [
    `--max-old-space-size=${heapMiB}`,
    "--disallow-code-generation-from-strings",
    // The cache keeps every script that was ever compiled: 100 KB for a version that is gone. None is compiled twice.
    "--no-compilation-cache",
    // Otherwise what is young grows to 32 MiB before anybody looks, and a host by 90 MiB.
    `--max-semi-space-size=${SEMI_SPACE_MIB}`,
  ].join(",");
  return {
    args: ["run", "--quiet", "--no-prompt", "--no-npm", ...source, "--no-config", "--no-lock", "--no-check"].concat(
      `--v8-flags=${flags}`,
      main.href,
    ),
    clearEnv: true,
    // The time zone and language that handlers see are the same on every machine.
    env: { TZ: "UTC", LANG: "en_US.UTF-8", NO_COLOR: "1", ...cacheEnvironment() },
    cwd: "/",
  };
}

function cacheEnvironment(): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of ["DENO_DIR", "HOME", "XDG_CACHE_HOME"]) {
    const value = gates.process.environment.get(name);
    if (value !== undefined) environment[name] = value;
  }
  return environment;
}

type Child = ReturnType<InstanceType<typeof gates.process.Command>["spawn"]>;

class ChildHost implements HostProcess {
  readonly #child: Child;
  readonly #options: HostProcessOptions;
  readonly #events: HostProcessEvents;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  #outgoing: Uint8Array[] = [];
  #isWriting = false;
  #hasEnded = false;
  #reason = "plugin_host/died";

  constructor(child: Child, options: HostProcessOptions, events: HostProcessEvents) {
    this.#child = child;
    this.#options = options;
    this.#events = events;
    this.#stdin = child.stdin.getWriter();
    this.#stdin.closed.catch(() => {}); // the end is told by `status`
    Promise.allSettled([this.#read(), this.#drainErrors(), child.status]).then(() => {
      this.#hasEnded = true;
      this.#stdin.close().catch(() => {});
      events.onExit(this.#reason);
    });
    this.#watchMemory();
  }

  send(frame: Uint8Array): void {
    this.#outgoing.push(frame);
    if (!this.#isWriting) this.#write();
  }

  kill(reason: string): void {
    if (this.#hasEnded) return;
    this.#reason = reason;
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // it has just ended by itself
    }
  }

  // What one turn asks for goes out in one write; while one is under way the rest gathers.
  async #write(): Promise<void> {
    this.#isWriting = true;
    try {
      await Promise.resolve();
      while (this.#outgoing.length > 0) {
        const frames = this.#outgoing;
        this.#outgoing = [];
        await this.#stdin.write(joinFrames(frames));
      }
    } catch {
      this.#outgoing.length = 0; // a broken pipe: the process is ending
    }
    this.#isWriting = false;
  }

  async #read(): Promise<void> {
    const cutter = new FrameCutter();
    try {
      for await (const chunk of this.#child.stdout) {
        for (const frame of cutter.push(chunk)) this.#events.onFrame(frame);
      }
    } catch {
      this.kill("plugin_host/bad-answer");
    }
  }

  // Only drained: what stands there after a crash (V8's stack trace) may hold patients' data.
  async #drainErrors(): Promise<void> {
    for await (const chunk of this.#child.stderr) void chunk;
  }

  #watchMemory(): void {
    const { world, memoryIntervalMs, residentBytesMax } = this.#options;
    world.after(memoryIntervalMs, async () => {
      if (this.#hasEnded) return;
      try {
        const statm = await gates.files.readTextFile(`/proc/${this.#child.pid}/statm`);
        if (Number(statm.split(" ")[1]) * PAGE_BYTES > residentBytesMax) this.kill("plugin_host/out-of-memory");
      } catch {
        return; // no /proc here, or it has ended
      }
      this.#watchMemory();
    });
  }
}
