import { digestInto } from "../base/mod.ts";

/**
 * Streams that one writer remembers per shard; a forgotten one is picked up again at its oldest open message. Who has one
 * message under way at a time need not be remembered at all, and a node may have a thousand shards.
 */
const SETS = 64;
const WAYS = 4;

const ENCODER = new TextEncoder();
/** The stream's name as bytes: sender, NUL, key. */
let name = new Uint8Array(512);
let nameView = new DataView(name.buffer);
const DIGEST = new Uint32Array(2);

/**
 * The order of senders: number n of a stream (sender and actor) is appended only after n-1, or when it is the oldest
 * that the sender still waits for. Volatile on purpose: everything older than `oldest` has its receipt, so a new writer
 * needs no memory to go on.
 *
 * A table like a cache's, of digests: a `Map` of names kept 256 texts a shard alive for as long as it took for others to
 * take their places, which is what a collector that hopes for short lives likes least. Two streams of one digest (64
 * bits) would hold each other up until their messages' deadlines; nobody can choose a sender's name, as its node and
 * the session stand in it.
 *
 * One question is one `seek`, then `check` or `appended`, with nothing in between.
 */
export class SenderOrder {
  #names: Uint32Array | null = null;
  #last = new Float64Array(0);
  /** of each set, where the next newcomer goes */
  #turn = new Uint8Array(0);
  #set = 0;
  #at = -1;

  /** Finds the stream; what follows is about it. */
  seek(sender: string, key: string): void {
    const { names } = this.#table();
    digestOf(sender, key);
    this.#set = DIGEST[0] % SETS;
    const first = this.#set * WAYS;
    this.#at = -1;
    for (let at = first; at < first + WAYS; at++) {
      if (names[2 * at] === DIGEST[0] && names[2 * at + 1] === DIGEST[1] && this.#last[at] > 0) this.#at = at;
    }
  }

  /** null: take it; a number: a gap, send again from there. */
  check(n: number, oldest: number): number | null {
    if (this.#at < 0) return n === oldest ? null : oldest;
    const last = this.#last[this.#at];
    if (n === last + 1 || (n === oldest && n > last)) return null;
    return Math.max(oldest, last + 1);
  }

  /** Remembers that number n of the stream stands in the log. */
  appended(n: number): void {
    if (this.#at >= 0) {
      this.#last[this.#at] = Math.max(this.#last[this.#at], n);
      return;
    }
    const { names } = this.#table();
    const at = this.#at = this.#set * WAYS + this.#turn[this.#set];
    this.#turn[this.#set] = (this.#turn[this.#set] + 1) % WAYS;
    names[2 * at] = DIGEST[0];
    names[2 * at + 1] = DIGEST[1];
    this.#last[at] = n;
  }

  /** Forgets all of them. */
  clear(): void {
    this.#last.fill(0);
  }

  /** Made for the first stream: most copies are no writers. */
  #table(): { names: Uint32Array } {
    if (this.#names === null) {
      this.#names = new Uint32Array(2 * SETS * WAYS);
      this.#last = new Float64Array(SETS * WAYS);
      this.#turn = new Uint8Array(SETS);
    }
    return { names: this.#names };
  }
}

function digestOf(sender: string, key: string): void {
  const units = sender.length + key.length + 1;
  if (3 * units > name.length) {
    name = new Uint8Array(3 * units);
    nameView = new DataView(name.buffer);
  }
  const from = put(sender, 0);
  name[from] = 0;
  digestInto(DIGEST, nameView, 0, put(key, from + 1));
}

function put(text: string, at: number): number {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x80) return at + ENCODER.encodeInto(text, name.subarray(at)).written;
    name[at + i] = unit;
  }
  return at + text.length;
}
