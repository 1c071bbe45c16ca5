/**
 * How an entry looks as bytes, the same in memory and on the wire, so that copying a log is copying bytes.
 *
 *     0 u32 bytes, all told, without padding    12 ... the body
 *     4 u32 term                                   0 to 3 zero bytes, so that the next entry starts at a multiple of 4
 *     8 u8 kind · u8 flags (0) · u16 (0)
 *
 * The body of a MESSAGE, offsets from the start of the entry:
 *
 *     12 u32 idHash          hash32(id, hash32(key))
 *     16 u32 previous        log index of the actor's message before, 0 = none
 *     20 u32 seq
 *     24 f64 atMs
 *     32 u32 u32 digest      of the payload, upper and lower half
 *     40 u32 u32 chain       chainDigest(chain of the message before, digest)
 *     48 u16 u16 u16 u16     bytes of key, id, type, contentType
 *     56 key id type contentType payload
 *
 * A RETIRE, the end of an actor's life, is laid out the same, with no id and no types: `seq` and `chain` are those of
 * the actor's last message, `previous` is its index, the payload is the tombstone (tombstone.ts). So whatever walks an
 * actor's chain walks over it. A HOLLOW is what is left of an entry of a life that has ended: index, term, and
 *
 *     12 u32 log index of the RETIRE that freed it, in this copy: of its own life, or of a later one
 *
 * No digest covers term, kind, time and types: what guards them on the way is the carrier's checksum.
 * Little-endian. Every length is checked against hard limits before anything is read by it: bytes come from peers.
 */
import { TEXT_DECODER } from "./text.ts";
import { tombstoneFault } from "./tombstone.ts";

/** What an entry is. */
export const ENTRY = {
  /** nothing; a new writer's first entry */
  NOOP: 1,
  /** the shard's members */
  CONFIG: 2,
  /** a message to an actor */
  MESSAGE: 3,
  /** what handlers decided */
  OUTCOMES: 4,
  /** which effects were carried out */
  DONE: 5,
  /** a command to the topology; in the system shard alone */
  COMMAND: 6,
  /** the end of an actor's life */
  RETIRE: 7,
  /** what is left of an entry of a life that has ended */
  HOLLOW: 8,
} as const;

/** One of {@linkcode ENTRY}'s values. */
export type EntryKind = typeof ENTRY[keyof typeof ENTRY];

/** Kinds whose body is its proposer's alone: those of no actor's chain. */
export type PlainEntryKind = Exclude<EntryKind, typeof ENTRY.MESSAGE | typeof ENTRY.RETIRE | typeof ENTRY.HOLLOW>;

/** Bytes before an entry's body. */
export const ENTRY_HEADER_BYTES = 12;
/** The largest payload of a message, and the largest body of any other entry, in bytes. */
export const PAYLOAD_BYTES_MAX = 16 * 1024 * 1024;
/** The longest texts of a message, in bytes of UTF-8. */
export const TEXT_BYTES_MAX = { key: 1024, id: 512, type: 256, contentType: 256 } as const;

export const MESSAGE_TEXTS_AT = 56;
/** Bytes of a HOLLOW: fewer than any entry has that it takes the place of. */
export const HOLLOW_BYTES = ENTRY_HEADER_BYTES + 4;
const ENTRY_BYTES_MAX = PAYLOAD_BYTES_MAX + 4096;

/** Bytes from one entry to the next. */
export function strideOf(entryBytes: number): number {
  return (entryBytes + 3) & ~3;
}

/**
 * Offset of the entry after the one at `from`.
 *
 * @returns 0 when no whole entry stands there
 */
export function peekNext(bytes: Uint8Array, from: number): number {
  const total = peekBytes(bytes, from);
  return total === 0 ? 0 : from + strideOf(total);
}

/** Term of the entry at `from`, of which {@linkcode peekNext} has said that it is whole. */
export function peekTerm(bytes: Uint8Array, from: number): number {
  return u32At(bytes, from + 4);
}

/** Kind of the entry at `from`, of which {@linkcode peekNext} has said that it is whole; not checked to be known. */
export function peekKind(bytes: Uint8Array, from: number): number {
  return bytes[from + 8];
}

/** Bytes of the entry at `from` without padding; 0 when no whole entry stands there. */
export function peekBytes(bytes: Uint8Array, from: number): number {
  if (!(from >= 0) || from + ENTRY_HEADER_BYTES > bytes.length) return 0;
  const total = u32At(bytes, from);
  if (total < ENTRY_HEADER_BYTES || total > ENTRY_BYTES_MAX || from + strideOf(total) > bytes.length) return 0;
  return total;
}

/** Writes header and padding of an entry of `total` bytes; the body is left to be written *after* this. */
export function writeHeader(view: DataView, at: number, total: number, term: number, kind: EntryKind): void {
  // a truncated entry may have used the memory before: clear the padding, which lies in the last word
  view.setUint32(at + strideOf(total) - 4, 0, true);
  view.setUint32(at, total, true);
  view.setUint32(at + 4, term, true);
  view.setUint32(at + 8, kind, true);
}

/**
 * Looks at the form of a whole entry: what can be said without knowing the log.
 *
 * @returns what is wrong, or "" when nothing is
 */
export function entryFault(bytes: Uint8Array, view: DataView, at: number): string {
  const total = view.getUint32(at, true);
  const kind = view.getUint32(at + 8, true);
  if (kind < ENTRY.NOOP || kind > ENTRY.HOLLOW) return "unknown kind or flags";
  for (let i = at + total; i < at + strideOf(total); i++) if (bytes[i] !== 0) return "padding is not zero";
  if (kind === ENTRY.MESSAGE) return messageFault(bytes, view, at, total);
  if (kind === ENTRY.RETIRE) {
    const from = at + MESSAGE_TEXTS_AT + view.getUint16(at + 48, true);
    return messageFault(bytes, view, at, total) || tombstoneFault(view, from, at + total);
  }
  if (kind === ENTRY.HOLLOW && total !== HOLLOW_BYTES) return "a hollow entry of another size";
  return total - ENTRY_HEADER_BYTES > PAYLOAD_BYTES_MAX ? "body over its limit" : "";
}

function messageFault(bytes: Uint8Array, view: DataView, at: number, total: number): string {
  if (total < MESSAGE_TEXTS_AT) return "shorter than a message";
  const key = view.getUint16(at + 48, true);
  const id = view.getUint16(at + 50, true);
  const type = view.getUint16(at + 52, true);
  const contentType = view.getUint16(at + 54, true);
  const texts = key + id + type + contentType;
  if (MESSAGE_TEXTS_AT + texts > total) return "texts longer than the message";
  const isRetire = bytes[at + 8] === ENTRY.RETIRE;
  if (key === 0 || (id === 0) !== isRetire) return "no key or no id";
  if (isRetire && type + contentType > 0) return "an end of a life with types";
  if (
    key > TEXT_BYTES_MAX.key || id > TEXT_BYTES_MAX.id || type > TEXT_BYTES_MAX.type ||
    contentType > TEXT_BYTES_MAX.contentType || total - MESSAGE_TEXTS_AT - texts > PAYLOAD_BYTES_MAX
  ) return "a part over its limit";
  if (!Number.isFinite(view.getFloat64(at + 24, true))) return "time is no number";
  let from = at + MESSAGE_TEXTS_AT;
  let bits = 0;
  for (let i = from; i < from + texts; i++) bits |= bytes[i];
  if (bits < 0x80) return "";
  for (const length of [key, id, type, contentType]) {
    if (!isUtf8(bytes.subarray(from, from + length))) return "text is not UTF-8";
    from += length;
  }
  return "";
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    TEXT_DECODER.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

function u32At(bytes: Uint8Array, at: number): number {
  return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
}
