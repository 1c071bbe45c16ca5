/**
 * What does recording cost, before any network? Nanoseconds per call of the storage room, for messages of 300 bytes
 * spread over 10,000 actors, and the bytes that its tables add.
 *
 *     deno run --v8-flags=--expose-gc bench/storage_bench.ts [messages, default 1000000]
 */
import { ShardStore } from "../runtime/storage/mod.ts";

const MESSAGES = Number(Deno.args[0] ?? 1_000_000);
const ACTORS = 10_000;
const ROUNDS = 3;

const payload = new Uint8Array(300).map((_, i) => i * 31);
const keys = Array.from({ length: ACTORS }, (_, i) => `patient/HOSPX/${1_000_000 + i}`);
// ids are made beforehand: a gateway has them already when it asks the store
const ids = Array.from({ length: MESSAGES }, (_, i) => `HOSPX-${i.toString(36).padStart(10, "0")}`);

function report(what: string, calls: number, startedMs: number): void {
  const ns = (performance.now() - startedMs) * 1e6 / calls;
  console.log(`${what.padEnd(46)} ${ns.toFixed(0).padStart(6)} ns`);
}

function round(last: boolean): void {
  const say: typeof report = last ? report : () => {};
  const message = { key: "", id: "", type: "ADT^A01", contentType: "x-application/hl7-v2+er7", atMs: 1.7e12, payload };
  const writer = new ShardStore();
  let longestMs = 0;
  let start = performance.now();
  for (let i = 0; i < MESSAGES; i++) {
    message.key = keys[i * 7919 % ACTORS];
    message.id = ids[i];
    const { index } = writer.appendMessage(1, message);
    if ((index & 1023) === 0 && last) longestMs = Math.max(longestMs, stepMs());
  }
  say("appendMessage", MESSAGES, start);

  const deduplicating = new ShardStore();
  start = performance.now();
  for (let i = 0; i < MESSAGES; i++) {
    message.key = keys[i * 7919 % ACTORS];
    message.id = ids[i];
    if (deduplicating.findMessage(message.key, message.id) === 0) deduplicating.appendMessage(1, message);
  }
  say("findMessage (miss) + appendMessage", MESSAGES, start);

  for (const verifyDigests of [true, false]) {
    const follower = new ShardStore({ verifyDigests });
    let spentMs = 0;
    for (let first = 1; first <= MESSAGES;) {
      const range = writer.copyRange(first, 65536);
      start = performance.now();
      for (let at = 0; at < range.bytes.length;) at = follower.appendRaw(range.bytes, at).next;
      spentMs += performance.now() - start;
      first = range.last + 1;
    }
    say(`appendRaw, verifyDigests ${verifyDigests}`, MESSAGES, performance.now() - spentMs);
  }

  start = performance.now();
  for (let first = 1; first <= MESSAGES;) first = writer.copyRange(first, 65536).last + 1;
  say("copyRange of 64 KiB, per message", MESSAGES, start);

  start = performance.now();
  for (let i = 0; i < MESSAGES; i++) writer.findMessage(keys[i * 7919 % ACTORS], ids[i]);
  say("findMessage (hit)", MESSAGES, start);

  start = performance.now();
  let read = 0;
  for (let a = 0; a < ACTORS; a += 10) read += writer.history(keys[a], 0, 1000).length;
  say("history, per message", read, start);

  start = performance.now();
  for (let i = 1; i <= 100_000; i++) writer.message(i);
  say("message (decoded whole)", 100_000, start);

  start = performance.now();
  for (let i = 1; i <= 100_000; i++) writer.rowOf(i);
  say("rowOf", 100_000, start);

  const perMessage = writer.heldBytes / MESSAGES;
  start = performance.now();
  writer.truncateFrom(MESSAGES - 99_999);
  say("truncateFrom, per message", 100_000, start);
  if (!last) return;
  console.log(`${"slowest 1,024 appends".padEnd(46)} ${longestMs.toFixed(1).padStart(6)} ms`);
  console.log(`${"memory held per message".padEnd(46)} ${perMessage.toFixed(0).padStart(6)} bytes`);
  const collect = (globalThis as { gc?: () => void }).gc;
  if (collect === undefined) return;
  collect();
  const before = Deno.memoryUsage().heapUsed;
  const empty = Array.from({ length: 1024 }, () => new ShardStore());
  collect();
  const bytes = (Deno.memoryUsage().heapUsed - before) / empty.length;
  console.log(`${"an empty store".padEnd(46)} ${bytes.toFixed(0).padStart(6)} bytes`);
}

let steppedMs = performance.now();
function stepMs(): number {
  const nowMs = performance.now();
  const ms = nowMs - steppedMs;
  steppedMs = nowMs;
  return ms;
}

for (let i = 1; i <= ROUNDS; i++) {
  stepMs();
  round(i === ROUNDS);
}
