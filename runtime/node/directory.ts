/**
 * Directory: this node's copy of the topology, kept as the history of the system shard.
 *
 * All nodes apply the same commands in the same order, so all have the same sequence of topologies. A node that joins
 * starts from a copy of the state that its host gave it, and goes on from the log once that has caught up: `published`
 * never goes back.
 */
import { WaterparkError } from "../base/mod.ts";
import { ENTRY, type ShardStore } from "../storage/mod.ts";
import { log } from "../telemetry/mod.ts";
import {
  applyCommand,
  type CommandAnswer,
  dated,
  emptyState,
  SYSTEM_SHARD,
  Topology,
  type TopologyCommand,
  type TopologyState,
} from "../topology/mod.ts";
import { pack, unpack, type WriterHint } from "../wire/mod.ts";
import type { World } from "../world/mod.ts";
import { failed, type RequestResult, type Requests } from "./requests.ts";

/** What the directory needs of the rooms. */
export interface DirectoryOptions {
  world: World;
  requests: Requests;
  self: number;
  systemStore(): ShardStore | null;
  systemHint(): WriterHint | null;
  isSuspect(incarnation: number): boolean;
  proposeEntry(
    shard: number,
    kind: typeof ENTRY.COMMAND,
    body: Uint8Array,
    done: (state: "committed" | "lost" | "busy", index: number) => void,
  ): void;
  /** a newer topology is in force */
  onPublished(topology: Topology, previous: Topology | null): void;
  /** a life of a node that the log has told of, which may have ended long ago */
  onLife(name: string, incarnation: number): void;
  requestMs: number;
}

/** How long a command waits before it looks for the system shard's writer again, ms. */
const RETRY_MS = 50;
/** Answers kept: commands of one turn, and then some. */
const ANSWERS_MAX = 1024;

/** The topology as this node knows it. */
export class Directory {
  readonly #options: DirectoryOptions;
  #applied: TopologyState = emptyState();
  #published: Topology | null = null;
  /** true while `published` is what a host gave, which is without plugins: the log brings them */
  #isPartial = false;
  /** what the latest commands led to, by log index */
  readonly #answers = new Map<number, CommandAnswer>();

  constructor(options: DirectoryOptions) {
    this.#options = options;
    options.requests.handle("command", (body, done) => this.#onCommand(body as TopologyCommand, done));
    options.requests.handle("reached", (body, done) => {
      this.#whenReached(Number(body), () => done({ ok: true, value: true }));
    });
  }

  /** The topology in force; null before this node has joined. */
  get topology(): Topology | null {
    return this.#published;
  }

  /**
   * True once the log has brought everything that the host left out, this node's own join included: what comes before
   * that is the past.
   */
  get isWhole(): boolean {
    return !this.#isPartial && this.#published?.nodeByIncarnation(this.#options.self) != null;
  }

  /** The topology in force; throws `node/not-ready` before this node has joined. */
  require(): Topology {
    if (this.#published === null) {
      throw new WaterparkError("Cannot answer yet as this node has not joined its cluster", {
        code: "node/not-ready",
        outcome: "not-applied",
        retryAfterMs: 200,
      });
    }
    return this.#published;
  }

  /** Entries [first, last] of the system shard are committed here. */
  committed(first: number, last: number): void {
    const store = this.#options.systemStore()!;
    for (let index = first; index <= last; index++) {
      if (store.kindAt(index) !== ENTRY.COMMAND) continue;
      const command = unpack(store.body(index)) as TopologyCommand;
      const { state, answer } = applyCommand(this.#applied, command);
      this.#applied = state;
      if (command.type === "join" && answer.ok) this.#options.onLife(command.node.name, command.node.incarnation);
      this.#answers.set(index, answer);
      if (this.#answers.size > ANSWERS_MAX) this.#answers.delete(this.#answers.keys().next().value!);
    }
    this.publish(this.#applied);
  }

  /** This node's copy of the system shard was laid aside: the next one is applied from its first entry. */
  dropped(): void {
    this.#applied = emptyState();
    this.#answers.clear();
  }

  /**
   * Takes `state` into force if it is newer; a joining node calls this with the state that its host gave it. That is
   * without plugins, so it is left to the log where that knows of this node's join already: an answer came late.
   */
  publish(state: TopologyState, options: { isPartial?: boolean } = {}): void {
    const previous = this.#published;
    if (options.isPartial && this.isWhole) return;
    if (
      previous !== null && state.version <= previous.version && !(this.#isPartial && state.version === previous.version)
    ) return;
    this.#isPartial = options.isPartial ?? false;
    this.#published = new Topology(state, previous ?? undefined);
    log("topology").info("version {version}: {nodes} nodes", { version: state.version, nodes: state.nodes.length });
    this.#options.onPublished(this.#published, previous);
  }

  /**
   * Waits until these nodes have this node's version of the topology, or for `timeoutMs`: a plugin that is not known
   * everywhere would miss the effects of what is recorded meanwhile. `done` gets the number of nodes that lag.
   */
  whenEverywhere(incarnations: number[], timeoutMs: number, done: (lagging: number) => void): void {
    let lagging = 0;
    let open = incarnations.length;
    if (open === 0) return done(0);
    for (const incarnation of incarnations) {
      this.#options.requests.ask(incarnation, "reached", this.#published?.version ?? 0, {
        timeoutMs,
        done: (result) => {
          if (!result.ok) lagging++;
          if (--open === 0) done(lagging);
        },
      });
    }
  }

  #whenReached(
    version: number,
    done: () => void,
    untilMs = this.#options.world.nowMonoMs() + this.#options.requestMs,
  ): void {
    if ((this.#published?.version ?? 0) >= version) return done();
    // Who asked has given up by then.
    if (this.#options.world.nowMonoMs() > untilMs) return;
    this.#options.world.after(RETRY_MS, () => this.#whenReached(version, done, untilMs));
  }

  /** Has a command applied, wherever the system shard's writer is; `done` exactly once. */
  command(what: TopologyCommand, done: (result: RequestResult) => void): void {
    const { world } = this.#options;
    // Dated here: who writes it into the log may be of older code.
    const command = dated(what);
    const untilMs = world.nowMonoMs() + this.#options.requestMs;
    const attempt = () => {
      const leftMs = untilMs - world.nowMonoMs();
      if (leftMs <= 0) {
        done(failed("topology/no-writer", "unknown", "Cannot change the topology as its shard has no working writer"));
        return;
      }
      const again = () => void world.after(RETRY_MS, attempt);
      const hint = this.#options.systemHint();
      if (hint === null || hint.writer === 0) return again();
      if (hint.writer === this.#options.self) {
        this.#propose(command, (result) => result === null ? again() : done(result));
        return;
      }
      if (this.#options.isSuspect(hint.writer)) return again();
      this.#options.requests.ask(hint.writer, "command", command, {
        timeoutMs: Math.min(leftMs, 2000),
        done: (result) => {
          const retry = !result.ok &&
            (result.code === "node/no-answer" || result.code === "node/unreachable" ||
              result.code === "topology/no-writer");
          if (retry) again();
          else done(result);
        },
      });
    };
    attempt();
  }

  #propose(command: TopologyCommand, done: (result: RequestResult | null) => void): void {
    this.#options.proposeEntry(SYSTEM_SHARD, ENTRY.COMMAND, pack(command), (state, index) => {
      // Replication tells of a commit before it answers who waits for it, so the answer is there.
      const answer = state === "committed" ? this.#answers.get(index) : undefined;
      done(answer === undefined ? null : resultOf(answer));
    });
  }

  #onCommand(command: TopologyCommand, done: (result: RequestResult) => void): void {
    const hint = this.#options.systemHint();
    if (hint?.writer !== this.#options.self) {
      done(failed("topology/no-writer", "not-applied", "Cannot change the topology here as another node writes it"));
      return;
    }
    this.#propose(
      command,
      (result) =>
        done(result ?? failed("topology/no-writer", "unknown", "Cannot say whether the topology has changed")),
    );
  }
}

function resultOf(answer: CommandAnswer): RequestResult {
  return answer.ok ? { ok: true, value: answer } : failed(answer.code, "not-applied", answer.message);
}
