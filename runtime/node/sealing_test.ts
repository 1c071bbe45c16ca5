import assert from "node:assert/strict";
import { ShardStore } from "../storage/mod.ts";
import { SeededRandom, SimulatedTime, simulatedWorld } from "../world/mod.ts";
import type { NodeCore } from "./core.ts";
import { Sealing } from "./sealing.ts";

const FROM_BYTES = 500_000;

function archive(commit: number) {
  const time = new SimulatedTime();
  const stores = new Map([3, 700].map((shard) => [shard, new ShardStore()]));
  const core = {
    world: simulatedWorld({ time, random: new SeededRandom(1) }),
    config: {
      sealing: { everyMs: 50, fromBytes: FROM_BYTES, sliceBytesMax: 100_000, withinMs: 5000, cacheBytesMax: 100_000 },
    },
    replication: { store: (shard: number) => stores.get(shard) ?? null, commitIndex: () => commit },
  } as unknown as NodeCore;
  const sealing = new Sealing({ core });
  sealing.start();
  const say = (shard: number, messages: number) => {
    const payload = new Uint8Array(1000);
    const store = stores.get(shard)!;
    for (let i = 0; i < messages; i++) {
      const id = String(store.lastIndex);
      store.appendMessage(1, { key: `p/H/${i % 7}`, id, type: "", contentType: "", atMs: 0, payload });
    }
  };
  const all = [...stores.values()];
  const sum = (of: (store: ShardStore) => number) => all.reduce((total, store) => total + of(store), 0);
  return { time, sealing, say, sealed: () => sum((s) => s.sealedRawBytes), bytes: () => sum((s) => s.bytes) };
}

Deno.test("sealing: little is left alone, and of much the excess is packed in time, a slice a turn", () => {
  const { time, sealing, say, sealed, bytes } = archive(Infinity);
  say(3, 400);
  time.runUntil(10_000);
  assert.equal(sealed(), 0, "less than it begins from");
  say(700, 2000);
  say(3, 200);
  let before = 0;
  for (let atMs = 10_050; atMs <= 40_000; atMs += 50) {
    time.runUntil(atMs);
    assert.ok(sealed() - before <= 100_000 + 200_000, "a slice, and the rest of its last segment");
    before = sealed();
  }
  assert.ok(bytes() - sealed() <= FROM_BYTES, "the excess is packed");
  const { value } = sealing.samples().find(({ name }) => name === "sealed_raw_bytes")!;
  assert.equal(value, sealed());
  sealing.stop();
  say(700, 3000);
  time.runUntil(80_000);
  assert.equal(sealed(), before, "who has stopped packs nothing");
});

Deno.test("sealing: what is not committed is not packed", () => {
  const { time, say, sealed } = archive(100);
  say(3, 3000);
  time.runUntil(60_000);
  assert.ok(sealed() <= 100 * 1100);
});
