import { assert, type Digest64 } from "../base/mod.ts";
import { ENTRY, ENTRY_HEADER_BYTES, type EntryKind } from "./entry.ts";
import * as field from "./message_fields.ts";
import type { Segment } from "./segment.ts";
import { SegmentLog } from "./segment_log.ts";
import { TombstoneView } from "./tombstone.ts";

/** A message as its sender gave it, with the time at which the writer took it. */
export interface NewMessage {
  /** canonical text of the actor's key, 1 to 1,024 bytes */
  key: string;
  /** 1 to 512 bytes, new to the actor: whoever appends has asked `findMessage` before */
  id: string;
  /** at most 256 bytes */
  type: string;
  /** at most 256 bytes */
  contentType: string;
  /** wall-clock time of the writer */
  atMs: number;
  /** at most 16 MiB; copied */
  payload: Uint8Array;
}

/** A message in the log. */
export interface StoredMessage extends NewMessage {
  /** log index */
  index: number;
  /** of the writer that appended it */
  term: number;
  /** place in the actor's history, from 1 */
  seq: number;
  /** of the payload */
  digest: Digest64;
  /** of the actor's history up to here */
  chain: Digest64;
  /** log index of the actor's message before, 0 = none */
  previous: number;
}

/**
 * What can be asked about entries by their index, none of it more than a few reads from memory: the half of a
 * {@linkcode ShardStore} that needs no table. An index that is asked for must stand in the log (and be a message's,
 * where a message's field is asked for); anything else is the caller's bug and asserts.
 */
export abstract class EntryReader {
  /** @ignore the entries: for the store that extends this */
  protected readonly log: SegmentLog = new SegmentLog();

  /** index of the last entry, 0 = none */
  get lastIndex(): number {
    return this.log.lastIndex;
  }

  /** bytes of all entries, padding included: the same in every copy of the log */
  get bytes(): number {
    return this.log.bytes;
  }

  /**
   * Copies whole entries, from `first` on, up to index `last` and `bytesMax` bytes, but at least one.
   *
   * @returns the entries' bytes for `appendRaw`, and the index of the last one
   */
  copyRange(first: number, bytesMax: number, last: number = this.lastIndex): { bytes: Uint8Array; last: number } {
    return this.log.copyRange(first, bytesMax, last);
  }

  /** As {@linkcode copyRange}, for who is done with the bytes before the log is touched: mostly a view, not a copy. */
  viewRange(first: number, bytesMax: number, last: number = this.lastIndex): { bytes: Uint8Array; last: number } {
    return this.log.viewRange(first, bytesMax, last);
  }

  /** term of entry `index`; 0 for index 0, where every log agrees */
  termAt(index: number): number {
    if (index === 0) return 0;
    const { view } = this.log.segmentOf(index);
    return view.getUint32(this.log.at + 4, true);
  }

  /** kind of entry `index` */
  kindAt(index: number): EntryKind {
    const { bytes } = this.log.segmentOf(index);
    return bytes[this.log.at + 8] as EntryKind;
  }

  /** a view of the body of entry `index` */
  body(index: number): Uint8Array {
    const segment = this.log.segmentOf(index);
    const { at } = this.log;
    return segment.bytes.subarray(at + ENTRY_HEADER_BYTES, at + segment.view.getUint32(at, true));
  }

  /** The message at `index`, decoded; its payload is a view. For one field there is a cheaper question. */
  message(index: number): StoredMessage {
    const segment = this.messageSegment(index);
    const { at } = this.log;
    return {
      index,
      term: segment.view.getUint32(at + 4, true),
      key: field.keyText(segment, at),
      id: field.idText(segment, at),
      type: field.typeText(segment, at),
      contentType: field.contentTypeText(segment, at),
      atMs: field.atMsAt(segment, at),
      seq: field.seqAt(segment, at),
      digest: field.digestAt(segment, at),
      chain: field.chainAt(segment, at),
      payload: segment.bytes.subarray(field.payloadFrom(segment, at), field.payloadTo(segment, at)),
      previous: field.previousAt(segment, at),
    };
  }

  /** seq of the message at `index`; of a RETIRE, the last seq of the life that it ends */
  seqOf(index: number): number {
    const segment = this.linkSegment(index);
    return field.seqAt(segment, this.log.at);
  }

  /** what stands in the same actor's chain before the MESSAGE or RETIRE at `index`, 0 = nothing; it may be hollow */
  previousOf(index: number): number {
    const segment = this.linkSegment(index);
    return field.previousAt(segment, this.log.at);
  }

  /** key of the actor of the MESSAGE or RETIRE at `index` */
  keyOf(index: number): string {
    const segment = this.linkSegment(index);
    return field.keyText(segment, this.log.at);
  }

  /** when the MESSAGE or RETIRE at `index` was appended, by its writer's clock; never goes back within a log */
  atMsOf(index: number): number {
    const segment = this.linkSegment(index);
    return field.atMsAt(segment, this.log.at);
  }

  /** id of the message at `index` */
  idOf(index: number): string {
    const segment = this.messageSegment(index);
    return field.idText(segment, this.log.at);
  }

  /** digest of the payload of the message at `index` */
  digestOf(index: number): Digest64 {
    const segment = this.messageSegment(index);
    return field.digestAt(segment, this.log.at);
  }

  /** digest of the actor's history up to the MESSAGE or RETIRE at `index`, former lives included */
  chainOf(index: number): Digest64 {
    const segment = this.linkSegment(index);
    return field.chainAt(segment, this.log.at);
  }

  /** log index of the RETIRE that ended the life of which the hollow entry at `index` was a part */
  freedBy(index: number): number {
    const segment = this.log.segmentOf(index);
    const { at } = this.log;
    assert(segment.bytes[at + 8] === ENTRY.HOLLOW, "what is read as hollow is");
    return segment.view.getUint32(at + ENTRY_HEADER_BYTES, true);
  }

  /** @ignore Where the message at `index` is; asserts that it is one. */
  protected messageSegment(index: number): Segment {
    const segment = this.log.segmentOf(index);
    assert(segment.bytes[this.log.at + 8] === ENTRY.MESSAGE, "what is read as a message is one");
    return segment;
  }

  /** @ignore Where the link of an actor's chain at `index` is; asserts that it is one. */
  protected linkSegment(index: number): Segment {
    const segment = this.log.segmentOf(index);
    const kind = segment.bytes[this.log.at + 8];
    assert(kind === ENTRY.MESSAGE || kind === ENTRY.RETIRE, "what is read as a link of a chain is one");
    return segment;
  }

  /** @ignore The tombstone in the RETIRE at `index`. */
  protected tombstoneOf(index: number): TombstoneView {
    const segment = this.linkSegment(index);
    const { at } = this.log;
    return new TombstoneView(segment, field.payloadFrom(segment, at), field.payloadTo(segment, at));
  }
}
