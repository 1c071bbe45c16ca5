/**
 * Warming: a version that is to be live folds every history first, and only then takes over. Like a relay runner who is at
 * full speed before the baton changes hands: the hand-over is one entry of the topology, and at every actor the next
 * message finds a session that stands where it must. Cold, the first message of each would wait for a whole history.
 *
 * A deploy waits for it for a while; what takes longer goes on here, and is told by `plugin inspect`. Should this node
 * die meanwhile, the version stays dark: the same deploy once more, at any node, goes on.
 *
 * @module
 */
import { WaterparkError } from "../base/mod.ts";
import { log } from "../telemetry/mod.ts";
import type { PluginRecord } from "../topology/mod.ts";
import type { NodeCore } from "./core.ts";

const METHOD = "plugin-warmth";
/** Between two looks, ms: what a swap takes at least. */
const EVERY_MS = 50;
/** A node that says nothing for so long is not waited for, ms. */
const ANSWER_MS = 1000;
/** A deploy's request waits so long, ms: half of what the gateway allows. */
const PATIENCE_MS = 5000;
/** A version that nobody folds after so many looks never will: it takes over as it is. */
const IDLE_LOOKS_MAX = 100;
/** Versions that are warmed on behalf of this node at a time. */
const OPEN_MAX = 32;

/** How far one node is: actors that the version is through with, and all that there are; null: it does not fold there. */
export type Warmth = { actors: number; all: number } | null;

/** What it needs. */
export interface WarmingOptions {
  core: NodeCore;
  /** makes a version live */
  promote(name: string, version: number, by: string): Promise<unknown>;
}

/** Which version, and who wants it. */
export interface ToWarm {
  name: string;
  version: number;
  hash: string;
  by: string;
}

/** See the module's header. */
export class Warming {
  readonly #options: WarmingOptions;
  /** by name and version */
  readonly #open = new Map<string, Promise<void>>();

  constructor(options: WarmingOptions) {
    this.#options = options;
    const { core } = options;
    core.requests.handle(METHOD, (body, done) => {
      const { name, hash } = body as { name?: unknown; hash?: unknown };
      const mine = core.actors.shadows.progress(String(name)).find((one) => one.hash === hash);
      done({ ok: true, value: mine === undefined ? null : { actors: mine.actors, all: mine.actorsAll } });
    });
  }

  /**
   * Has a dark version go live once it is warm on every node that answers.
   *
   * @returns when it is live, or after five seconds: then it goes on by itself
   * @throws {WaterparkError} `node/superseded` when it was taken back, or a newer one was deployed
   */
  async goLive(wish: ToWarm): Promise<void> {
    const title = `${wish.name} ${wish.version}`;
    let going = this.#open.get(title);
    if (going === undefined) {
      // Past the bound nobody is turned away: it takes over cold, which costs time and nothing else.
      going = this.#open.size >= OPEN_MAX ? this.#promote(wish) : this.#run(wish);
      this.#open.set(title, going);
      const over = () => void this.#open.delete(title);
      going.then(over, (error) => {
        over();
        log("node").warning("plugin {name} version {version} did not go live: {code}", {
          name: wish.name,
          version: wish.version,
          code: (error as { code?: string }).code,
        });
      });
    }
    const { world } = this.#options.core;
    await Promise.race([going, new Promise<void>((resolve) => void world.after(PATIENCE_MS, resolve))]);
  }

  async #run(wish: ToWarm): Promise<void> {
    const { core } = this.#options;
    // Actors that are born meanwhile are followed from their first message on, and need not be waited for.
    const wanted = new Map<number, number>();
    for (let idle = 0;;) {
      this.#requireWanted(wish);
      const nodes = core.directory.require().state.nodes.map((node) => node.incarnation);
      const warmths = await Promise.all(nodes.map((node) => this.#ask(node, wish)));
      idle = warmths.some((one) => one != null) ? 0 : idle + 1;
      // Each is asked about, whatever the others say: what a node had at first counts from the first look on.
      const warm = warmths.map((warmth, i) => isWarm(nodes[i], warmth, wanted));
      if (warm.every((is) => is) || idle > IDLE_LOOKS_MAX) return await this.#promote(wish);
      await new Promise<void>((resolve) => void core.world.after(EVERY_MS, resolve));
    }
  }

  async #promote(wish: ToWarm): Promise<void> {
    this.#requireWanted(wish);
    await this.#options.promote(wish.name, wish.version, wish.by);
  }

  #requireWanted({ name, version }: ToWarm): void {
    const { plugins } = this.#options.core.directory.require().state;
    const why = Object.hasOwn(plugins, name) ? whyNot(plugins[name], version) : "the plugin was removed";
    if (why === null) return;
    throw new WaterparkError(`Cannot make version ${version} of "${name}" live as it must be the one wanted: ${why}`, {
      code: "node/superseded",
      outcome: "not-applied",
    });
  }

  /** undefined: it says nothing, or does not know what is asked */
  #ask(node: number, { name, hash }: ToWarm): Promise<Warmth | undefined> {
    const { core } = this.#options;
    if (core.isSuspect(node)) return Promise.resolve(undefined);
    return new Promise((resolve) =>
      core.requests.ask(node, METHOD, { name, hash }, {
        timeoutMs: ANSWER_MS,
        done: (result) => resolve(result.ok ? readWarmth(result.value) : undefined),
      })
    );
  }
}

/** Why a version is not to go live any more; null: it is. */
export function whyNot({ live, versions }: PluginRecord, version: number): string | null {
  const mine = versions.find((one) => one.version === version);
  if (mine === undefined) return "it is not kept any more";
  if (mine.withdrawn !== undefined) return "it was taken back";
  const newer = versions.find((one) => one.version > version && one.withdrawn === undefined);
  if (newer !== undefined) return `version ${newer.version} was deployed`;
  return live !== null && live > version ? `version ${live} is live` : null;
}

/**
 * Whether a node is through with the actors that it had when it was first asked. It may have fewer by now, as other nodes
 * write them.
 *
 * @param wanted by node; kept by who asks
 */
export function isWarm(node: number, warmth: Warmth | undefined, wanted: Map<number, number>): boolean {
  if (warmth === undefined) return true;
  if (warmth === null) return false;
  const first = wanted.get(node) ?? warmth.all;
  wanted.set(node, first);
  return warmth.actors >= Math.min(first, warmth.all);
}

function readWarmth(value: unknown): Warmth | undefined {
  if (value === null) return null;
  const { actors, all } = value as { actors?: unknown; all?: unknown };
  return Number.isSafeInteger(actors) && Number.isSafeInteger(all)
    ? { actors: actors as number, all: all as number }
    : undefined;
}
