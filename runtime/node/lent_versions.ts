import type { TopologyState } from "../topology/mod.ts";
import type { World } from "../world/mod.ts";
import type { Bundle } from "./folding_versions.ts";

/** How long a version stays in the plugin host after somebody has last looked with it, ms. */
const LEND_MS = 60_000;
/** Versions that are lent at a time; past it the one asked for longest ago goes back. */
const LENT_MAX = 8;

/**
 * Versions that do not fold and are in the plugin host all the same, as somebody looks at an actor with them: like books
 * out of a library's stacks, which go back by themselves.
 */
export class LentVersions {
  readonly #world: World;
  readonly #changed: () => void;
  /** by hash */
  readonly #lent = new Map<string, { name: string; untilMs: number }>();

  /** @param changed what is lent has changed */
  constructor(world: World, changed: () => void) {
    this.#world = world;
    this.#changed = changed;
  }

  /** Lends a version; false: the topology does not keep it. */
  lend(plugins: TopologyState["plugins"], name: string, hash: string): boolean {
    const record = Object.hasOwn(plugins, name) ? plugins[name] : undefined;
    if (record === undefined || !record.versions.some((one) => one.hash === hash)) return false;
    const isNew = !this.#lent.delete(hash);
    this.#lent.set(hash, { name, untilMs: this.#world.nowMonoMs() + LEND_MS });
    if (this.#lent.size > LENT_MAX) this.#lent.delete(this.#lent.keys().next().value!);
    if (isNew) {
      this.#changed();
      this.#world.after(LEND_MS, () => this.#expire());
    }
    return true;
  }

  /** The bundles of those that are lent. */
  bundles(plugins: TopologyState["plugins"]): Bundle[] {
    return [...this.#lent].flatMap(([hash, { name }]) => {
      const version = Object.hasOwn(plugins, name)
        ? plugins[name].versions.find((one) => one.hash === hash)
        : undefined;
      return version === undefined ? [] : [{ name, hash, bytes: version.bytes }];
    });
  }

  #expire(): void {
    const nowMs = this.#world.nowMonoMs();
    const before = this.#lent.size;
    let nextMs = Infinity;
    for (const [hash, { untilMs }] of [...this.#lent]) {
      if (untilMs <= nowMs) this.#lent.delete(hash);
      else nextMs = Math.min(nextMs, untilMs);
    }
    if (this.#lent.size !== before) this.#changed();
    if (nextMs !== Infinity) this.#world.after(nextMs - nowMs, () => this.#expire());
  }
}
