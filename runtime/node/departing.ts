/**
 * Departing: how a node goes without anybody noticing, and how it learns that it must go.
 *
 * An image: a shopkeeper who closes for good. He tells the neighbours first, so that nobody sends him new customers, hands
 * the keys of every drawer to one of them, serves who is in the shop already, and only then turns off the light.
 *
 * Three reasons: somebody says so (a signal, an operator: `told`); the topology has it draining, and its copies are
 * elsewhere by now (`drained`); the topology has it no more, as an operator removed it, or as the same name was started
 * again (`removed`). Who is removed is not fed the topology's log any more, and so would never read of it: whoever knows
 * tells him, again and again, as long as a link to him is up.
 */
import { WaterparkError } from "../base/mod.ts";
import { log } from "../telemetry/mod.ts";
import { SYSTEM_SHARD } from "../topology/mod.ts";
import type { Timer } from "../world/mod.ts";
import type { NodeCore } from "./core.ts";

/** Why a node goes. */
export type DepartureReason = "told" | "drained" | "removed";

/** Between two looks at the topology and the links, ms: how late a node learns that it was removed. */
const LOOK_MS = 200;
/** Between two looks at the writers that are being handed over, ms: about a round trip and an election. */
const PAUSE_MS = 10;

/** One node's leave, and what it knows of the others'. */
export class Departing {
  readonly #core: NodeCore;
  readonly #onDue: (reason: DepartureReason) => void;
  /** incarnations that have said that they go; those that the topology has no more are forgotten */
  readonly #leavers = new Set<number>();
  #reason: DepartureReason | null = null;
  #timer: Timer | null = null;

  /** `onDue` is called when the node should go, once for each reason; a reason may be followed by a graver one. */
  constructor({ core, onDue }: { core: NodeCore; onDue?: (reason: DepartureReason) => void }) {
    this.#core = core;
    this.#onDue = onDue ?? (() => {});
    core.requests.handle("leaving", (_, done, from) => {
      this.#leavers.add(from);
      done({ ok: true, value: true });
    });
    core.requests.handle("leave", (incarnation, done) => {
      const isMeant = incarnation === core.self.incarnation;
      done({ ok: true, value: isMeant });
      if (isMeant) this.#due("told");
    });
    core.requests.handle("removed", (incarnation, done) => {
      done({ ok: true, value: true });
      if (incarnation === core.self.incarnation) this.#due("removed");
    });
  }

  /** Why this node goes; null while it stays. */
  get reason(): DepartureReason | null {
    return this.#reason;
  }

  /** The peer has said that it goes: nothing is handed to it any more. */
  isLeaving(incarnation: number): boolean {
    return this.#leavers.has(incarnation);
  }

  /** @throws {WaterparkError} `node/removed` when the topology has this node no more: it must not answer for anything */
  requireMember(): void {
    if (this.#reason === "removed") throw removedError(this.#core.self.name);
  }

  start(): void {
    this.#timer = this.#core.world.after(LOOK_MS, () => {
      this.start();
      this.#look();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /**
   * Tells the others, then hands over every writer's role. `done` gets the number of shards that are still written here:
   * 0, or those that nobody took within the bound of `config.leave`.
   */
  handOver(done: (left: number) => void): void {
    const { world, config, mesh, requests, replication } = this.#core;
    this.#reason ??= "told";
    const untilMs = world.nowMonoMs() + config.leave.handOverMs;
    const step = () => {
      const left = replication.handOverAll(config.leave.handOversAtOnce);
      if (left === 0 || world.nowMonoMs() >= untilMs) done(left);
      else world.after(PAUSE_MS, step);
    };
    const links = mesh.links();
    let open = links.length;
    if (open === 0) return step();
    for (const { incarnation } of links) {
      requests.ask(incarnation, "leaving", null, {
        timeoutMs: config.leave.announceMs,
        done: () => {
          if (--open === 0) step();
        },
      });
    }
  }

  #due(reason: DepartureReason): void {
    const isNews = this.#reason === null || (reason === "removed" && this.#reason !== "removed");
    if (!isNews) return;
    this.#reason = reason;
    log("node").warning("this node goes: {reason}", { reason });
    this.#onDue(reason);
  }

  #look(): void {
    const { directory, mesh, self, requests } = this.#core;
    const { topology } = directory;
    if (topology === null) return;
    const { past } = topology.state;
    for (const incarnation of this.#leavers) {
      if (topology.nodeByIncarnation(incarnation) === null) this.#leavers.delete(incarnation);
    }
    if (past.includes(self.incarnation)) return this.#due("removed");
    if (topology.nodeByIncarnation(self.incarnation)?.status === "draining" && this.#isEmpty()) this.#due("drained");
    for (const { incarnation } of mesh.links()) {
      const isOut = topology.nodeByIncarnation(incarnation) === null && past.includes(incarnation);
      if (isOut) requests.ask(incarnation, "removed", incarnation, { timeoutMs: 1000, done: () => {} });
    }
  }

  /** Nothing is left here but the copy of the topology, which every node has. */
  #isEmpty(): boolean {
    const { replication } = this.#core;
    const { replicas, writers } = replication.counts();
    return writers === 0 && replicas === (replication.store(SYSTEM_SHARD) === null ? 0 : 1);
  }
}

/** What a node answers that the topology has no more. */
export function removedError(name: string): WaterparkError {
  return new WaterparkError(
    `Cannot answer as "${name}" must be in the topology: it was removed, or its name was started again`,
    { code: "node/removed", outcome: "not-applied" },
  );
}
