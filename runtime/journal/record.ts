/**
 * How a record of the journal looks as bytes. Little-endian; whole records follow each other without gaps.
 *
 *      0 u8 kind · u8 flags · u16 shard          20 u32 commit index that the copy knew
 *      4 u32 bytes of the body, a multiple of 4  24 u32 checksum of the body
 *      8 u32 generation                          28 u32 checksum of the header before this
 *     12 u32 number of this shard's record       32 the body
 *     16 u32 index of the first entry
 *
 * The header has a checksum of its own, so that a body which is damaged can be stepped over: its length is known to be
 * true, and whose it was. The header's checksum is seeded with the file's number and the record's offset, so bytes that
 * stood elsewhere, or in an earlier file, are no record here. Records of a shard are numbered: one that is missing is
 * noticed by the next.
 */
import { hash32, mix32 } from "../base/mod.ts";

/** What a record says; the numbers never change their meaning. */
export const RECORD = {
  /** whose journal this is; first in every file, and whenever it changes */
  NODE: 1,
  /** a copy begins, empty */
  BEGIN: 2,
  /** entries from `first` on take the place of whatever stood there and behind; none: those are taken back */
  APPEND: 3,
  /** the copy goes on as part of `generation` */
  ADOPT: 4,
  /** the copy has left this node, as its writer allowed */
  DROP: 5,
  /** entries of the copy once more, so that an old file can go; from 1 on, and nothing counts before the end */
  REWRITE: 6,
  /** the copy is what was rewritten */
  REWRITTEN: 7,
} as const;

/** Of a REWRITTEN: something had been lost of the copy, to damage. */
export const FLAG_DAMAGED = 1;

/** Bytes before a record's body. */
export const RECORD_HEADER_BYTES = 32;
/** The largest body: a chunk of entries, and one entry of the largest size. */
export const RECORD_BODY_BYTES_MAX: number = 18 * 1024 * 1024;

/** A record's header, decoded; or what is to become one. */
export interface RecordHeader {
  kind: number;
  flags: number;
  shard: number;
  bodyBytes: number;
  generation: number;
  number: number;
  first: number;
  commit: number;
}

/** Where a record stands: its header is bound to it. */
export interface RecordPlace {
  file: number;
  offset: number;
}

/** Lays a header out at `at`; the body stands behind it already. */
export function writeRecordHeader(bytes: Uint8Array, at: number, header: RecordHeader, place: RecordPlace): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setUint8(at, header.kind);
  view.setUint8(at + 1, header.flags);
  view.setUint16(at + 2, header.shard, true);
  view.setUint32(at + 4, header.bodyBytes, true);
  view.setUint32(at + 8, header.generation, true);
  view.setUint32(at + 12, header.number, true);
  view.setUint32(at + 16, header.first, true);
  view.setUint32(at + 20, header.commit, true);
  const body = at + RECORD_HEADER_BYTES;
  view.setUint32(at + 24, hash32(bytes, 0x6a6f7572, body, body + header.bodyBytes), true);
  view.setUint32(at + 28, headerCheck(bytes, at, place), true);
}

/** The header at `at`; null when none stands there. */
export function readRecordHeader(bytes: Uint8Array, at: number, place: RecordPlace): RecordHeader | null {
  if (at + RECORD_HEADER_BYTES > bytes.length) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (view.getUint32(at + 28, true) !== headerCheck(bytes, at, place)) return null;
  const header = {
    kind: view.getUint8(at),
    flags: view.getUint8(at + 1),
    shard: view.getUint16(at + 2, true),
    bodyBytes: view.getUint32(at + 4, true),
    generation: view.getUint32(at + 8, true),
    number: view.getUint32(at + 12, true),
    first: view.getUint32(at + 16, true),
    commit: view.getUint32(at + 20, true),
  };
  const isKnown = header.kind >= RECORD.NODE && header.kind <= RECORD.REWRITTEN;
  return isKnown && header.bodyBytes % 4 === 0 && header.bodyBytes <= RECORD_BODY_BYTES_MAX ? header : null;
}

/** True when the body behind a good header is whole and what was written. */
export function isBodyGood(bytes: Uint8Array, at: number, { bodyBytes }: RecordHeader): boolean {
  const body = at + RECORD_HEADER_BYTES;
  if (body + bodyBytes > bytes.length) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return view.getUint32(at + 24, true) === hash32(bytes, 0x6a6f7572, body, body + bodyBytes);
}

function headerCheck(bytes: Uint8Array, at: number, { file, offset }: RecordPlace): number {
  return hash32(bytes, mix32(file * 0x9e3779b1 ^ offset), at, at + 28);
}
