/**
 * Reading a journal: its files, oldest first, become the copies that its node had.
 *
 * Nothing is guessed. Bytes at the end of the newest file that are no record, with none behind them, are what a crash has
 * torn off: they are cut. Anything else that is no record was damaged: the copy of which it was ends there, and so
 * does one of whose records a number is missing. Such a copy is still a true beginning of the log. Where not even the
 * header is good, nobody can say whose record it was, and every copy counts as damaged.
 *
 * The weakness: a machine that crashes may write a batch's later bytes and not its earlier ones. That looks like damage,
 * and is taken for it, though nobody was promised anything of that batch.
 */
import { unpack } from "../wire/mod.ts";
import {
  FLAG_DAMAGED,
  isBodyGood,
  readRecordHeader,
  RECORD,
  RECORD_HEADER_BYTES,
  type RecordHeader,
} from "./record.ts";

/** A shard's log as far as the journal must know it; `storage` has the real one. */
export interface EntryLog {
  readonly lastIndex: number;
  appendRaw(bytes: Uint8Array, from: number): { next: number };
  truncateFrom(index: number): void;
}

/** A copy that a node had when its process ended. */
export interface RememberedCopy<Log extends EntryLog> {
  readonly shard: number;
  generation: number;
  readonly log: Log;
  /** committed, as far as the copy knew */
  commit: number;
  /** something that had been written is not here: damage, not a crash */
  isDamaged: boolean;
  /** number of the oldest file that is needed for it */
  baseFile: number;
}

/** Whose journal it is. */
export interface JournalNode {
  /** the node's name; "" in an empty journal */
  name: string;
  /** "" before the node was in a cluster */
  clusterId: string;
  /** incarnations that have written it, oldest first */
  lives: number[];
  /** generation of the copy that has left, by shard */
  dropped: Map<number, number>;
}

/** What a journal holds. */
export interface JournalContents<Log extends EntryLog> {
  node: JournalNode;
  copies: Map<number, RememberedCopy<Log>>;
  /** number of the last record, by shard */
  numbers: Map<number, number>;
  /** bytes of each file that are good */
  files: Map<number, number>;
  /** the end of the newest file was torn off by a crash: it is to be cut to this length */
  torn: { file: number; bytes: number } | null;
  /** records that were damaged; how many cannot be said of a header */
  damaged: number;
}

interface ShardReading<Log extends EntryLog> {
  number: number;
  /** of the last record; 0: none was good */
  generation: number;
  copy: RememberedCopy<Log> | null;
  /** what is being rewritten */
  shadow: RememberedCopy<Log> | null;
  /** nothing more may be added to the copy */
  isCut: boolean;
}

/** Incarnations that are remembered: a journal that was started so often has older ones nowhere in a configuration. */
const LIVES_MAX = 256;

/** Reads files that are handed to it, oldest first. */
export class JournalReading<Log extends EntryLog> {
  readonly #newLog: () => Log;
  readonly #node: JournalNode = { name: "", clusterId: "", lives: [], dropped: new Map() };
  readonly #shards = new Map<number, ShardReading<Log>>();
  readonly #files = new Map<number, number>();
  #torn: { file: number; bytes: number } | null = null;
  #damaged = 0;

  constructor(options: { newLog: () => Log }) {
    this.#newLog = options.newLog;
  }

  /** The next file; `isNewest` says that no other follows. */
  file(file: number, bytes: Uint8Array, isNewest: boolean): void {
    let at = 0;
    while (at < bytes.length) {
      const header = readRecordHeader(bytes, at, { file, offset: at });
      const next = header === null ? Infinity : at + RECORD_HEADER_BYTES + header.bodyBytes;
      if (header !== null && next <= bytes.length && isBodyGood(bytes, at, header)) {
        this.#take(header, bytes.subarray(at + RECORD_HEADER_BYTES, next), file);
        at = next;
        continue;
      }
      const good = nextGoodHeader(bytes, header === null ? at + 4 : next, file);
      if (good < 0 && isNewest) {
        this.#torn = { file, bytes: at };
        break;
      }
      this.#damaged++;
      if (header !== null && good === next) this.#cut(header.shard, header.number);
      // Nobody can say whose records stood there.
      else for (const { copy } of this.#shards.values()) if (copy !== null) copy.isDamaged = true;
      if (good < 0) break;
      at = good;
    }
    this.#files.set(file, at);
  }

  /** What has come of it. */
  end(): JournalContents<Log> {
    const copies = new Map<number, RememberedCopy<Log>>();
    const numbers = new Map<number, number>();
    for (const [shard, reading] of this.#shards) {
      numbers.set(shard, reading.number);
      if (reading.copy === null && reading.generation > 0 && !this.#node.dropped.has(shard)) {
        // It was begun somewhere where nothing can be read: there was a copy, and nothing of it is left.
        reading.copy = { ...this.#newCopy({ shard, generation: reading.generation }, 0), isDamaged: true };
      }
      if (reading.copy === null) continue;
      reading.copy.isDamaged ||= reading.isCut;
      reading.copy.commit = Math.min(reading.copy.commit, reading.copy.log.lastIndex);
      copies.set(shard, reading.copy);
    }
    return { node: this.#node, copies, numbers, files: this.#files, torn: this.#torn, damaged: this.#damaged };
  }

  #take(header: RecordHeader, body: Uint8Array, file: number): void {
    if (header.kind === RECORD.NODE) return this.#takeNode(body);
    const { shard, generation, number } = header;
    let reading = this.#shards.get(shard);
    if (reading === undefined) {
      // Of records before the oldest file nothing is known: what they said has been written once more since.
      reading = { number: number - 1, generation, copy: null, shadow: null, isCut: false };
      this.#shards.set(shard, reading);
    }
    if (number !== reading.number + 1) this.#cut(shard, number);
    Object.assign(reading, { number, generation });
    switch (header.kind) {
      case RECORD.BEGIN:
        reading.copy = this.#newCopy(header, file);
        reading.shadow = null;
        reading.isCut = false;
        this.#node.dropped.delete(shard);
        break;
      case RECORD.APPEND:
        if (reading.copy !== null && !reading.isCut) reading.isCut = !append(reading.copy, header, body);
        break;
      case RECORD.ADOPT:
        if (reading.copy !== null) {
          reading.copy.generation = generation;
          reading.copy.isDamaged = false;
        }
        break;
      case RECORD.DROP:
        Object.assign(reading, { copy: null, shadow: null, isCut: false });
        this.#node.dropped.set(shard, generation);
        break;
      case RECORD.REWRITE:
        if (header.first === 1) reading.shadow = this.#newCopy(header, file);
        if (reading.shadow === null) break;
        if (header.first !== reading.shadow.log.lastIndex + 1 || !append(reading.shadow, header, body)) {
          reading.shadow = null;
        }
        break;
      case RECORD.REWRITTEN:
        if (reading.shadow === null || reading.shadow.log.lastIndex !== header.first) break;
        reading.copy = reading.shadow;
        reading.copy.generation = generation;
        reading.copy.isDamaged = (header.flags & FLAG_DAMAGED) !== 0;
        reading.shadow = null;
        reading.isCut = false;
        this.#node.dropped.delete(shard);
    }
    if (reading.copy !== null) reading.copy.commit = Math.max(reading.copy.commit, header.commit);
  }

  #takeNode(body: Uint8Array): void {
    const length = body[0] | (body[1] << 8) | (body[2] << 16) | (body[3] << 24);
    const { name, clusterId, lives, dropped } = unpack(body.subarray(4, 4 + length)) as {
      name: string;
      clusterId: string;
      lives: number[];
      dropped: [number, number][];
    };
    const node = this.#node;
    node.name = name;
    node.clusterId = clusterId;
    node.lives = [...new Set([...node.lives, ...lives])].slice(-LIVES_MAX);
    for (const [shard, generation] of dropped) node.dropped.set(shard, generation);
  }

  #cut(shard: number, number: number): void {
    const reading = this.#shards.get(shard);
    if (reading === undefined) {
      this.#shards.set(shard, { number, generation: 0, copy: null, shadow: null, isCut: true });
      return;
    }
    reading.number = number;
    reading.shadow = null;
    reading.isCut = true;
  }

  #newCopy({ shard, generation }: Pick<RecordHeader, "shard" | "generation">, file: number): RememberedCopy<Log> {
    return { shard, generation, log: this.#newLog(), commit: 0, isDamaged: false, baseFile: file };
  }
}

/** Adds entries to a copy; false when they do not follow it. */
function append<Log extends EntryLog>(
  { log }: RememberedCopy<Log>,
  { first }: RecordHeader,
  body: Uint8Array,
): boolean {
  if (first > log.lastIndex + 1) return false;
  if (first <= log.lastIndex) log.truncateFrom(first);
  try {
    for (let at = 0; at < body.length;) at = log.appendRaw(body, at).next;
    return true;
  } catch {
    return false;
  }
}

/** The next place with a good header: it is bound to its place, so nothing inside a body passes for one. */
function nextGoodHeader(bytes: Uint8Array, from: number, file: number): number {
  for (let at = from; at + RECORD_HEADER_BYTES <= bytes.length; at += 4) {
    if (readRecordHeader(bytes, at, { file, offset: at }) !== null) return at;
  }
  return -1;
}
