/**
 * Where sources run. One that runs on one node at a time runs where the writer of its cursor's actor is: that is exactly
 * one node, and another as soon as it dies. For a moment two may run, when a writer has not heard of its successor: the
 * cursor is kept with `If-Match`, and messages have ids, so nothing is recorded twice.
 */
import { formatKey } from "../base/mod.ts";
import type { IoAnswer } from "../plugin_host/mod.ts";
import { log } from "../telemetry/mod.ts";
import type { Timer } from "../world/mod.ts";
import type { NodeCore } from "./core.ts";
import type { OutsidePlugin, OutsidePlugins } from "./outside_plugins.ts";
import { sourceKey } from "./outside_questions.ts";

/** How one source fares on this node. */
export interface SourceRun {
  name: string;
  version: number;
  /** `running`; `waiting` to begin again after a failure; `elsewhere`, it runs on another node; `paused` */
  state: "running" | "waiting" | "elsewhere" | "paused";
  /** how often it has failed in a row, and why the last time */
  failures: number;
  code: string;
  text: string;
}

interface Run extends SourceRun {
  readonly plugin: OutsidePlugin;
  againAtMs: number;
  beganAtMs: number;
  isStopping: boolean;
}

const TICK_MS = 500;
const AGAIN_MS = 1_000;
const AGAIN_MS_MAX = 60_000;
/** Who has run so long has not failed at once. */
const LIVED_MS = 30_000;

/** See the file's header. */
export class SourceRuns {
  readonly #core: NodeCore;
  readonly #plugins: OutsidePlugins;
  readonly #runs = new Map<string, Run>();
  #timer: Timer | null = null;
  #isStopped = false;

  constructor(options: { core: NodeCore; plugins: OutsidePlugins }) {
    this.#core = options.core;
    this.#plugins = options.plugins;
  }

  /** From now on sources run that should. */
  start(): void {
    if (this.#isStopped) return;
    this.look();
    this.#timer = this.#core.world.after(TICK_MS, () => this.start());
  }

  /** Has all end. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    for (const run of this.#runs.values()) run.plugin.host.stop();
  }

  /** How they fare. */
  list(): SourceRun[] {
    return [...this.#runs.values()].map(({ name, version, state, failures, code, text }) => ({
      ...{ name, version, state, failures, code, text },
    }));
  }

  /** Begins and ends what should be. */
  look(): void {
    const nowMs = this.#core.world.nowMonoMs();
    for (const plugin of this.#plugins.all("source")) {
      let run = this.#runs.get(plugin.name);
      if (run === undefined || run.plugin !== plugin) {
        // What ran of another version was told to stop when that was replaced.
        const { name, version } = plugin;
        run = { plugin, name, version, state: "elsewhere", failures: 0, code: "", text: "", ...NOT_BEGUN };
        this.#runs.set(name, run);
      }
      const shouldRun = this.#isHere(plugin) && !this.#plugins.isPaused(plugin.name);
      if (run.state === "running") {
        if (shouldRun || run.isStopping) continue;
        run.isStopping = true;
        plugin.host.stop();
      } else if (!shouldRun) run.state = this.#plugins.isPaused(plugin.name) ? "paused" : "elsewhere";
      else if (nowMs >= run.againAtMs) this.#begin(run);
    }
    for (const [name, { plugin }] of this.#runs) if (this.#plugins.of(name) !== plugin) this.#runs.delete(name);
  }

  #begin(run: Run): void {
    run.state = "running";
    run.isStopping = false;
    run.beganAtMs = this.#core.world.nowMonoMs();
    log("plugin_host").info("source {name} version {version} runs here", { name: run.name, version: run.version });
    void run.plugin.host.run().then((answer) => this.#ended(run, answer));
  }

  #ended(run: Run, answer: IoAnswer): void {
    const nowMs = this.#core.world.nowMonoMs();
    const wasToStop = run.isStopping || this.#isStopped;
    run.state = "waiting";
    if (wasToStop) {
      run.againAtMs = 0;
      return;
    }
    run.failures = nowMs - run.beganAtMs > LIVED_MS ? 1 : run.failures + 1;
    run.code = answer.state === "failed" ? answer.code : "plugin_host/ended";
    run.text = answer.state === "failed" ? answer.text : "it has ended by itself";
    run.againAtMs = nowMs + Math.min(AGAIN_MS_MAX, AGAIN_MS * 2 ** Math.min(run.failures - 1, 10));
    log("plugin_host").warning("source {name} has ended: {code}", { name: run.name, code: run.code });
  }

  #isHere({ name, about }: OutsidePlugin): boolean {
    const { directory, replication, isReady, departing } = this.#core;
    if (!isReady || departing.reason !== null) return false;
    if (about.runsOn !== "one") return true;
    const shard = directory.require().shardOf(formatKey(sourceKey(name)));
    const state = replication.stateOf(shard);
    return state?.role === "writer" && state.commit >= state.termStart;
  }
}

const NOT_BEGUN = { againAtMs: 0, beganAtMs: 0, isStopping: false };
