/**
 * Stages, as the gateway asks for them: what the topology says of a plugin, put together with what the nodes have seen.
 * That lies in the memory of the writers, so every node is asked, and who does not answer is named.
 */
import { WaterparkError } from "../base/mod.ts";
import { effectDifferences, mergeDiffs, type ParkedView, type SweepProgress } from "../actors/mod.ts";
import type {
  DiffView,
  FoldingView,
  ParkedFault,
  PluginDetail,
  PluginDiffView,
  PluginView,
  PromoteOptions,
  StagesService,
  SwitchView,
} from "../gateway/mod.ts";
import {
  EVERYWHERE_AFTER,
  type PluginRecord,
  protocolInForce,
  STAGES_SINCE,
  type SwitchDeed,
  type TopologyCommand,
  type Word,
} from "../topology/mod.ts";
import type { NodeCore } from "./core.ts";
import { Evidence } from "./plugin_evidence.ts";
import { errorOf, type RequestResult } from "./requests.ts";
import { VersionWatch } from "./version_watch.ts";

/** Nodes that are up are waited for so long, ms. */
const EVERYWHERE_MS = 2000;

/** What it needs of the service beside the core. */
export interface StagesOptions {
  core: NodeCore;
  /** the live version of a plugin, or one by its number */
  view(name: string, version?: number): PluginView | null;
}

/** The promises of stages. */
export class CoreStages implements StagesService {
  /** takes versions back that hurt */
  readonly watch: VersionWatch;
  readonly #core: NodeCore;
  readonly #evidence: Evidence;
  readonly #view: StagesOptions["view"];

  constructor({ core, view }: StagesOptions) {
    this.#core = core;
    this.#view = view;
    const evidence = this.#evidence = new Evidence(core);
    this.watch = new VersionWatch({
      core,
      evidence,
      promote: (name, version, where, reason) =>
        this.command({
          ...{ type: "promote", name, version },
          ...where === null ? {} : { stage: "canary", percent: 0, where },
          ...this.word("waterpark", { isNeeded: true, reason }),
        }),
      rollback: (name, from, reason) =>
        this.command({ type: "rollback", name, from, ...this.word("waterpark", { isNeeded: true, reason }) }),
    });
  }

  async inspect(name: string): Promise<PluginDetail> {
    const record = this.#record(name);
    const { progress, parked, silent } = await this.#evidence.of(name);
    return {
      ...this.#view(name)!,
      versions: record.versions.map((one) => ({
        version: one.version,
        hash: one.hash,
        url: one.url,
        stage: one.stage,
        percent: one.percent,
        actors: one.actors ?? [],
        where: one.where ?? null,
        byItself: one.rings !== undefined,
        bytes: one.bytes.length,
        deployedAt: one.deployedAtMs,
        withdrawn: one.withdrawn ?? null,
        declares: declaredIn(one.manifest),
      })),
      history: (record.deeds ?? []).map(({ atMs, reason = "", where = null, ...deed }) => ({
        ...deed,
        where,
        at: atMs,
        reason,
      })),
      folding: foldingOf(record, progress),
      parkedEverywhere: parked,
      silent,
    };
  }

  async diff(name: string): Promise<PluginDiffView> {
    const record = this.#record(name);
    const { diffs, silent } = await this.#evidence.of(name);
    const views: DiffView[] = [];
    for (const { plugin: _, ...diff } of mergeDiffs(diffs)) {
      const [old, fresh] = [numberOf(record, diff.old), numberOf(record, diff.new)];
      // Of a version that is not kept any more there is nothing to decide.
      if (old === 0 || fresh === 0) continue;
      const blocking = effectDifferences({ plugin: name, ...diff });
      views.push({
        ...diff,
        old: { version: old, hash: diff.old },
        new: { version: fresh, hash: diff.new },
        blocking,
      });
    }
    return { name, diffs: views.sort((a, b) => b.new.version - a.new.version), silent };
  }

  async promote(name: string, options: PromoteOptions = {}): Promise<PluginView> {
    const { stage, percent, actors, where, acceptDiff = false, by = "unknown" } = options;
    const record = this.#record(name);
    const version = options.version ?? record.versions.findLast((one) => one.withdrawn === undefined)?.version;
    const kind = record.versions.find((one) => one.version === version)?.actorKind;
    if (stage === "canary" && kind !== undefined) this.requireAlike(name, kind);
    if (!acceptDiff && version !== undefined) await this.#requireSame(name, record, version);
    await this.command({
      type: "promote",
      name,
      ...version === undefined ? {} : { version },
      ...stage === "canary"
        ? {
          stage,
          percent: percent ?? (where === undefined ? undefined : 0),
          ...actors === undefined ? {} : { actors },
          ...where === undefined ? {} : { where },
        }
        : {},
      ...this.word(by, { isNeeded: stage === "canary" }),
    });
    return this.#view(name, version)!;
  }

  async rollback(name: string, { by = "unknown", reason }: { by?: string; reason?: string } = {}): Promise<PluginView> {
    const { live, versions } = this.#record(name);
    const canary = versions.find((one) => one.stage === "canary");
    const from = canary?.version ?? live ?? undefined;
    const word = this.word(by, { isNeeded: canary !== undefined, reason });
    await this.command({ type: "rollback", name, ...from === undefined ? {} : { from }, ...word });
    return this.#view(name)!;
  }

  everywhereAfterMs(): number {
    const value = this.#core.directory.require().state.settings[EVERYWHERE_AFTER];
    return typeof value === "number" ? value : 0;
  }

  async setEverywhereAfter(ms: number): Promise<void> {
    await this.command({ type: "setting", name: EVERYWHERE_AFTER, value: ms === 0 ? null : ms });
  }

  switches(): SwitchView[] {
    const { switches, switchDeeds = [] } = this.#core.directory.require().state;
    return Object.keys(switches).sort().map((name) => viewOf(name, switches[name], switchDeeds));
  }

  async setSwitch(name: string, on: boolean, by = "unknown"): Promise<SwitchView> {
    await this.command({ type: "switch", name, on, ...this.word(by, { isNeeded: true }) });
    return this.switches().find((one) => one.name === name)!;
  }

  /** Name and hash of a kept version; throws `topology/no-such-plugin`, `topology/no-such-version`. */
  versionOf(name: string, version: number): { name: string; hash: string } {
    const found = this.#record(name).versions.find((one) => one.version === version);
    if (found === undefined) throw this.noVersion(name);
    return { name, hash: found.hash };
  }

  /** Faults with the numbers of the versions that had them. */
  parkedOf(parked: Record<string, ParkedView>): Record<string, ParkedFault> {
    const { plugins } = this.#core.directory.require().state;
    const shown = Object.entries(parked).map(([name, fault]): [string, ParkedFault] => {
      const version = Object.hasOwn(plugins, name) ? numberOf(plugins[name], fault.hash ?? "") : 0;
      return [name, version === 0 ? fault : { ...fault, version }];
    });
    return Object.fromEntries(shown);
  }

  /** What is said of a version that is not there. */
  noVersion(name: string): WaterparkError {
    return new WaterparkError(
      `Cannot read under that version of "${name}" as it is not kept: plugin inspect lists those`,
      {
        code: "topology/no-such-version",
        outcome: "not-applied",
      },
    );
  }

  /** Has a command applied, here and on every node that is up; the answer's plugin version. */
  async command(command: TopologyCommand): Promise<number | undefined> {
    const { directory, self, world, config } = this.#core;
    const result = await new Promise<RequestResult>((resolve) => directory.command(command, resolve));
    if (!result.ok) throw errorOf(result);
    const { version = 0, pluginVersion } = result.value as { version?: number; pluginVersion?: number };
    const untilMs = world.nowMonoMs() + config.requestMs;
    while ((directory.topology?.version ?? 0) < version) {
      if (world.nowMonoMs() > untilMs) {
        throw new WaterparkError("Cannot see the change here yet: it was applied", {
          code: "topology/behind",
          outcome: "applied",
        });
      }
      await new Promise<void>((resolve) => void world.after(5, resolve));
    }
    const others = directory.require().state.nodes.map((node) => node.incarnation).filter((incarnation) =>
      incarnation !== self.incarnation && !this.#core.isSuspect(incarnation)
    );
    await new Promise<number>((resolve) => directory.whenEverywhere(others, EVERYWHERE_MS, resolve));
    return pluginVersion;
  }

  /** Who says it, when and why; nothing while there are nodes that would not understand it and it can be said without. */
  word(by: string, { isNeeded, reason }: { isNeeded: boolean; reason?: string }): { word?: Word } {
    const isSpoken = protocolInForce(this.#core.directory.require().state) >= STAGES_SINCE;
    if (!isSpoken && !isNeeded) return {};
    return { word: { by, atMs: this.#core.world.nowWallMs(), ...reason === undefined ? {} : { reason } } };
  }

  /**
   * A canary shares the actors of the live version with it, so both must be for the same kind of actors.
   *
   * @throws {WaterparkError} `node/other-actors`
   */
  requireAlike(name: string, actorKind: string): void {
    const { plugins } = this.#core.directory.require().state;
    if (!Object.hasOwn(plugins, name)) return;
    const { live, versions } = plugins[name];
    const kind = versions.find((one) => one.version === live)?.actorKind ?? actorKind;
    if (kind === actorKind) return;
    throw new WaterparkError(
      `Cannot make a version of "${name}" for ${actorsOf(actorKind)} a canary as version ${live} is for ${
        actorsOf(kind)
      }`,
      { code: "node/other-actors", outcome: "not-applied" },
    );
  }

  async #requireSame(name: string, record: PluginRecord, version: number): Promise<void> {
    const { diffs } = await this.diff(name);
    const found = diffs.find((diff) => diff.new.version === version && diff.old.version === record.live);
    if (found === undefined || found.blocking === 0) return;
    throw new WaterparkError(
      `Cannot promote version ${version} of "${name}" as its effects must be those of version ${record.live}: ` +
        `${found.blocking} messages of ${found.compared} differ`,
      { code: "node/diff-not-accepted", outcome: "not-applied" },
    );
  }

  #record(name: string): PluginRecord {
    const { plugins } = this.#core.directory.require().state;
    if (Object.hasOwn(plugins, name)) return plugins[name];
    throw new WaterparkError(`Cannot find "${name}" as no plugin has that name`, {
      code: "topology/no-such-plugin",
      outcome: "not-applied",
    });
  }
}

function numberOf({ versions }: PluginRecord, hash: string): number {
  return versions.findLast((one) => one.hash === hash)?.version ?? 0;
}

function foldingOf(record: PluginRecord, progress: readonly SweepProgress[]): FoldingView[] {
  const sums = new Map<string, FoldingView>();
  for (const { hash, ...counts } of progress) {
    const sum = sums.get(hash);
    if (sum === undefined) sums.set(hash, { version: numberOf(record, hash), hash, ...counts });
    else for (const name of Object.keys(counts) as (keyof typeof counts)[]) sum[name] += counts[name];
  }
  return [...sums.values()].filter(({ version }) => version > 0);
}

function actorsOf(kind: string): string {
  return kind === "*" ? "actors of every kind" : `actors of kind "${kind}"`;
}

function viewOf(name: string, on: boolean, deeds: readonly SwitchDeed[]): SwitchView {
  const mine = deeds.filter((deed) => deed.name === name);
  return { name, on, history: mine.map(({ on, by, atMs }) => ({ on, by, at: atMs })) };
}

function declaredIn(manifest: string | undefined): Record<string, unknown> | null {
  try {
    return manifest === undefined ? null : JSON.parse(manifest);
  } catch {
    return null;
  }
}
