/**
 * Clients: each sends numbered messages to a few actors, some at a time, by way of one node; when that does not answer,
 * it goes on at another under the same ids, as a real one does. It is pleased with nothing but a receipt.
 */
import { SeededRandom } from "../../runtime/world/mod.ts";
import type { SimulatedCluster, SimulatedNode } from "./cluster.ts";
import type { Sent } from "./journal.ts";

/** A client that hears nothing for so long turns to another node, ms: longer than a node's own deadline. */
const PATIENCE_MS = 11_000;
const PAUSE_MS = 20;

/** One client. */
export class SimulatedClient {
  readonly #cluster: SimulatedCluster;
  readonly #number: number;
  readonly #random: SeededRandom;
  readonly #places = new Map<string, number>();
  readonly #open: Sent[] = [];
  #node: SimulatedNode | null = null;
  #session = 0;
  #sent = 0;
  #isStopping = false;

  constructor(cluster: SimulatedCluster, number: number) {
    this.#cluster = cluster;
    this.#number = number;
    this.#random = new SeededRandom(cluster.random.next32());
  }

  start(): void {
    this.#turnToAnotherNode();
  }

  /** Sends nothing new; what is open goes on until it has its receipt. */
  stop(): void {
    this.#isStopping = true;
  }

  get #name(): string {
    return `client-${this.#number}`;
  }

  get open(): number {
    return this.#open.length;
  }

  #fill(): void {
    const { options, journal, workload } = this.#cluster;
    while (!this.#isStopping && this.#open.length < options.pipeline) {
      const own = workload?.next(this.#random, options);
      const key = own?.key ?? `patient/H${this.#random.below(3)}/${this.#random.below(options.actors)}`;
      const place = (this.#places.get(key) ?? 0) + 1;
      this.#places.set(key, place);
      const id = `c${this.#number}-${++this.#sent}`;
      const body = own === undefined ? `body of ${id} ${this.#random.next32()}` : new TextDecoder().decode(own.payload);
      const message: Sent = { client: this.#number, place, key, id, body, content: own };
      this.#open.push(message);
      journal.sent.push(message);
      this.#post(message);
    }
  }

  #turnToAnotherNode(): void {
    const living = this.#cluster.living();
    this.#node = living[this.#random.below(living.length)];
    const session = ++this.#session;
    const open = this.#open.length;
    this.#cluster.trace?.write({ node: this.#name, room: "client", event: "turns", to: this.#node.name, open });
    for (const message of [...this.#open]) this.#post(message);
    this.#fill();
    this.#watch(session);
  }

  /** Its connection breaks when the node crashes, and it notices a node that says nothing. */
  #watch(session: number): void {
    const node = this.#node!;
    let quietMs = 0;
    let lastOpen = this.#open[0];
    const look = () => {
      if (session !== this.#session) return;
      quietMs = this.#open[0] === lastOpen && lastOpen !== undefined ? quietMs + 100 : 0;
      lastOpen = this.#open[0];
      if (!node.isAlive || quietMs > PATIENCE_MS) return this.#turnToAnotherNode();
      this.#cluster.time.after(100, look);
    };
    this.#cluster.time.after(100, look);
  }

  #post(message: Sent): void {
    const session = this.#session;
    const node = this.#node!;
    if (!node.isAlive) return;
    const { id, key } = message;
    this.#cluster.trace?.write({ node: this.#name, room: "client", event: "sends", id, key, by: node.name });
    const { time } = this.#cluster;
    node.core.post({
      key: message.key,
      id: message.id,
      type: message.content?.type ?? "tick",
      contentType: message.content?.contentType ?? "text/plain",
      payload: message.content?.payload ?? new TextEncoder().encode(message.body),
      atMs: node.core.world.nowWallMs(),
      sender: `client-${this.#number}-${session}`,
    }, (result) => {
      if (session !== this.#session || !this.#open.includes(message)) return;
      if (result.state === "refused") {
        // A refusal ends the connection for a client that wants its order kept: it begins anew with all that is open.
        const { code } = result;
        this.#cluster.trace?.write({ node: this.#name, room: "client", event: "refused", id: message.id, code });
        this.#session++;
        time.after(PAUSE_MS, () => this.#turnToAnotherNode());
        return;
      }
      this.#acknowledged(message, result);
    });
  }

  #acknowledged(
    message: Sent,
    result: {
      receipt: { seq: number; shard: string; term: number; index: number; copies: string[] };
      duplicate: boolean;
    },
  ): void {
    const { journal, time } = this.#cluster;
    this.#open.splice(this.#open.indexOf(message), 1);
    // Lives that have ended since the message was recorded count as well: that it survives them is another check.
    const number = this.#node!.core.directory.require().shardOf(message.key);
    const held = this.#cluster.lives.filter(({ core }) =>
      (core.replication.store(number)?.findMessage(message.key, message.id) ?? 0) !== 0
    ).map(({ name, dataCenter }) => ({ node: name, dataCenter }));
    const { seq, shard, term, index, copies } = result.receipt;
    journal.acknowledged.push({
      key: message.key,
      id: message.id,
      seq,
      shard,
      term,
      index,
      copies,
      duplicate: result.duplicate,
      held,
      atMs: Math.round(time.nowMs),
    });
    const details = { id: message.id, shard, term, index, seq, duplicate: result.duplicate };
    this.#cluster.trace?.write({ node: this.#name, room: "client", event: "receipt", ...details });
    const session = this.#session;
    time.after(this.#random.next() * 30, () => {
      if (session === this.#session) this.#fill();
    });
  }
}
