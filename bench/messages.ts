/**
 * What is sent: messages of an exact size to actors taken in turn, each with an id of its own.
 */

/** So many that every shard set, and so every data center and node, has its share of the writers. */
export const FACILITIES = 64;
const FILLING = 8192;
const STEP = 7_919;

/** What a message says. */
export interface MessageValue {
  type: "note";
  number: number;
  text: string;
}

/** One message, ready to go out. */
export class Message {
  /** number of the actor */
  readonly actor: number;
  readonly id: string;
  /** its JSON text has the wanted size */
  readonly value: MessageValue;

  constructor(actor: number, id: string, value: MessageValue) {
    this.actor = actor;
    this.id = id;
    this.value = value;
  }

  /** canonical key of the actor */
  get key(): string {
    return keyOf(this.actor);
  }

  /** JSON text of {@linkcode value}, put together for less than it costs to write it out */
  get body(): string {
    return headOf(this.value.number) + this.value.text + `"}`;
  }
}

function headOf(number: number): string {
  return `{"type":"note","number":${number},"text":"`;
}

/** Actors, by number: `count` of them from `first` on, each `stride` after the one before; default 1. */
export interface ActorRange {
  first: number;
  count: number;
  /** {@linkcode FACILITIES}: all of one facility */
  stride?: number;
}

/** Makes messages for a range of actors. */
export class Messages {
  readonly #range: ActorRange;
  readonly #filling: string;
  readonly #bodyUnits: number;
  readonly #prefix: string;
  #made = 0;

  /** `prefix` sets the ids apart from those of every other run. */
  constructor(range: ActorRange, options: { prefix: string; messageBytes: number }) {
    this.#range = range;
    this.#prefix = options.prefix;
    this.#bodyUnits = options.messageBytes;
    // Text that does not shrink to nothing where links compress, made once: making it must not be what is measured.
    let word = 1;
    let text = "";
    while (text.length < FILLING + options.messageBytes) {
      word = Math.imul(word, 1_664_525) + 1_013_904_223 | 0;
      text += (word >>> 0).toString(36);
    }
    this.#filling = text;
  }

  /** The next one. Neighbours in time are strangers in the range, so that no shard is hit in bursts. */
  next(): Message {
    const number = this.#made++;
    const { first, count, stride = 1 } = this.#range;
    // A step that has no divisor in common with the range meets everybody; 7,919 is prime.
    const step = count % STEP === 0 ? 1 : STEP;
    const actor = first + (number % count * step + Math.floor(number / count)) % count * stride;
    const id = `${this.#prefix}-${number.toString(36)}`;
    const at = number * 31 % FILLING;
    const text = this.#filling.slice(at, at + this.#bodyUnits - headOf(number).length - 2);
    return new Message(actor, id, { type: "note", number, text });
  }
}

/** The canonical key of an actor. */
export function keyOf(actor: number): string {
  return `patient/${facilityOf(actor)}/${nameOf(actor)}`;
}

/** The facility of an actor. */
export function facilityOf(actor: number): string {
  return `H${actor % FACILITIES}`;
}

/** The id of an actor in its facility. */
export function nameOf(actor: number): string {
  return String(1_000_000 + actor);
}

/** The number of the actor with this key. */
export function actorOf(key: string): number {
  return Number(key.slice(key.lastIndexOf("/") + 1)) - 1_000_000;
}
