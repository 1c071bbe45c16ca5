/**
 * Comparing all copies of one shard with each other: one digest over all actors first, and only where those differ the
 * actors themselves, bucket by bucket, so that the node that lays them side by side never holds more than one bucket.
 *
 * Copies are compared at the lowest commit index among those that count. What differs is looked at again before it is
 * said: between two questions an actor may have been freed on one copy and not yet on the other.
 */
import { type Digest64, digestText } from "../base/mod.ts";
import type { ActorDifference, CopiesNeeded, CopiesVerdict, CopyAudit } from "../gateway/mod.ts";
import { shardText, type Topology, type TopologyNode } from "../topology/mod.ts";
import type { World } from "../world/mod.ts";
import type { Poll } from "./audit_poll.ts";
import { type ActorRow, type CopySummary, type Reply, ROWS_MAX } from "./audit_questions.ts";
import { isEnough, type Standing, standingOf, type Testimony } from "./audit_verdict.ts";

/** What a comparison needs. */
export interface ComparisonOptions {
  world: World;
  poll: Poll;
  topology(): Topology;
  needed(): CopiesNeeded;
  config: { againAfterMs: number };
}

/** How a shard is compared. */
export interface ComparisonDepth {
  /** have every copy read all its bytes anew */
  deep: boolean;
  /** name actors that differ by their keys */
  withKeys: boolean;
}

/** Actors that differ and are told one by one; the rest is a number. */
const DIFFERING_MAX = 100;
/** How often copies are compared before a difference is believed. */
const LOOKS = 3;
/** Actors that a bucket has on average: far from what one answer may hold. */
const BUCKET_ROWS = ROWS_MAX / 4;

interface Compared {
  testimony: Testimony;
  summary: CopySummary | null;
}

/** Compares copies. */
export class CopiesComparison {
  readonly #options: ComparisonOptions;

  constructor(options: ComparisonOptions) {
    this.#options = options;
  }

  /** One shard's copies; `done` once. */
  compare(shard: number, depth: ComparisonDepth, done: (verdict: CopiesVerdict) => void, look = 1): void {
    const { poll, world, config } = this.#options;
    const nodes = this.#options.topology().state.nodes;
    poll.ask(nodes.map((node) => node.incarnation), { ask: "copy", shard }, (replies) => {
      const all = nodes.map((node): Testimony => ({ node, reply: replies.get(node.incarnation) ?? null }));
      const standing = standingOf(all, this.#learners(shard));
      const upTo = Math.min(Infinity, ...standing.counted.map(({ reply }) => reply!.copy!.commit));
      const asked = standing.counted.map(({ node }) => node.incarnation);
      poll.ask(asked, { ask: "summary", shard, upTo: upTo === Infinity ? 0 : upTo, deep: depth.deep }, (replies) => {
        const compared = standing.counted.map((testimony) => ({
          testimony,
          summary: summaryIn(replies.get(testimony.node.incarnation)),
        }));
        const verdict = this.#verdict(shard, { all, standing, compared, upTo: upTo === Infinity ? 0 : upTo });
        if (verdict.state === "agree" || verdict.state === "unproven") return done(verdict);
        if (look < LOOKS) {
          world.after(config.againAfterMs, () => this.compare(shard, depth, done, look + 1));
          return;
        }
        if (verdict.state !== "differs") return done(verdict);
        this.#findActors(shard, { verdict, compared, withKeys: depth.withKeys }, done);
      });
    });
  }

  #learners(shard: number): number[] {
    return this.#options.topology().learnersOf(shard).map((node) => node.incarnation);
  }

  #verdict(
    shard: number,
    { all, standing, compared, upTo }: { all: Testimony[]; standing: Standing; compared: Compared[]; upTo: number },
  ): CopiesVerdict {
    const needed = this.#options.needed();
    const told = compared.filter(({ summary }) => summary !== null);
    const silent = compared.filter(({ summary }) => summary === null).map(({ testimony }) => testimony);
    const unsure = [...standing.unreachable, ...silent];
    const first = told[0]?.summary ?? null;
    const differs = told.some(({ summary }) => summary!.damaged! > 0 || !isSame(summary!.digest, first!.digest));
    const views = all.filter(({ reply }) => reply?.copy).map(({ node, reply }): CopyAudit => {
      const { generation, term, commit, last } = reply!.copy!;
      const summary = compared.find(({ testimony }) => testimony.node === node)?.summary ?? null;
      return {
        node: node.name,
        generation,
        term,
        commit,
        last,
        stands: standing.counted.some((each) => each.node === node),
        digest: summary === null ? "" : digestText(summary.digest),
        damaged: summary?.damaged ?? null,
      };
    });
    return {
      shard: shardText(shard),
      state: differs ? "differs" : stateOf(told.map(({ testimony }) => testimony), unsure, needed),
      needed,
      upTo,
      actors: first?.actors ?? 0,
      messages: first?.messages ?? 0,
      copies: views,
      unreachable: unsure.map(({ node }) => node.name).sort(),
      differing: [],
      differingCount: 0,
    };
  }

  #findActors(
    shard: number,
    { verdict, compared, withKeys }: { verdict: CopiesVerdict; compared: Compared[]; withKeys: boolean },
    done: (verdict: CopiesVerdict) => void,
  ): void {
    const told = compared.filter(({ summary }) => summary !== null);
    const nodes = told.map(({ testimony }) => testimony.node as TopologyNode);
    const buckets = Math.max(1, Math.ceil(Math.max(...told.map(({ summary }) => summary!.actors)) / BUCKET_ROWS));
    const look = (bucket: number) => {
      if (bucket === buckets) return done(verdict);
      const question = { ask: "actors", shard, upTo: verdict.upTo, bucket, buckets, withKeys } as const;
      this.#options.poll.ask(nodes.map((node) => node.incarnation), question, (replies) => {
        const heard = nodes.flatMap((node) => {
          const answer = replies.get(node.incarnation)?.answer;
          return answer?.ask === "actors" ? [{ name: node.name, rows: answer.rows }] : [];
        });
        for (const difference of differencesAmong(heard, verdict.shard)) {
          verdict.differingCount++;
          if (verdict.differing.length < DIFFERING_MAX) verdict.differing.push(difference);
        }
        look(bucket + 1);
      });
    };
    look(0);
  }
}

/** The actors that these nodes have otherwise from each other. */
export function* differencesAmong(
  heard: readonly { name: string; rows: readonly ActorRow[] }[],
  shard: string,
): Generator<ActorDifference> {
  const actors = new Map<string, (ActorRow | null)[]>();
  heard.forEach(({ rows }, i) => {
    for (const row of rows) {
      const name = digestText(row.name);
      let found = actors.get(name);
      if (found === undefined) actors.set(name, found = new Array(heard.length).fill(null));
      found[i] = row;
    }
  });
  for (const found of actors.values()) {
    const first = found.find((row) => row !== null)!;
    const isEqual = found.every((row) => row !== null && row.seq === first.seq && isSame(row.chain, first.chain));
    if (isEqual) continue;
    const copies = found.map((row, i) => ({
      node: heard[i].name,
      seq: row?.seq ?? 0,
      chain: row === null ? "" : digestText(row.chain),
    }));
    yield { at: `${shard}#${first.index}`, ...(first.key === null ? {} : { key: first.key }), copies };
  }
}

function stateOf(
  told: readonly Testimony[],
  unsure: readonly Testimony[],
  needed: CopiesNeeded,
): Exclude<CopiesVerdict["state"], "differs"> {
  if (isEnough(told, needed)) return "agree";
  if (isEnough([...told, ...unsure], needed)) return "unproven";
  return told.length === 0 ? "lost" : "thin";
}

function summaryIn(reply: Reply | null | undefined): CopySummary | null {
  return reply?.answer?.ask === "summary" ? reply.answer.summary : null;
}

function isSame(a: Digest64, b: Digest64): boolean {
  return a.hi === b.hi && a.lo === b.lo;
}
