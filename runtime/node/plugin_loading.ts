/**
 * Plugin loading: what a node does with bundles. A new one is looked at in a host process of its own before the cluster
 * hears of it: what does not load, loops while it loads, or is no handler must not reach the hosts that serve actors.
 */
import { WaterparkError } from "../base/mod.ts";
import type { DeployRequest } from "../gateway/mod.ts";
import { type HostPool, inspectIo, type LoadAnswer } from "../plugin_host/mod.ts";
import { log } from "../telemetry/mod.ts";
import type { World } from "../world/mod.ts";
import { PluginInspector } from "./plugin_inspector.ts";

/** The bundles that this node's host has, and what became of loading them. */
export class PluginLoading {
  readonly #host: HostPool;
  readonly #inspector: PluginInspector;
  readonly #world: World;
  /** by hash; null while it is being loaded */
  readonly #loads = new Map<string, LoadAnswer | null>();

  constructor(options: { world: World; host: HostPool }) {
    this.#world = options.world;
    this.#host = options.host;
    this.#inspector = new PluginInspector(options.world);
  }

  /** Has the host keep these bundles and no others. */
  keep(plugins: { name: string; hash: string; bytes: Uint8Array }[]): void {
    const wanted = new Set(plugins.map((plugin) => plugin.hash));
    for (const { name, hash, bytes } of plugins) {
      if (this.#loads.has(hash)) continue;
      this.#loads.set(hash, null);
      this.#host.start();
      this.#host.load(hash, name, bytes, (answer) => {
        if (this.#loads.has(hash)) this.#loads.set(hash, answer);
        if (answer.state === "loaded") log("plugin_host").info("{name} {hash} loaded", { name, hash });
        else log("plugin_host").error("{name} {hash} not loaded: {code}", { name, hash, code: answer.code });
      });
    }
    for (const hash of this.#loads.keys()) {
      if (wanted.has(hash)) continue;
      this.#host.unload(hash);
      this.#loads.delete(hash);
    }
  }

  /** True once the host has it. */
  isLoaded(hash: string): boolean {
    return this.#loads.get(hash)?.state === "loaded";
  }

  /**
   * Loads the bundle in a process that nothing depends on.
   *
   * @returns of what touches the outside what it declares, as JSON
   * @throws {WaterparkError} `plugin_host/not-a-plugin`, `plugin_host/does-not-load`, `plugin_host/bad-kind`
   */
  async inspect(request: DeployRequest): Promise<string | undefined> {
    if (request.kind !== "handler") return await this.#inspectIo(request);
    const refuse = (code: string, state: string) => {
      throw new WaterparkError(`Cannot deploy "${request.name}" as it must be a handler of that name: ${state}`, {
        code,
        outcome: "not-applied",
      });
    };
    const answer = await this.#inspector.load(request);
    if (answer.state === "failed") refuse(answer.code, answer.message);
    else if (answer.name !== request.name) refuse("plugin_host/not-a-plugin", `it calls itself ${answer.name}`);
  }

  /** Ends the process in which bundles are looked at, where one runs. */
  async close(): Promise<void> {
    await this.#inspector.close();
  }

  async #inspectIo({ name, kind, bundle, stage = "live" }: DeployRequest): Promise<string> {
    const about = await inspectIo(this.#world, bundle);
    const refuse = (code: string, rule: string) => {
      throw new WaterparkError(`Cannot deploy "${name}" as ${rule}`, { code, outcome: "not-applied" });
    };
    if (about.plugin !== kind) refuse("plugin_host/bad-kind", `it must be a ${kind}: it is a ${about.plugin}`);
    if (about.name !== name) {
      refuse("plugin_host/not-a-plugin", `it must have that name: it calls itself ${about.name}`);
    }
    if (stage !== "live") {
      refuse("plugin_host/bad-stage", `a ${kind} begins live: nothing of it can be compared without carrying it out`);
    }
    return JSON.stringify(about);
  }
}
