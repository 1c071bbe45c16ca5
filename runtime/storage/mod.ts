/**
 * Storage: one shard's event log and the tables that find things in it, in bytes outside the V8 heap.
 *
 * Think of a paper ledger. Entries are only ever written on the next free line (segments); every line about an actor
 * names the page of the actor's line before (chained histories); two card boxes at the side find an actor's last line
 * and the line of a message id, and hold nothing but line numbers. A copy of the ledger is made by copying lines.
 *
 * There is no JavaScript object per entry or actor, so ten million events cost the garbage collector nothing; the
 * price is about 20 bytes of tables per message and 29 per actor. An actor's life may end: a RETIRE entry says so, and
 * once it is committed every copy frees the life's messages, down to 20 bytes each (the index and the term must stay, so
 * that a log can be copied from its first entry). Its row and its tombstone stay for good. Nothing else is ever freed: a
 * log that is to outgrow memory needs something else beside it. Synchronous and pure: no clock, no chance, no I/O.
 *
 * Window of de-duplication: an id is known as long as its actor lives, and after that until 30 days after it was
 * recorded. Later a message of the same id counts as new.
 *
 * The layout of an entry is told in entry.ts, the tables' in hash_index.ts, the memory's in segment_log.ts, the end of a
 * life's in tombstone.ts and freeing.ts.
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
  type PlainEntryKind,
  TEXT_BYTES_MAX,
} from "./entry.ts";
export { EntryReader, type NewMessage, type StoredMessage } from "./entry_reader.ts";
export type { Recorded } from "./actor_reader.ts";
export { ID_WINDOW_MS, TOMBSTONE_IDS_MAX } from "./tombstone.ts";
export { SlabRoom, type SlabRoomOptions } from "./slab_room.ts";
export { type Appended, ShardStore, type ShardStoreOptions } from "./shard_store.ts";

export type { Digest64 } from "../base/mod.ts";
