/**
 * Absence: the second of the three time scales. A node that has been suspected for `absentAfterMs`, by this node and by
 * one of another data center, is declared absent by a topology entry; its copies are then replaced. It comes back by
 * being heard again. Only the writer of the system shard does this, so that there is one report and not fifteen.
 */
import { log } from "../telemetry/mod.ts";
import { applyCommand, SYSTEM_SHARD, type TopologyNode } from "../topology/mod.ts";
import type { Timer } from "../world/mod.ts";
import type { NodeCore } from "./core.ts";

/** Between two looks, ms: short against the absence itself. */
const LOOK_MS = 500;

/** Declares nodes absent and present again. */
export class Absence {
  readonly #core: NodeCore;
  #timer: Timer | null = null;
  #isAsking = false;
  /** why the last report was not made, `""` when it was */
  #refused = "";

  constructor(options: { core: NodeCore }) {
    this.#core = options.core;
    this.#core.requests.handle("suspected-for", (body, done) => {
      done({ ok: true, value: this.#core.membership.suspectedForMs(Number(body)) });
    });
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

  #look(): void {
    const { directory, membership, replication, config } = this.#core;
    const topology = directory.topology;
    if (topology === null || !replication.isWriter(SYSTEM_SHARD) || this.#isAsking) return;
    const gone: TopologyNode[] = [];
    const back: number[] = [];
    for (const node of topology.state.nodes) {
      if (node.incarnation === this.#core.self.incarnation) continue;
      const suspectedForMs = membership.suspectedForMs(node.incarnation);
      if (node.status === "absent") {
        if (suspectedForMs === 0 && membership.quietForMs(node.incarnation) < LOOK_MS) back.push(node.incarnation);
      } else if (suspectedForMs >= config.absentAfterMs) gone.push(node);
    }
    if (back.length > 0) directory.command({ type: "present", incarnations: back }, () => {});
    if (gone.length > 0) this.#confirm(gone);
  }

  /** Asks a node of another data center, where there is one, before it says so. */
  #confirm(gone: TopologyNode[]): void {
    const { directory, requests, config, self } = this.#core;
    const own = self.name.split("-")[0];
    const others = directory.topology!.state.nodes.filter((node) =>
      node.status === "up" && node.dataCenter !== own && !this.#core.isSuspect(node.incarnation)
    );
    const otherDataCenters = directory.topology!.dataCenters().some((name) => name !== own);
    const declare = (incarnations: number[]) => {
      // A report that would be refused is no entry of the log, which would only grow by it.
      const { answer } = applyCommand(directory.require().state, { type: "absent", incarnations });
      if (!answer.ok) {
        if (this.#refused !== answer.code) log("node").error("absence not declared: {code}", { code: answer.code });
        this.#refused = answer.code;
        return;
      }
      this.#refused = "";
      this.#isAsking = true;
      directory.command({ type: "absent", incarnations }, (result) => {
        this.#isAsking = false;
        if (result.ok) log("node").warning("{count} nodes declared absent", { count: incarnations.length });
        else log("node").error("absence not declared: {code}", { code: result.code });
      });
    };
    if (!otherDataCenters) return declare(gone.map((node) => node.incarnation));
    for (const node of gone) {
      // A witness must not stand in the data center of the missing node, or it may be cut off with it.
      const witness = others.find((other) => other.dataCenter !== node.dataCenter) ?? others[0];
      if (witness === undefined) continue;
      requests.ask(witness.incarnation, "suspected-for", node.incarnation, {
        timeoutMs: 2000,
        done: (result) => {
          if (result.ok && Number(result.value) >= config.absentAfterMs / 2) declare([node.incarnation]);
        },
      });
    }
  }
}
