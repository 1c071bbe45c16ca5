/**
 * The plugins of this node that touch the outside: of each the process of its live version, and the door through which
 * effects reach sinks. When another version is live, what the old one has begun is ended by it.
 */
import type { SinkDoor, SinkPolicy } from "../effects/mod.ts";
import { type IoAbout, IoHost, type IoQuestion, readAbout } from "../plugin_host/mod.ts";
import { log } from "../telemetry/mod.ts";
import type { TopologyState } from "../topology/mod.ts";
import type { World } from "../world/mod.ts";

/** A plugin's live version. */
export interface OutsidePlugin {
  readonly name: string;
  readonly version: number;
  readonly hash: string;
  readonly about: IoAbout;
  readonly host: IoHost;
}

/** Name of the setting that stops a plugin. */
export function pausedSetting(name: string): string {
  return `plugin.${name}.paused`;
}

/** True while an operator has stopped a plugin. */
export function isPaused(settings: TopologyState["settings"], name: string): boolean {
  return settings[pausedSetting(name)] === true;
}

/** An old version's process has so long to end what it has begun, ms. */
const GRACE_MS = 30_000;
const LOOK_MS = 250;

/** See the file's header. */
export class OutsidePlugins implements SinkDoor {
  readonly #world: World;
  readonly #onAsk: (plugin: OutsidePlugin) => IoQuestion;
  readonly #plugins = new Map<string, OutsidePlugin>();
  readonly #old = new Set<IoHost>();
  #settings: TopologyState["settings"] = {};
  #isClosed = false;

  /** @param options.onAsk answers what a plugin asks of its node */
  constructor(options: { world: World; onAsk: (plugin: OutsidePlugin) => IoQuestion }) {
    this.#world = options.world;
    this.#onAsk = options.onAsk;
  }

  /** What the topology says is what there is. */
  keep({ plugins, settings }: TopologyState): void {
    this.#settings = settings;
    for (const [name, { live, versions, kind }] of Object.entries(plugins)) {
      const version = kind === "handler" ? undefined : versions.find((one) => one.version === live);
      const known = this.#plugins.get(name);
      if (version === undefined || this.#isClosed) continue;
      if (known?.hash === version.hash) continue;
      const about = aboutOf(version.manifest);
      if (about === null) {
        log("plugin_host").error("{name} cannot be run: its manifest cannot be read", { name });
        continue;
      }
      this.#begin({ name, version: version.version, hash: version.hash, about }, version.bytes);
      if (known !== undefined) this.#retire(known);
    }
    for (const [name, plugin] of this.#plugins) {
      const record = plugins[name];
      if (record !== undefined && record.live !== null && record.kind !== "handler") continue;
      this.#plugins.delete(name);
      this.#retire(plugin);
    }
  }

  /** The live version of a plugin; null: there is none that touches the outside. */
  of(name: string): OutsidePlugin | null {
    return this.#plugins.get(name) ?? null;
  }

  /** All of a kind. */
  all(kind: IoAbout["plugin"]): OutsidePlugin[] {
    return [...this.#plugins.values()].filter(({ about }) => about.plugin === kind);
  }

  /** True while an operator has stopped it. */
  isPaused(name: string): boolean {
    return isPaused(this.#settings, name);
  }

  /** see {@linkcode SinkDoor} */
  policyOf(sink: string): SinkPolicy | null {
    const plugin = this.#plugins.get(sink);
    if (plugin?.about.plugin !== "sink") return null;
    const { retry, whenDead = "skip" } = plugin.about;
    const { attempts = 8, firstMs = 500, mostMs = 60_000 } = retry ?? {};
    return { hash: plugin.hash, attempts, firstMs, mostMs, whenDead, isPaused: this.isPaused(sink) };
  }

  /** see {@linkcode SinkDoor} */
  readonly deliver: SinkDoor["deliver"] = (sink, delivery, done) => {
    const plugin = this.#plugins.get(sink);
    if (plugin?.about.plugin === "sink") return plugin.host.deliver(delivery, done);
    const end = { state: "retry", code: "effects/no-such-sink", text: "no sink of that name is deployed" } as const;
    this.#world.soon(() => done(end));
  };

  /** Ends all processes. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const hosts = [...[...this.#plugins.values()].map(({ host }) => host), ...this.#old];
    this.#plugins.clear();
    await Promise.all(hosts.map((host) => host.close()));
  }

  #begin(about: Omit<OutsidePlugin, "host">, bundle: Uint8Array): void {
    const { name } = about;
    const host: IoHost = new IoHost({
      world: this.#world,
      bundle,
      about: about.about,
      onAsk: (...question) => this.#onAsk(plugin)(...question),
      onDeath: (reason) => log("plugin_host").warning("{name} died: {reason}", { name, reason }),
    });
    const plugin: OutsidePlugin = { ...about, host };
    this.#plugins.set(name, plugin);
  }

  #retire({ host }: OutsidePlugin): void {
    this.#old.add(host);
    host.stop();
    const untilMs = this.#world.nowMonoMs() + GRACE_MS;
    const look = () => {
      if (host.stats().open > 0 && this.#world.nowMonoMs() < untilMs && !this.#isClosed) {
        this.#world.after(LOOK_MS, look);
        return;
      }
      this.#old.delete(host);
      void host.close();
    };
    look();
  }
}

function aboutOf(manifest: string | undefined): IoAbout | null {
  try {
    const about = readAbout(JSON.parse(manifest ?? ""));
    return typeof about === "string" ? null : about;
  } catch {
    return null;
  }
}
