/**
 * What recording costs where it happens: 10,000 actors in 1,024 small shards, as a node has them, so that nearly every
 * step misses the processor's nearest caches. One big store looks twice as fast as this.
 */
import { ShardStore } from "../../runtime/storage/mod.ts";
import type { Report } from "./report.ts";

const SHARDS = 1024;
const ACTORS = 10_000;
/** entries of one shard that a follower is given at once, where the writer is busy */
const RUN = 8;

/** The part of a store that is timed; another version of the room can be handed in, to compare. */
export type StoreClass = new () => Pick<
  ShardStore,
  "appendMessage" | "findMessage" | "actorRow" | "rowSeq" | "appendRaw" | "copyRange" | "lastIndex" | "heldBytes"
>;

/** Times appends and lookups, `messages` of each; says so when `last`. */
export function manyShards(messages: number, report: Report, Store: StoreClass = ShardStore): void {
  const payload = new Uint8Array(300).map((_, i) => i * 31);
  const keys = Array.from({ length: ACTORS }, (_, i) => flat(`patient/HOSPX/${1_000_000 + i}`));
  // ids are made beforehand: a gateway has them already when it asks the store
  const ids = Array.from({ length: messages }, (_, i) => flat(`HOSPX-${i.toString(36).padStart(10, "0")}`));
  const shardOf = (actor: number) => Math.imul(actor, 0x9e3779b1) >>> 22;
  const actorOf = (i: number) => i * 7919 % ACTORS;
  const message = { key: "", id: "", type: "ADT^A01", contentType: "x-application/hl7-v2+er7", atMs: 1.7e12, payload };
  const stores = () => Array.from({ length: SHARDS }, () => new Store());

  const writers = stores();
  report.start();
  for (let i = 0; i < messages; i++) {
    const actor = actorOf(i);
    message.key = keys[actor];
    message.id = ids[i];
    const writer = writers[shardOf(actor)];
    if (writer.findMessage(message.key, message.id) === 0) writer.appendMessage(1, message);
  }
  report.each("writer: id looked for, message appended", messages);

  report.start();
  let seen = 0;
  for (let i = 0; i < messages; i++) {
    const actor = actorOf(i);
    const writer = writers[shardOf(actor)];
    seen += writer.rowSeq(writer.actorRow(keys[actor]));
  }
  report.each("last seq of an actor, by key", messages);

  report.start();
  for (let i = 0; i < messages; i++) seen += writers[shardOf(actorOf(i))].findMessage(keys[actorOf(i)], ids[i]);
  report.each("find by id (hit)", messages);
  if (seen === 0) throw new Error("unreachable");

  for (const run of [1, RUN]) {
    const followers = stores();
    const nexts = new Uint32Array(SHARDS).fill(1);
    const runs: { shard: number; bytes: Uint8Array; count: number }[] = [];
    for (let copied = 0; copied < messages;) {
      for (let shard = 0; shard < SHARDS; shard++) {
        const first = nexts[shard];
        const last = Math.min(writers[shard].lastIndex, first + run - 1);
        if (first > last) continue;
        runs.push({ shard, bytes: writers[shard].copyRange(first, Infinity, last).bytes, count: last - first + 1 });
        copied += last - first + 1;
        nexts[shard] = last + 1;
      }
    }
    report.start();
    for (const { shard, bytes, count } of runs) {
      const follower = followers[shard];
      if (follower instanceof ShardStore) follower.appendRawMany(bytes, 0, count);
      else for (let at = 0; at < bytes.length;) at = follower.appendRaw(bytes, at).next;
    }
    report.each(`follower: append with all checks, ${run} at a time`, messages);
    if (followers.some((follower, shard) => follower.lastIndex !== writers[shard].lastIndex)) throw new Error("short");
  }
  const held = writers.reduce((sum, writer) => sum + writer.heldBytes, 0);
  report.bytes("held per message", held / messages);
}

/** A text as it comes off a wire: in one piece, where V8 else keeps the parts of which it was made. */
function flat(text: string): string {
  return new TextDecoder().decode(new TextEncoder().encode(text));
}
