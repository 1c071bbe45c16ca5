/**
 * Deliveries to the outside: what becomes of each attempt, and what is laid aside.
 *
 * A delivery that fails is tried again, later each time. It is given up when the sink says that it never will be taken, or
 * when it has failed as often as the sink allows *while others got through*: a target that takes nothing is down, and that
 * is no fault of the message. What is given up is laid aside as a dead letter (`skip`), an actor that can be looked at,
 * mended and sent again; or it holds up its actor's later deliveries to that sink until somebody decides (`hold`).
 */
import { type FullKey, parseKey } from "../base/mod.ts";
import type { World } from "../world/mod.ts";
import { deadLetterOf } from "./dead_letter.ts";
import type { DeliverEffect } from "./effect.ts";
import { payloadOf } from "./effect_message.ts";
import type { EffectPosting } from "./effects_options.ts";

/** One attempt to deliver, as a sink gets it. */
export interface SinkDelivery {
  /** the effect's id, the same at every attempt */
  id: string;
  /** the actor whose handler asked */
  key: FullKey;
  /** the message that was handled */
  seq: number;
  /** from 1 */
  attempt: number;
  /** what it is */
  type: string;
  /** media type of `bytes` */
  contentType: string;
  bytes: Uint8Array;
  options: Readonly<Record<string, string>>;
}

/** How an attempt ended; see `DeliveryEnd` in `runtime/plugin_host/io_sdk.ts`. */
export type SinkEnd =
  | { readonly state: "done"; readonly answer?: string }
  | { readonly state: "retry"; readonly code: string; readonly text: string; readonly afterMs?: number }
  | { readonly state: "dead"; readonly code: string; readonly text: string; readonly answer?: string };

/** What a sink declares about failures. */
export interface SinkPolicy {
  /** of the version in force: with another one, what is held is tried again */
  hash: string;
  attempts: number;
  firstMs: number;
  mostMs: number;
  whenDead: "hold" | "skip";
  /** an operator has stopped it: nothing is tried, everything waits */
  isPaused: boolean;
}

/** The sinks of this node. */
export interface SinkDoor {
  /** null: there is none of that name */
  policyOf(sink: string): SinkPolicy | null;
  /** Tries once; `done` is called once. */
  deliver(sink: string, delivery: SinkDelivery, done: (end: SinkEnd) => void): void;
}

/** A delivery in hand. */
export interface SinkTask {
  readonly source: string;
  readonly seq: number;
  readonly plugin: string;
  readonly id: string;
  readonly effect: DeliverEffect;
  attempts: number;
  /** of the last attempt */
  code: string;
  text: string;
  firstTryMs: number;
  state: "waiting" | "trying" | "held" | "lost";
  /** version under which it came to be held */
  heldBy: string;
}

/** What has become of the deliveries to one sink, on this node. */
export interface SinkCounts {
  sink: string;
  done: number;
  /** attempts that failed and were tried again */
  retried: number;
  /** laid aside as dead letters */
  dead: number;
  /** in hand: decided, on this node's desk, not carried out */
  inHand: number;
  /** of them, those that hold up their actor's later ones */
  held: number;
}

/** What an attempt leads to. */
export type SinkVerdict =
  | { state: "finish"; answer?: string }
  | { state: "again"; afterMs: number }
  | { state: "held" }
  | { state: "letter"; posting: Omit<EffectPosting, "atMs" | "sender">; answer?: string };

/** Where no sink of the name is deployed, or it is paused, it is looked again after so long, ms. */
const LOOK_AGAIN_MS = 1_000;

interface Sink {
  readonly counts: SinkCounts;
  lastDoneMs: number;
}

/** See the file's header. */
export class Sinks {
  readonly #world: World;
  readonly #door: SinkDoor;
  readonly #sinks = new Map<string, Sink>();

  constructor(options: { world: World; door: SinkDoor }) {
    this.#world = options.world;
    this.#door = options.door;
  }

  /** What has become of deliveries here, by sink. */
  counts(): SinkCounts[] {
    return [...this.#sinks.values()].map((sink) => ({ ...sink.counts }));
  }

  /** How many deliveries to the sink are in hand. */
  inHand(name: string): number {
    return this.#sinks.get(name)?.counts.inHand ?? 0;
  }

  /** A delivery has been taken in hand. */
  taken(name: string): void {
    this.#of(name).counts.inHand++;
  }

  /** It is in hand no more, carried out or not. */
  left(name: string, wasHeld: boolean): void {
    const { counts } = this.#of(name);
    counts.inHand--;
    if (wasHeld) counts.held--;
  }

  /** Tries once; `then` is told what follows, within this call or later, once. */
  attempt(task: SinkTask, then: (verdict: SinkVerdict) => void): void {
    const { sink, message, options = {} } = task.effect;
    const policy = this.#door.policyOf(sink);
    if (policy === null || policy.isPaused) {
      const why = policy === null ? "no-such-sink" : "sink-paused";
      task.code = `effects/${why}`;
      task.text = policy === null ? "no sink of that name is deployed" : "the sink is paused";
      return then({ state: "again", afterMs: LOOK_AGAIN_MS });
    }
    let payload: ReturnType<typeof payloadOf>;
    try {
      payload = payloadOf(message);
    } catch {
      return then(
        this.#given(task, policy, { state: "dead", code: "effects/bad-effect", text: "its body is no JSON" }),
      );
    }
    const { source, seq, id } = task;
    const { contentType, payload: bytes } = payload;
    const delivery = {
      ...{ id, key: parseKey(source), seq, attempt: ++task.attempts, type: String(message.type), contentType, bytes },
      options,
    };
    if (task.attempts === 1) task.firstTryMs = this.#world.nowMonoMs();
    task.state = "trying";
    this.#door.deliver(sink, delivery, (end) => then(this.#verdict(task, policy, end)));
  }

  /** True when what is held may be tried again: another version of its sink is in force. */
  mayGoOn(task: SinkTask): boolean {
    const policy = this.#door.policyOf(task.effect.sink);
    return policy !== null && policy.hash !== task.heldBy;
  }

  /** A held one is tried again, or is done with. */
  released(task: SinkTask): void {
    this.#of(task.effect.sink).counts.held--;
    task.state = "waiting";
    task.attempts = 0;
  }

  #verdict(task: SinkTask, policy: SinkPolicy, end: SinkEnd): SinkVerdict {
    const sink = this.#of(task.effect.sink);
    task.state = "waiting";
    if (end.state === "done") {
      sink.counts.done++;
      sink.lastDoneMs = this.#world.nowMonoMs();
      return end.answer === undefined ? { state: "finish" } : { state: "finish", answer: end.answer };
    }
    task.code = end.code;
    task.text = end.text;
    const othersGotThrough = sink.lastDoneMs > task.firstTryMs;
    const isGivenUp = end.state === "dead" || (task.attempts >= policy.attempts && othersGotThrough);
    if (isGivenUp) return this.#given(task, policy, end);
    sink.counts.retried++;
    const afterMs = "afterMs" in end ? end.afterMs ?? 0 : 0;
    return { state: "again", afterMs: this.#backOffMs(policy, task.attempts, afterMs) };
  }

  #backOffMs({ firstMs, mostMs }: SinkPolicy, attempts: number, leastMs: number): number {
    const backOffMs = Math.min(mostMs, firstMs * 2 ** Math.min(attempts - 1, 30));
    return Math.max(Math.min(leastMs, 3_600_000), backOffMs * (0.5 + this.#world.random() / 2));
  }

  #given(task: SinkTask, policy: SinkPolicy, end: SinkEnd & { state: "dead" | "retry" }): SinkVerdict {
    const { counts } = this.#of(task.effect.sink);
    task.code = end.code;
    task.text = end.text;
    if (policy.whenDead === "hold") {
      counts.held++;
      task.state = "held";
      task.heldBy = policy.hash;
      return { state: "held" };
    }
    counts.dead++;
    task.state = "lost";
    const answer = "answer" in end ? end.answer : undefined;
    return { state: "letter", posting: deadLetterOf(task, answer), ...answer === undefined ? {} : { answer } };
  }

  #of(name: string): Sink {
    let sink = this.#sinks.get(name);
    if (sink === undefined) {
      const counts = { sink: name, done: 0, retried: 0, dead: 0, inHand: 0, held: 0 };
      this.#sinks.set(name, sink = { counts, lastDoneMs: -Infinity });
    }
    return sink;
  }
}
