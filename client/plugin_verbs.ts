/**
 * What a client says about plugins and switches.
 */
import { type ActorKey, formatKey } from "../runtime/base/mod.ts";
import type { PluginDetail, PluginDiffView, PluginView, SwitchView } from "../runtime/gateway/mod.ts";
import type { Dialer } from "./dialer.ts";
import { OutsideVerbs } from "./outside_verbs.ts";
import { query } from "./query.ts";

const JSON_TYPE = { "content-type": "application/json" };
const ENCODER = new TextEncoder();

/** A plugin's bundle, to be deployed. */
export interface Deployment {
  /** of the plugin */
  name: string;
  /** `handler`, `function`, `source` or `sink` */
  kind: string;
  /** kind of the actors that it handles; default `"patient"` */
  actorKind?: string;
  /** where the source came from; for people */
  url: string;
  /** SHA-256 of the bundle, hexadecimal */
  hash: string;
  /** one CommonJS module */
  bundle: Uint8Array;
  /** how it begins; default `"live"` */
  stage?: "live" | "dark" | "canary";
  /** of a canary: of the actors, by hash of their key; default 10, or 0 where actors are listed */
  percent?: number;
  /** of a canary: actors that it decides for beside them */
  actors?: ActorKey[];
  /** of a canary: a node, zone or data center; it decides for what is to be written there */
  where?: string;
  /** of a canary: it goes from ring to ring by itself, with these of the plan's numbers in place of the usual ones */
  rings?: Readonly<Record<string, number>>;
}

/** The verbs of a client that are about plugins and switches. */
export class PluginVerbs extends OutsideVerbs {
  readonly #dialer: Dialer;

  /** Speaks through `dialer`, which asks the nodes. */
  constructor(dialer: Dialer) {
    super(dialer);
    this.#dialer = dialer;
  }

  /** All plugins. */
  async plugins(): Promise<PluginView[]> {
    return (await this.#dialer.ask<{ plugins: PluginView[] }>({ path: "/v1/plugins" })).plugins;
  }

  /** One plugin, with its versions, who did what to it, and how far versions are that only fold along. */
  plugin(name: string): Promise<PluginDetail> {
    return this.#dialer.ask({ path: pluginPath(name) });
  }

  /**
   * Puts a plugin, or a new version of it, in its place. The same bundle twice is one version. A version that is to be live
   * folds all histories before it takes over from another: resolves when it has, however long that takes.
   */
  async deploy(
    { name, kind, actorKind = "patient", url, hash, bundle, stage = "live", percent, actors, where, rings }: Deployment,
  ): Promise<PluginView> {
    const headers = {
      "content-type": "application/javascript",
      "waterpark-plugin-kind": kind,
      ...kind === "handler" ? { "waterpark-actor-kind": actorKind } : {},
      "waterpark-plugin-url": encodeURI(url),
      "waterpark-plugin-hash": hash,
      "waterpark-plugin-stage": stage,
      ...percent === undefined ? {} : { "waterpark-plugin-percent": String(percent) },
      ...actors === undefined ? {} : { "waterpark-plugin-actors": listOf(actors) },
      ...where === undefined ? {} : { "waterpark-plugin-where": where },
      ...rings === undefined ? {} : { "waterpark-plugin-rings": JSON.stringify(rings) },
    };
    for (;;) {
      const request = { method: "PUT", path: pluginPath(name), headers, body: bundle } as const;
      const view = await this.#dialer.ask<PluginView>(request);
      // It still folds: asked again, a node waits for it again, another one too if that one is gone.
      if (stage !== "live" || view.stage !== "dark") return view;
    }
  }

  /** Takes a plugin away; what it kept goes with it. */
  async removePlugin(name: string): Promise<void> {
    await this.#dialer.ask({ method: "DELETE", path: pluginPath(name) });
  }

  /**
   * Takes the canary back, or else makes the version before live again. Not repeated when the connection breaks: it might
   * go back twice.
   *
   * @param options.reason for who looks at the plugin's history
   */
  rollbackPlugin(name: string, options: { reason?: string } = {}): Promise<PluginView> {
    const path = `${pluginPath(name)}/rollback${query({ ...options })}`;
    return this.#dialer.ask({ method: "POST", path, isRepeatable: false });
  }

  /**
   * Has a version decide for all actors, or, as a canary, for a part of them.
   *
   * @throws {WaterparkError} `node/diff-not-accepted`: its effects were others than those of the live one;
   *   `node/other-actors`: a canary must be for the same kind of actors
   */
  promotePlugin(
    name: string,
    options: {
      version?: number;
      stage?: "canary" | "live";
      percent?: number;
      actors?: ActorKey[];
      acceptDiff?: boolean;
    } = {},
  ): Promise<PluginView> {
    const { acceptDiff, actors, ...rest } = options;
    const asked = {
      ...rest,
      ...acceptDiff === undefined ? {} : { "accept-diff": String(acceptDiff) },
      ...actors === undefined ? {} : { actors: listOf(actors) },
    };
    return this.#dialer.ask({ method: "POST", path: `${pluginPath(name)}/promote${query(asked)}` });
  }

  /** In what a plugin's versions differ, as far as both have folded the same messages. Its examples name actors. */
  pluginDiff(name: string): Promise<PluginDiffView> {
    return this.#dialer.ask({ path: `${pluginPath(name)}/diff` });
  }

  /**
   * Says for how long, in ms, a new version must have decided for a part before it may decide everywhere: so that no fault
   * is in all data centers at once. 0, as at first: there is no such time.
   */
  async setPluginPace(everywhereAfterMs: number): Promise<void> {
    await this.#dialer.ask({ method: "PUT", path: `/v1/plugin-pace${query({ everywhereAfterMs })}` });
  }

  /** All switches. */
  async switches(): Promise<SwitchView[]> {
    return (await this.#dialer.ask<{ switches: SwitchView[] }>({ path: "/v1/switches" })).switches;
  }

  /** Sets a switch, for all handlers on all nodes. */
  setSwitch(name: string, on: boolean): Promise<SwitchView> {
    const body = ENCODER.encode(JSON.stringify({ on }));
    return this.#dialer.ask({
      method: "PUT",
      path: `/v1/switches/${encodeURIComponent(name)}`,
      headers: JSON_TYPE,
      body,
    });
  }
}

/** Keys with commas between; a comma in a key stays one. */
function listOf(actors: readonly ActorKey[]): string {
  return actors.map((key) => formatKey(key).replaceAll(",", "%2C")).join(",");
}

function pluginPath(name: string): string {
  return `/v1/plugins/${encodeURIComponent(name)}`;
}
