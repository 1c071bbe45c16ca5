/**
 * Recovering: what an operator does when a majority of a shard's copies is gone for good. The copies that are left are
 * asked how far they are, the furthest becomes the survivor, and an entry of the topology says so to everybody
 * (`replication/generations.ts` tells what that means). Nothing of this ever happens by itself.
 *
 * The system shard cannot record its own recovery, having no majority: its survivor takes the word of the operator for it.
 * Doing that on both sides of a cut makes two clusters of one, which is why it refuses while it sees a majority.
 */
import { log } from "../telemetry/mod.ts";
import { parseShard, shardText, SYSTEM_SHARD, type TopologyNode } from "../topology/mod.ts";
import { badPayload } from "../wire/mod.ts";
import type { Timer } from "../world/mod.ts";
import type { NodeCore } from "./core.ts";
import { failed, type RequestResult } from "./requests.ts";

/** How far one copy is. */
export interface CopyState {
  generation: number;
  term: number;
  lastTerm: number;
  lastIndex: number;
  commit: number;
  isWriter: boolean;
  /** false: it is being fed the log of freed lives, and would go on with holes */
  isWhole: boolean;
  /** incarnations that vote, as this copy knows */
  members: number[];
  /** this copy votes, and so many others are suspected that the shard cannot go on */
  standsStill: boolean;
}

/** A node and its copy: null where it has none, undefined where it could not be asked. */
export interface Surveyed {
  node: TopologyNode;
  copy: CopyState | null | undefined;
}

/** What a recovery led to. */
export interface Recovered {
  shard: string;
  generation: number;
  /** name of the node whose copy counts from now on */
  survivor: string;
  /** entries that its copy has; 0: nothing was left */
  lastIndex: number;
  /** members of the generation before whose copies could not be asked */
  unreachable: string[];
}

/** Between two looks for shards that stand still, ms. */
const LOOK_MS = 1000;
/** Looks in a row before it is an alarm: an election is none. */
const LOOKS_MIN = 3;
/** A copy answers at once; who does not counts as gone. */
const SURVEY_MS = 2000;

/** Recovers shards, and says when one needs it. */
export class Recovering {
  readonly #core: NodeCore;
  #timer: Timer | null = null;
  #looks = 0;
  #standing = 0;
  #alarmed = 0;

  constructor(options: { core: NodeCore }) {
    const core = this.#core = options.core;
    core.requests.handle("copy", (body, done) => done({ ok: true, value: this.#copyHere(shardIn(body)) }));
    core.requests.handle("standing", (_body, done) => done({ ok: true, value: core.replication.standingStill() }));
    core.requests.handle("recover-system", (body, done) => this.#recoverSystemHere(Number(body), done));
  }

  start(): void {
    this.#timer = this.#core.world.after(LOOK_MS, () => {
      this.#look();
      this.start();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** Shards with a copy here that have stood still for a while, as a majority of their members is gone. */
  get standingStill(): number {
    return this.#looks >= LOOKS_MIN ? this.#standing : 0;
  }

  /** Asks every node that is not suspected for its copy of the shard; nodes in the order of their names. */
  survey(shard: number, done: (found: Surveyed[]) => void): void {
    const { directory, requests, self } = this.#core;
    const found: Surveyed[] = directory.require().state.nodes.map((node) => ({ node, copy: undefined }));
    let open = found.length;
    const end = () => {
      if (--open === 0) done(found);
    };
    for (const one of found) {
      const { incarnation } = one.node;
      if (incarnation === self.incarnation) {
        one.copy = this.#copyHere(shard);
        end();
      } else if (this.#core.isSuspect(incarnation)) end();
      else {
        requests.ask(incarnation, "copy", shard, {
          timeoutMs: SURVEY_MS,
          done: (result) => {
            if (result.ok) one.copy = result.value as CopyState | null;
            end();
          },
        });
      }
    }
  }

  /**
   * Lets a shard go on from one survivor.
   *
   * @param options.survivor name of a node; left out, the one whose copy is furthest
   * @param options.force also while a majority seems to be there
   */
  recover(
    shard: number,
    options: { survivor?: string; force?: boolean },
    done: (result: RequestResult) => void,
  ): void {
    this.survey(shard, (found) => {
      const text = shardText(shard);
      const copies = found.flatMap(({ node, copy }) => copy ? [{ node, copy }] : []);
      const generation = copies.reduce((most, { copy }) => Math.max(most, copy.generation), this.#generationOf(shard));
      const present = copies.filter(({ copy }) => copy.generation === generation);
      const voting = present.filter(({ node, copy }) => copy.members.includes(node.incarnation));
      if (options.force !== true && voting.some(({ copy }) => !copy.standsStill)) {
        const message =
          `Cannot recover ${text} as a majority of its copies must be gone: it is there, or not yet missed`;
        return done(failed("topology/has-majority", "not-applied", message));
      }
      const further = (a: CopyState, b: CopyState) =>
        Number(a.isWhole) - Number(b.isWhole) || a.lastTerm - b.lastTerm || a.lastIndex - b.lastIndex;
      const furthest = present.toSorted((a, b) => further(b.copy, a.copy)).at(0)?.node ?? this.#anybody(shard, found);
      const named = options.survivor === undefined
        ? furthest
        : found.find(({ node }) => node.name === options.survivor)?.node;
      if (named === undefined) {
        const message = `Cannot recover ${text} as its survivor must be a node that answers`;
        return done(failed("topology/no-such-survivor", "not-applied", message));
      }
      const members = voting.at(0)?.copy.members ?? [];
      const recovered: Recovered = {
        shard: text,
        generation: generation + 1,
        survivor: named.name,
        lastIndex: present.find(({ node }) => node === named)?.copy.lastIndex ?? 0,
        unreachable: members.filter((one) => !copies.some(({ node }) => node.incarnation === one)).map((one) =>
          this.#core.nameOf(one)
        ),
      };
      const end = (result: RequestResult) => done(result.ok ? { ok: true, value: recovered } : result);
      log("node").error("{shard} is recovered from {node} in generation {generation}", {
        shard: text,
        node: named.name,
        generation: generation + 1,
      });
      if (shard === SYSTEM_SHARD) this.#recoverSystem(named.incarnation, generation, end);
      else this.#core.directory.command({ type: "recover", shard, survivor: named.incarnation, from: generation }, end);
    });
  }

  #recoverSystem(survivor: number, from: number, done: (result: RequestResult) => void): void {
    const { requests, self, config } = this.#core;
    if (survivor === self.incarnation) return this.#recoverSystemHere(from, done);
    requests.ask(survivor, "recover-system", from, { timeoutMs: config.requestMs, done });
  }

  #recoverSystemHere(from: number, done: (result: RequestResult) => void): void {
    const { replication, directory, self } = this.#core;
    if (replication.generations.of(SYSTEM_SHARD) !== from) {
      return done(
        failed("topology/other-generation", "not-applied", "Cannot recover SYS/000 as that generation is over"),
      );
    }
    replication.setGeneration(SYSTEM_SHARD, from + 1, self.incarnation);
    directory.command({ type: "leap", generation: from + 1 }, done);
  }

  /** Nothing is left: the node that placement would name, or any that answers. */
  #anybody(shard: number, found: Surveyed[]): TopologyNode | undefined {
    const answering = found.filter(({ copy }) => copy !== undefined).map(({ node }) => node);
    return this.#core.directory.require().placementOf(shard).find((node) => answering.includes(node)) ??
      answering.at(0);
  }

  #generationOf(shard: number): number {
    return this.#core.replication.generations.of(shard);
  }

  #copyHere(shard: number): CopyState | null {
    const { replication } = this.#core;
    const state = replication.stateOf(shard);
    if (state === null) return null;
    return {
      generation: state.generation,
      term: state.term,
      lastTerm: state.store.lastTerm,
      lastIndex: state.store.lastIndex,
      commit: state.commit,
      isWriter: state.role === "writer",
      isWhole: state.store.wholeFrom <= state.commit,
      members: replication.members(shard),
      standsStill: replication.standingStill().includes(shard),
    };
  }

  #look(): void {
    const { replication, world } = this.#core;
    this.#standing = replication.standingStill().length;
    this.#looks = this.#standing === 0 ? 0 : this.#looks + 1;
    const nowMs = world.nowMonoMs();
    if (this.standingStill === 0 || nowMs - this.#alarmed < 10_000) return;
    this.#alarmed = nowMs;
    log("replication").error("{count} shards stand still: a majority of their copies is gone", {
      count: this.#standing,
    });
  }
}

function shardIn(body: unknown): number {
  if (typeof body !== "number" || !Number.isInteger(body) || body < 0 || body > SYSTEM_SHARD) {
    throw badPayload("a question about no shard");
  }
  return body;
}

/** The number of a shard as people write it; `S05-017` is understood too, as a path has no room for a slash. */
export function shardOfText(text: string): number {
  return parseShard(text.replace("-", "/"));
}
