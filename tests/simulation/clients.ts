/**
 * Clients: each sends numbered messages to a few actors, some at a time, by way of one node; when that does not answer,
 * it goes on at another under the same ids, as a real one does, though the first may still be at it. It is pleased with
 * nothing but a receipt; what it is told at last, even by a node that it has left, goes into the journal.
 */
import { SeededRandom } from "../../runtime/world/mod.ts";
import type { SimulatedCluster, SimulatedNode } from "./cluster.ts";
import type { Sent } from "./journal.ts";
import type { Wish } from "./plugins.ts";
import { acknowledged, type RecordedAnswer } from "./receiving.ts";

const PAUSE_MS = 20;
const WATCH_MS = 100;
/** How long handlers are waited for, ms. */
const HANDLED_MS = 3000;
/** Wishes with trouble for broken versions, of 1, where there are any. */
const TROUBLE_RATE = 0.15;

/** Timers run for at most so long, ms. */
const REMIND_MS_MAX = 4000;

type PostResult = Parameters<Parameters<SimulatedNode["core"]["post"]>[1]>[0];

/** One client. */
export class SimulatedClient {
  /** the actor that it has sent to last */
  lastKey = "patient/H0/0";
  readonly #cluster: SimulatedCluster;
  readonly #number: number;
  readonly #random: SeededRandom;
  /** for what was thought of later, so that old seeds send what they sent */
  readonly #whims: SeededRandom;
  readonly #places = new Map<string, number>();
  /** the last seq known of an actor */
  readonly #seqs = new Map<string, number>();
  readonly #open: Sent[] = [];
  #node: SimulatedNode | null = null;
  #session = 0;
  #sent = 0;
  /** no node is trusted now: the next one is turned to in a moment */
  #isBetween = false;
  #isStopping = false;

  constructor(cluster: SimulatedCluster, number: number) {
    this.#cluster = cluster;
    this.#number = number;
    this.#random = new SeededRandom(cluster.random.next32());
    this.#whims = new SeededRandom(cluster.options.seed * 64 + number);
  }

  start(): void {
    this.#turnToAnyNode();
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

  /** Goes on by way of this node, with all that is open. */
  turnTo(node: SimulatedNode): void {
    this.#node = node;
    this.#isBetween = false;
    const session = ++this.#session;
    const open = this.#open.length;
    this.#cluster.trace?.write({ node: this.#name, room: "client", event: "turns", to: node.name, open });
    for (const message of [...this.#open]) {
      // A node that is not ready refuses at once, and that ends the connection.
      if (session === this.#session) this.#post(message);
    }
    if (session !== this.#session) return;
    this.#fill(this.#cluster.options.pipeline);
    this.#watch(session);
  }

  #turnToAnyNode(): void {
    const living = this.#cluster.living();
    this.turnTo(living[this.#random.below(living.length)]);
  }

  /** Sends anew until so many are under way. */
  #fill(most: number): void {
    const { options, journal, time, workload } = this.#cluster;
    const session = this.#session;
    while (!this.#isStopping && this.#open.length < most && session === this.#session) {
      const content = workload?.next(this.#random, options);
      const key = content?.key ?? `patient/H${this.#random.below(3)}/${this.#random.below(options.actors)}`;
      this.lastKey = key;
      const place = (this.#places.get(key) ?? 0) + 1;
      this.#places.set(key, place);
      const id = `c${this.#number}-${++this.#sent}`;
      const wish = content === undefined ? this.#wishFor(id) : { text: "" };
      const message: Sent = {
        client: this.#number,
        place,
        key,
        id,
        body: content === undefined ? JSON.stringify(wish) : new TextDecoder().decode(content.payload),
        wish,
        content,
        ifMatch: this.#ifMatchFor(key),
        atMs: time.nowMs,
        attempts: 0,
        ended: "",
      };
      this.#open.push(message);
      journal.sent.push(message);
      this.#post(message);
    }
  }

  #wishFor(id: string): Wish {
    const { wishRate, brokenVersionRate, timerRate, retireRate } = this.#cluster.options;
    const wish: Wish = { text: `body of ${id} ${this.#random.next32()}` };
    const whims = this.#whims;
    if (whims.next() >= wishRate) return wish;
    if (whims.next() < 0.5) wish.ward = String(whims.below(2));
    if (whims.next() < 0.2) wish.emit = true;
    if (whims.next() < 0.3) wish.reply = true;
    if (brokenVersionRate > 0 && whims.next() < TROUBLE_RATE) wish.trouble = whims.next() < 0.5 ? "throw" : "kill";
    if (timerRate > 0) {
      const name = `t${whims.below(2)}`;
      if (whims.next() < timerRate) wish.remind = { name, afterMs: whims.below(REMIND_MS_MAX) };
      else if (whims.next() < timerRate / 2) wish.forget = name;
    }
    if (retireRate > 0 && whims.next() < retireRate) wish.retire = true;
    return wish;
  }

  #ifMatchFor(key: string): number {
    const { ifMatchRate } = this.#cluster.options;
    if (ifMatchRate === 0 || this.#whims.next() >= ifMatchRate) return -1;
    // Behind one that is under way it could only fail.
    return this.#open.some((message) => message.key === key) ? -1 : this.#seqs.get(key) ?? 0;
  }

  /** Its connection breaks when the node crashes, and it notices a node that says nothing. */
  #watch(session: number): void {
    const node = this.#node!;
    let quietMs = 0;
    let lastOpen = this.#open[0];
    const look = () => {
      if (session !== this.#session) return;
      quietMs = this.#open[0] === lastOpen && lastOpen !== undefined ? quietMs + WATCH_MS : 0;
      lastOpen = this.#open[0];
      if (!node.isAlive || quietMs > this.#cluster.options.patienceMs) return this.#turnToAnyNode();
      this.#cluster.time.after(WATCH_MS, look);
    };
    this.#cluster.time.after(WATCH_MS, look);
  }

  #post(message: Sent): void {
    const session = this.#session;
    const node = this.#node!;
    if (!node.isAlive) return;
    const { id, key } = message;
    this.#cluster.trace?.write({ node: this.#name, room: "client", event: "sends", id, key, by: node.name });
    const attempts = ++message.attempts;
    const sender = `${this.#name}-${session}`;
    this.#hand(node, message, { sender, ifMatch: message.ifMatch }, (result) => {
      if (result.state === "refused") this.#refused(message, { result, session, attempts });
      else this.#acknowledged(message, node, result);
    });
  }

  #hand(
    node: SimulatedNode,
    { key, id, body, content }: Pick<Sent, "key" | "id" | "body" | "content">,
    options: { sender: string; ifMatch: number },
    done: (result: PostResult) => void,
  ): void {
    this.#cluster.call(node, () => {
      node.core.post({
        key,
        id,
        type: content?.type ?? "tick",
        contentType: content?.contentType ?? "application/json",
        payload: content?.payload ?? new TextEncoder().encode(body),
        atMs: node.core.world.nowWallMs(),
        sender: options.sender,
        ifMatch: options.ifMatch < 0 ? undefined : options.ifMatch,
      }, done);
    });
  }

  #refused(
    message: Sent,
    { result, session, attempts }: { result: PostResult & { state: "refused" }; session: number; attempts: number },
  ): void {
    const { id } = message;
    if (session !== this.#session || !this.#open.includes(message)) return;
    const { code, outcome } = result;
    this.#cluster.trace?.write({ node: this.#name, room: "client", event: "refused", id, code, outcome });
    // What is not applied of one's only attempt never will be. Other attempts may still be under way somewhere.
    const isCertain = outcome === "not-applied" && attempts === 1;
    const isFinal = code === "mailroom/precondition" && outcome === "not-applied";
    const givesUp = isCertain && this.#cluster.options.giveUpRate > this.#whims.next();
    if (code === "mailroom/precondition") this.#seqs.set(message.key, result.seq!);
    if (isFinal || givesUp) {
      this.#open.splice(this.#open.indexOf(message), 1);
      message.ended = isCertain ? "not-applied" : "unknown";
      if (isFinal) return this.#goOn();
    }
    // A refusal ends the connection for a client that wants its order kept: it begins anew with all that is open.
    this.#isBetween = true;
    const ended = ++this.#session;
    this.#cluster.time.after(PAUSE_MS, () => {
      if (ended === this.#session) this.#turnToAnyNode();
    });
  }

  #acknowledged(message: Sent, node: SimulatedNode, answer: RecordedAnswer): void {
    acknowledged(this.#cluster, { message, answer, client: this.#name });
    this.#seqs.set(message.key, answer.receipt.seq);
    const at = this.#open.indexOf(message);
    if (at < 0) return;
    this.#open.splice(at, 1);
    this.#afterwards(message, node, answer);
    this.#goOn();
  }

  /** What a client may do with a message that is recorded: wait for the handlers, send it again, send another under its id. */
  #afterwards(message: Sent, node: SimulatedNode, { receipt: { seq } }: RecordedAnswer): void {
    const { journal, options, time } = this.#cluster;
    const { key } = message;
    if (message.wish.reply) {
      const shard = this.#cluster.shardOf(key);
      this.#cluster.call(node, () => {
        node.core.reading.handled({ shard, key, seq, timeoutMs: HANDLED_MS }, (result) => {
          const value = result.ok ? result.value as { state: string; reply?: unknown } : { state: "failed" };
          if (value.state !== "handled") return;
          journal.handled.push({ key, seq, reply: value.reply ?? null, atMs: time.nowMs });
        });
      });
    }
    if (options.echoRate === 0 || this.#whims.next() >= options.echoRate) return;
    const living = this.#cluster.living();
    const other = living[this.#whims.below(living.length)];
    if (this.#whims.next() < 0.5) {
      message.attempts++;
      this.#hand(other, message, { sender: "", ifMatch: message.ifMatch }, (result) => {
        if (result.state === "recorded") acknowledged(this.#cluster, { message, answer: result, client: this.#name });
      });
    } else {
      const forged = { key, id: message.id, body: `${message.body} ` };
      this.#hand(other, forged, { sender: "", ifMatch: -1 }, (result) => {
        const answer = result.state === "recorded" ? "recorded" : result.code;
        journal.forged.push({ key, id: message.id, answer });
      });
    }
  }

  /** Each message that has ended makes room for one, in a while. */
  #goOn(): void {
    const session = this.#session;
    const { pauseMs, pipeline } = this.#cluster.options;
    this.#cluster.time.after(this.#random.next() * pauseMs, () => {
      if (session !== this.#session || this.#isBetween) return;
      this.#fill(Math.min(pipeline, this.#open.length + 1));
    });
  }
}
