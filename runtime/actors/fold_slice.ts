import type { ShardStore } from "../storage/mod.ts";
import type { FoldMessage } from "./fold.ts";

/** What {@linkcode sliceOf} takes from a history. */
export interface Slice {
  /** canonical key of the actor */
  key: string;
  /** the seq before the first */
  after: number;
  /** the last seq at most; committed */
  to: number;
  /** payload bytes at most; the first message is taken whatever its size */
  bytesMax: number;
  /** nothing behind this log index counts: what is applied */
  upTo: number;
}

/** Messages of a history as a host gets them, in order; payloads are views of the log. Empty when `to` <= `after`. */
export function sliceOf(store: ShardStore, { key, after, to, bytesMax, upTo }: Slice): FoldMessage[] {
  const messages: FoldMessage[] = [];
  let bytes = 0;
  for (const index of store.history(key, after, Math.max(0, to - after), upTo)) {
    const { id, seq, atMs, type, contentType, payload } = store.message(index);
    bytes += payload.length;
    if (messages.length > 0 && bytes > bytesMax) break;
    messages.push({ id, seq, atMs, type, contentType, payload });
  }
  return messages;
}
