/**
 * What old entries cost: a history of real HL7 text, packed; and the history of one actor with 1,000 events, read with
 * nothing in the cache.
 */
import { ShardStore, SlabRoom } from "../../runtime/storage/mod.ts";
import { zstdPacker } from "../../runtime/world/mod.ts";
import type { Report } from "./report.ts";

const MESSAGES = new URL("../../../shared/data/simhospital/messages.out", import.meta.url);
const SHARDS = 4;
const ROUNDS = 16;
const CACHE_BYTES = 32 * 1024 * 1024;
const LONG_KEY = "patient/SIM/long";

/** The messages of a file of HL7 text, each with its patient; null where the file is not there. */
export function hl7Messages(url: URL = MESSAGES): { patient: string; payload: Uint8Array }[] | null {
  let text: string;
  try {
    text = Deno.readTextFileSync(url);
  } catch {
    return null;
  }
  return text.split(/(?=MSH\|)/).filter((one) => one.startsWith("MSH")).map((one) => ({
    patient: /PID\|[^|]*\|[^|]*\|([^|^]*)/.exec(one)?.[1] ?? "none",
    payload: new TextEncoder().encode(one.trimEnd()),
  }));
}

/** Packs and reads; says how much and how long. */
export function sealedHistory(report: Report): void {
  const messages = hl7Messages();
  if (messages === null) {
    console.log("sealed history: skipped, as there is no HL7 text at shared/data beside the tree");
    return;
  }
  const stores = Array.from({ length: SHARDS }, () => new ShardStore());
  const contentType = "x-application/hl7-v2+er7";
  let rawBytes = 0;
  let number = 0;
  const append = (store: ShardStore, key: string, payload: Uint8Array) => {
    store.appendMessage(1, {
      key,
      id: `SIM-${number++}`,
      type: "ORU^R01",
      contentType,
      atMs: 1.7e12 + number,
      payload,
    });
    rawBytes += payload.length;
  };
  // Other patients each round, with other numbers: the same text again would pack far too well. The long history
  // is spread over all of its shard.
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, { patient, payload }] of messages.entries()) {
      append(stores[i % SHARDS], `patient/SIM/${round}-${patient}`, renumbered(payload, round));
      if (i % 16 === 0) append(stores[0], LONG_KEY, renumbered(payload, round + 100));
    }
  }
  const entryBytes = stores.reduce((sum, store) => sum + store.bytes, 0);
  const before = stores.reduce((sum, store) => sum + store.heldBytes, 0);
  const room = new SlabRoom({ packer: zstdPacker, cacheBytesMax: CACHE_BYTES });
  let longestMs = 0;
  let spentMs = 0;
  for (const store of stores) {
    for (let done = 1; done > 0;) {
      const startedMs = performance.now();
      done = store.sealSome(store.lastIndex, { bytesMax: 1, room });
      const ms = performance.now() - startedMs;
      longestMs = Math.max(longestMs, ms);
      spentMs += ms;
    }
  }
  const sealed = stores.reduce((sum, store) => sum + store.sealedHeldBytes, 0);
  const sealedRaw = stores.reduce((sum, store) => sum + store.sealedRawBytes, 0);
  const after = stores.reduce((sum, store) => sum + store.heldBytes, 0);
  report.bytes("HL7 text, raw, a message", rawBytes / number);
  report.bytes("the same as entries", entryBytes / number);
  report.ratio("packed entries, of their size before", sealed / sealedRaw);
  report.ratio("all memory before (tables, open segments), of the raw text", before / rawBytes);
  report.ratio("all memory after, of the raw text", after / rawBytes);
  report.ms("sealing 1 MiB", spentMs / sealedRaw * (1 << 20));
  report.ms("longest slice", longestMs);
  // the code is warm, its data are not
  for (let row = 0; row < stores[1].rowCount; row++) {
    for (const index of stores[1].history(stores[1].rowKey(row), 0, 1000)) stores[1].message(index);
  }
  const startedMs = performance.now();
  let read = 0;
  for (const index of stores[0].history(LONG_KEY, 0, 1000)) read += stores[0].message(index).payload.length;
  report.ms("history of 1,000 events, cold", performance.now() - startedMs);
  if (read === 0) throw new Error("unreachable");
}

/** The text with each digit replaced by another, always the same: another patient's numbers, as alike as they were. */
function renumbered(payload: Uint8Array, round: number): Uint8Array {
  const factor = [1, 3, 7, 9][round & 3];
  return payload.map((byte) => byte < 0x30 || byte > 0x39 ? byte : 0x30 + ((byte - 0x30) * factor + (round >> 2)) % 10);
}
