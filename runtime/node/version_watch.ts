/**
 * Takes a version back that hurts more than its budget allows. The node that writes the system shard looks; should two
 * believe that they do, the command names the version that is meant, so the second changes nothing.
 */
import { effectDifferences, mergeDiffs } from "../actors/mod.ts";
import { log } from "../telemetry/mod.ts";
import { foldersOf, type PluginRecord, type PluginVersion, SYSTEM_SHARD } from "../topology/mod.ts";
import type { Timer } from "../world/mod.ts";
import type { NodeCore } from "./core.ts";
import type { Evidence, PluginEvidence } from "./plugin_evidence.ts";
import { nextRing, type RingEvidence, ringPlanOf, verdictOn } from "./rings.ts";
import { onTrial, whyBack } from "./version_budget.ts";

const EVERY_MS = 2000;

/** What it needs. */
export interface VersionWatchOptions {
  core: NodeCore;
  evidence: Evidence;
  /** has the version decide at a place, or everywhere: null */
  promote(name: string, version: number, where: string | null, reason: string): Promise<unknown>;
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

  async #back(name: string, { version }: PluginVersion, reason: string): Promise<void> {
    await this.#options.rollback(name, version, reason);
    log("node").warning("plugin {name} version {version} was taken back {reason}", { name, version, reason });
  }

  /** A version that goes by itself: on to its next ring, or back, or it stays where it is. */
  async #step(record: PluginRecord, version: PluginVersion, seen: PluginEvidence): Promise<void> {
    const { core, promote } = this.#options;
    const plan = version.stage === "canary" ? ringPlanOf(version) : null;
    // What a silent node knows might be the reason to go back.
    if (plan === null || seen.silent.length > 0) return;
    const { name } = record;
    const verdict = verdictOn(plan, evidenceOn(record, version, seen, core.world.nowWallMs()));
    if (verdict.state === "back") return await this.#back(name, version, verdict.reason);
    if (verdict.state === "stay") return;
    const next = nextRing(name, version, core.directory.require().state.nodes);
    await promote(name, version.version, next, verdict.reason);
    log("node").info("plugin {name} version {version} goes on to {next}", {
      name,
      version: version.version,
      next: next ?? "all",
    });
  }

  async #look(): Promise<void> {
    const { core, evidence } = this.#options;
    if (!core.replication.isWriter(SYSTEM_SHARD)) return;
    const plugins = core.directory.topology?.state.plugins ?? {};
    for (const name of Object.keys(plugins)) {
      const version = onTrial(foldersOf(plugins[name], core.world.nowWallMs()));
      if (version === null) continue;
      try {
        const seen = await evidence.of(name);
        const { parkedBy, progress } = seen;
        // Every version that folds along is asked about the same actors.
        const actors = new Map<string, number>();
        for (const { hash, actorsAll } of progress) actors.set(hash, (actors.get(hash) ?? 0) + actorsAll);
        const reason = whyBack({ parked: parkedBy[version.hash] ?? 0, actors: Math.max(0, ...actors.values()) });
        if (this.#isOver) continue;
        if (reason !== null) await this.#back(name, version, reason);
        else await this.#step(plugins[name], version, seen);
      } catch (error) {
        // It is looked at again.
        log("node").warning("cannot look after {name}: {code}", { name, code: (error as { code?: string }).code });
      }
    }
  }
}

/** What all nodes have seen of a canary beside the live version. */
function evidenceOn(record: PluginRecord, canary: PluginVersion, seen: PluginEvidence, nowMs: number): RingEvidence {
  const live = record.versions.find((one) => one.version === record.live);
  const pair = mergeDiffs(seen.diffs).find((diff) => diff.old === live?.hash && diff.new === canary.hash);
  const meanOf = (hash: string | undefined) => {
    const { ms = 0, messages = 0 } = seen.times[hash ?? ""] ?? {};
    return messages === 0 ? null : ms / messages;
  };
  const since = record.deeds?.findLast((deed) => deed.version === canary.version && deed.stage === "canary");
  return {
    compared: pair?.compared ?? 0,
    actors: pair?.actors ?? 0,
    differences: pair === undefined ? 0 : effectDifferences(pair),
    errors: seen.parkedBy[canary.hash] ?? 0,
    ms: meanOf(canary.hash),
    msBefore: meanOf(live?.hash),
    sinceMs: nowMs - (since?.atMs ?? nowMs),
  };
}
