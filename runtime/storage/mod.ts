/**
 * Storage: one shard's event log and the tables that find things in it, in bytes outside the V8 heap.
 *
 * Think of a paper ledger. Entries are only ever written on the next free line (segments); every line about an actor
 * names the page of the actor's line before (chained histories); two card boxes at the side find an actor's last line
 * and the line of a message id, and hold nothing but line numbers. A copy of the ledger is made by copying lines.
 *
 * There is no JavaScript object per entry or actor, so ten million events cost the garbage collector nothing; the
 * price is about 20 bytes of tables per message and 25 per actor, and that nothing is freed but by truncation: a log
 * that is to outgrow memory needs something else beside it. Synchronous and pure: no clock, no chance, no I/O.
 * The layout of an entry is told in entry.ts, the tables' in hash_index.ts, the memory's in segment_log.ts.
 *
 * @module
 */
export {
  ENTRY,
  ENTRY_HEADER_BYTES,
  type EntryKind,
  PAYLOAD_BYTES_MAX,
  peekKind,
  peekNext,
  peekTerm,
  TEXT_BYTES_MAX,
} from "./entry.ts";
export { EntryReader, type NewMessage, type StoredMessage } from "./entry_reader.ts";
export { type Appended, ShardStore, type ShardStoreOptions } from "./shard_store.ts";

export type { Digest64 } from "../base/mod.ts";
