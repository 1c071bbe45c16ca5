/**
 * Takes a version back that hurts more than its budget allows. The node that writes the system shard looks; should two
 * believe that they do, the command names the version that is meant, so the second changes nothing.
 */
import { log } from "../telemetry/mod.ts";
import { foldersOf, SYSTEM_SHARD } from "../topology/mod.ts";
import type { Timer } from "../world/mod.ts";
import type { NodeCore } from "./core.ts";
import type { Evidence } from "./plugin_evidence.ts";
import { onTrial, whyBack } from "./version_budget.ts";

const EVERY_MS = 2000;

/** What it needs. */
export interface VersionWatchOptions {
  core: NodeCore;
  evidence: Evidence;
  /** takes this version back */
  rollback(name: string, version: number, reason: string): Promise<unknown>;
}

/** See the module's header. */
export class VersionWatch {
  readonly #options: VersionWatchOptions;
  #timer: Timer | null = null;
  #isOver = false;

  constructor(options: VersionWatchOptions) {
    this.#options = options;
  }

  /** Looks now and then from now on. */
  start(): void {
    if (this.#isOver) return;
    this.#timer = this.#options.core.world.after(EVERY_MS, () => void this.#look().finally(() => this.start()));
  }

  /** Looks no more. */
  stop(): void {
    this.#isOver = true;
    this.#timer?.cancel();
  }

  async #look(): Promise<void> {
    const { core, evidence, rollback } = this.#options;
    if (!core.replication.isWriter(SYSTEM_SHARD)) return;
    const plugins = core.directory.topology?.state.plugins ?? {};
    for (const name of Object.keys(plugins)) {
      const version = onTrial(foldersOf(plugins[name], core.world.nowWallMs()));
      if (version === null) continue;
      try {
        const { parkedBy, progress } = await evidence.of(name);
        // Every version that folds along is asked about the same actors.
        const actors = new Map<string, number>();
        for (const { hash, actorsAll } of progress) actors.set(hash, (actors.get(hash) ?? 0) + actorsAll);
        const reason = whyBack({ parked: parkedBy[version.hash] ?? 0, actors: Math.max(0, ...actors.values()) });
        if (reason === null || this.#isOver) continue;
        await rollback(name, version.version, reason);
        log("node").warning("plugin {name} version {version} was taken back {reason}", {
          name,
          version: version.version,
          reason,
        });
      } catch (error) {
        // It is looked at again.
        log("node").warning("cannot look after {name}: {code}", { name, code: (error as { code?: string }).code });
      }
    }
  }
}
