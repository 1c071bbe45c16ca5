/** A group of one shard whose frames can be caught on their way, and delivered when they do the most harm. */
import { Group } from "../../../runtime/replication/model_group.ts";
import type { MessageProposal } from "../../../runtime/wire/mod.ts";

const SHARD = 7;

/** See the file's header. */
export class CaughtFrames extends Group {
  readonly #deliveries = new Map<number, (from: number, payload: Uint8Array) => void>();
  #caught: { from: number; to: number; payload: Uint8Array }[] = [];
  #catching = "";

  override start(incarnation: number): ReturnType<Group["start"]> {
    const replication = super.start(incarnation);
    const deliver = replication.receive.bind(replication);
    this.#deliveries.set(incarnation, deliver);
    replication.receive = (from, payload) => {
      if (this.#catching !== `${from}>${incarnation}`) return deliver(from, payload);
      this.#caught.push({ from, to: incarnation, payload: payload.slice() });
    };
    return replication;
  }

  /** From now on frames from one to the other are kept. */
  catchFrames(from: number, to: number): void {
    this.#catching = `${from}>${to}`;
  }

  /** From now on frames arrive again; those that were kept stay so. */
  stopCatching(): void {
    this.#catching = "";
  }

  /** Delivers what was kept, in its order. */
  deliverCaught(): void {
    for (const { from, to, payload } of this.#caught.splice(0)) this.#deliveries.get(to)!(from, payload);
  }

  /** frames kept */
  get caught(): number {
    return this.#caught.length;
  }

  /** Lets time pass. */
  wait(ms: number): void {
    this.time.runUntil(this.time.nowMs + ms);
  }

  /** Lets time pass until it is so, event by event. */
  until(isSo: () => boolean): void {
    const limitMs = this.time.nowMs + 10_000;
    while (!isSo()) if (!this.time.step() || this.time.nowMs > limitMs) throw new Error("it never comes to that");
  }

  /** Has a message recorded, by whoever writes. */
  record(id: string): void {
    const answer = this.post({ id }, this.time.nowMs + 5000);
    if (answer?.state !== "recorded") throw new Error(`${id} is not recorded: ${answer?.state}`);
  }

  /** Proposes to one node, whatever it is. */
  propose(node: number, id: string, payload: Uint8Array): void {
    const proposal: MessageProposal = {
      ...{ key: "patient/H/1", id, type: "", contentType: "", atMs: 0, payload },
      ...{ sender: "", n: 0, oldest: 0, term: 0, ifMatch: -1 },
    };
    this.nodes.get(node)!.replication.propose(SHARD, proposal, () => {});
  }

  /** The node's replica. */
  stateOf(node: number): NonNullable<ReturnType<ReturnType<Group["start"]>["stateOf"]>> {
    return this.nodes.get(node)!.replication.stateOf(SHARD)!;
  }

  /** Nothing passes between the node and those others, and they suspect each other. */
  cutOff(node: number, from: number[]): void {
    for (const other of from.filter((one) => one !== node)) {
      this.cuts.add(`${node}>${other}`).add(`${other}>${node}`);
      this.suspectPair(node, other, true);
    }
  }

  /** Everything passes between these nodes. */
  mend(nodes: number[] = [...this.nodes.keys()]): void {
    for (const a of nodes) {
      for (const b of nodes) {
        this.cuts.delete(`${a}>${b}`);
        if (a < b) this.suspectPair(a, b, false);
      }
    }
  }
}
