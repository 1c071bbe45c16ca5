/**
 * 10 million events and a million actors on one node: how much memory, how long the thread stands still while messages
 * come in at 20,000 a second, and how long a node takes that begins to write for 100,000 actors.
 */
import { cpuUsage } from "node:process";
import { ShardMarks } from "../../runtime/actors/shard_marks.ts";
import { ShardStore, SlabRoom } from "../../runtime/storage/mod.ts";
import { zstdPacker } from "../../runtime/world/mod.ts";
import { hl7Messages } from "./sealed_history.ts";
import type { Report } from "./report.ts";

const SHARDS = 1024;
/** messages between two turns of the event loop: 5 ms of 20,000 a second */
const TURN = 100;

/** Fills stores, `events` over `actors`, sealing as a node does. */
export function much(events: number, actors: number, report: Report): void {
  const texts = hl7Messages()?.map(({ payload }) => payload.subarray(0, 300)) ?? [new Uint8Array(300).fill(65)];
  const stores = Array.from({ length: SHARDS }, () => new ShardStore());
  const room = new SlabRoom({ packer: zstdPacker, cacheBytesMax: 32 * 1024 * 1024 });
  const message = {
    key: "",
    id: "",
    type: "ADT^A01",
    contentType: "x-application/hl7-v2+er7",
    atMs: 1.7e12,
    payload: texts[0],
  };
  const rssBefore = Deno.memoryUsage().rss;
  let longestMs = 0;
  let longestCpuMs = 0;
  let over20 = 0;
  let cpu = cpuUsage();
  let startedMs = performance.now();
  let shard = 0;
  let actorsBytes = 0;
  for (let i = 0; i < events; i++) {
    const actor = i % actors;
    message.key = `patient/HOSPX/${1_000_000 + actor}`;
    message.id = `HOSPX-${i.toString(36)}`;
    message.payload = texts[i % texts.length];
    message.atMs = 1.7e12 + i / 20;
    stores[Math.imul(actor, 0x9e3779b1) >>> 22].appendMessage(1, message);
    if (i === actors - 1) actorsBytes = stores.reduce((sum, store) => sum + store.tableBytes, 0);
    if (i % TURN !== 0) continue;
    const store = stores[shard++ % SHARDS];
    store.sealSome(store.lastIndex, { bytesMax: 1, room });
    const ms = performance.now() - startedMs;
    startedMs += ms;
    // what another process was given the processor for is none of ours
    const { user, system } = cpuUsage(cpu);
    cpu = cpuUsage();
    const cpuMs = Math.min(ms, (user + system) / 1000);
    longestMs = Math.max(longestMs, ms);
    longestCpuMs = Math.max(longestCpuMs, cpuMs);
    if (cpuMs > 20) over20++;
  }
  const sum = (of: (store: ShardStore) => number) => stores.reduce((total, store) => total + of(store), 0);
  report.bytes("entries, an event", sum((store) => store.bytes) / events);
  report.bytes("memory held, an event", sum((store) => store.heldBytes) / events);
  report.bytes("resident, an event", (Deno.memoryUsage().rss - rssBefore) / events);
  report.bytes("tables of one message each, an actor", actorsBytes / actors);
  report.ratio("packed, of what it was", sum((store) => store.sealedHeldBytes) / sum((store) => store.sealedRawBytes));
  report.ms("longest turn of 100 messages and a slice of sealing", longestMs);
  report.ms("the same by the processor", longestCpuMs);
  report.ratio("turns over 20 ms of processor, of 1,000", over20 * 1000 * TURN / events);
  // what a writer reads off the log of 100,000 actors: how far each is, and whether it lives
  let rows = 0;
  startedMs = performance.now();
  for (const store of stores) {
    if (rows >= 100_000) break;
    const marks = new ShardMarks(store);
    marks.apply({ plugin: "p", key: "", seq: store.lastIndex, hash: "", state: "ok" } as never);
    for (let row = 0; row < store.rowCount; row++, rows++) store.isRetired(row);
  }
  report.ms(`a start read off the log, ${rows} actors`, performance.now() - startedMs);
}
