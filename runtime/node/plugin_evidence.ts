import { DIFF_KINDS, type DiffExample, type SweepProgress, type VersionDiff } from "../actors/mod.ts";
import { badPayload } from "../wire/mod.ts";
import type { NodeCore } from "./core.ts";

/** What the nodes have seen of a plugin. */
export interface PluginEvidence {
  /** of each node and pair of versions */
  diffs: VersionDiff[];
  /** of each node and version that folds along */
  progress: SweepProgress[];
  /** actors at which what decides stands still */
  parked: number;
  /** the same by hash of the version that could not go on */
  parkedBy: Record<string, number>;
  /** by hash: what folds have taken, ms and messages */
  times: Record<string, { ms: number; messages: number }>;
  /** names of nodes that did not answer */
  silent: string[];
}

const METHOD = "plugin-evidence";
const ANSWER_MS = 3000;
/** Pairs of versions, or versions, that one node may tell of. */
const LINES_MAX = 100;
const TEXTS_MAX = 200;

/** Asks all nodes what they have seen of a plugin, and answers those that ask. */
export class Evidence {
  readonly #core: NodeCore;

  constructor(core: NodeCore) {
    this.#core = core;
    core.requests.handle(METHOD, (body, done) => done({ ok: true, value: this.#here(String(body)) }));
  }

  /** Gathers it. */
  async of(name: string): Promise<PluginEvidence> {
    const { nodes } = this.#core.directory.require().state;
    const all: PluginEvidence = { diffs: [], progress: [], parked: 0, parkedBy: {}, times: {}, silent: [] };
    await Promise.all(nodes.map(async (node) => {
      const said = await this.#ask(node.incarnation, name);
      if (said === null) all.silent.push(node.name);
      else {
        all.diffs.push(...said.diffs);
        all.progress.push(...said.progress);
        all.parked += said.parked;
        for (const [hash, number] of Object.entries(said.parkedBy)) {
          all.parkedBy[hash] = (all.parkedBy[hash] ?? 0) + number;
        }
        for (const [hash, { ms, messages }] of Object.entries(said.times)) {
          const sum = all.times[hash] ??= { ms: 0, messages: 0 };
          sum.ms += ms;
          sum.messages += messages;
        }
      }
    }));
    all.silent.sort();
    return all;
  }

  #here(name: string): Omit<PluginEvidence, "silent"> {
    const { actors } = this.#core;
    return {
      diffs: actors.shadows.diffs(name),
      progress: actors.shadows.progress(name),
      parked: actors.parkedCount(name),
      parkedBy: actors.parkedBy(name),
      times: actors.times.list(),
    };
  }

  #ask(node: number, name: string): Promise<Omit<PluginEvidence, "silent"> | null> {
    if (this.#core.isSuspect(node)) return Promise.resolve(null);
    return new Promise((resolve) =>
      this.#core.requests.ask(node, METHOD, name, {
        timeoutMs: ANSWER_MS,
        done: (result) => {
          if (!result.ok) return resolve(null);
          try {
            resolve(read(result.value));
          } catch {
            // Whoever does not speak this language has said nothing.
            resolve(null);
          }
        },
      })
    );
  }
}

type Fields = Record<string, unknown>;

function read(value: unknown): Omit<PluginEvidence, "silent"> {
  const { diffs, progress, parked, parkedBy, times = {} } = fields(value);
  const timed = Object.entries(fields(times)).slice(0, LINES_MAX).map(([hash, time]) => {
    const { ms, messages } = fields(time);
    return [hash, { ms: Math.max(0, Number(ms) || 0), messages: count(messages) }];
  });
  const byHash = Object.entries(fields(parkedBy)).slice(0, LINES_MAX).map(([hash, number]) => [hash, count(number)]);
  return {
    diffs: list(diffs).map(readDiff),
    progress: list(progress).map(readProgress),
    parked: count(parked),
    parkedBy: Object.fromEntries(byHash),
    times: Object.fromEntries(timed),
  };
}

function readDiff(value: unknown): VersionDiff {
  const from = fields(value);
  const counts = Object.fromEntries(DIFF_KINDS.map((kind) => [kind, count(fields(from.counts)[kind])]));
  const paths: Record<string, number> = {};
  for (const [path, number] of Object.entries(fields(from.paths)).slice(0, LINES_MAX)) paths[path] = count(number);
  return {
    plugin: text(from.plugin),
    old: text(from.old),
    new: text(from.new),
    compared: count(from.compared),
    equal: count(from.equal),
    skipped: count(from.skipped),
    actors: count(from.actors),
    counts: counts as VersionDiff["counts"],
    paths,
    examples: list(from.examples).map(readExample),
  };
}

function readExample(value: unknown): DiffExample {
  const from = fields(value);
  const kind = DIFF_KINDS.find((one) => one === from.kind);
  if (kind === undefined) throw badPayload("a difference of no known kind");
  const example: DiffExample = { kind, key: text(from.key), seq: count(from.seq) };
  if (from.paths !== undefined) example.paths = list(from.paths).map(text);
  if (from.what !== undefined) example.what = text(from.what);
  return example;
}

function readProgress(value: unknown): SweepProgress {
  const from = fields(value);
  const [actors, actorsAll, shards, shardsAll, parked] = ["actors", "actorsAll", "shards", "shardsAll", "parked"].map(
    (name) => count(from[name]),
  );
  return { hash: text(from.hash), actors, actorsAll, shards, shardsAll, parked };
}

function fields(value: unknown): Fields {
  if (typeof value !== "object" || value === null) throw badPayload("evidence without fields");
  return value as Fields;
}

function list(value: unknown): unknown[] {
  if (!Array.isArray(value) || value.length > TEXTS_MAX) throw badPayload("no list, or one that is too long");
  return value;
}

function text(value: unknown): string {
  if (typeof value !== "string" || value.length > 2000) throw badPayload("no text");
  return value;
}

function count(value: unknown): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw badPayload("no number");
  return value;
}
