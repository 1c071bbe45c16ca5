import assert from "node:assert/strict";
import { mintId, mintIncarnation, type World } from "./world.ts";

/** A world under test, and a way to let its time pass. */
export interface WorldUnderTest {
  world: World;
  /** returns once at least `ms` have passed in the world and everything due has run */
  pass(ms: number): Promise<void>;
}

/** What every world must do; both implementations run it. */
export function worldConformance(name: string, make: () => WorldUnderTest): void {
  Deno.test(`${name}: clocks go forward, and apart from each other`, async () => {
    const { world, pass } = make();
    const [mono, wall] = [world.nowMonoMs(), world.nowWallMs()];
    await pass(20);
    assert.ok(world.nowMonoMs() >= mono + 20);
    assert.ok(world.nowWallMs() >= wall);
    assert.ok(Number.isInteger(world.nowWallMs()), "wall time is whole milliseconds");
  });

  Deno.test(`${name}: a timer runs once, not early, and not within the turn`, async () => {
    const { world, pass } = make();
    const begunMs = world.nowMonoMs();
    const ranAtMs: number[] = [];
    world.after(10, () => ranAtMs.push(world.nowMonoMs()));
    world.after(0, () => ranAtMs.push(world.nowMonoMs()));
    assert.equal(ranAtMs.length, 0);
    await pass(40);
    assert.equal(ranAtMs.length, 2);
    assert.ok(ranAtMs[1] - begunMs >= 9, "timers may be late, never early");
    await pass(40);
    assert.equal(ranAtMs.length, 2);
  });

  Deno.test(`${name}: timers of one moment run in the order in which they were set`, async () => {
    const { world, pass } = make();
    const order: number[] = [];
    for (let i = 0; i < 20; i++) world.after(5, () => order.push(i));
    await pass(30);
    assert.deepEqual(order, Array.from({ length: 20 }, (_, i) => i));
  });

  Deno.test(`${name}: a cancelled timer never runs; cancelling twice, or after, is nothing`, async () => {
    const { world, pass } = make();
    let ran = 0;
    const cancelled = world.after(5, () => ran++);
    const kept = world.after(5, () => ran++);
    cancelled.cancel();
    cancelled.cancel();
    await pass(30);
    kept.cancel();
    assert.equal(ran, 1);
  });

  Deno.test(`${name}: what is put off runs after this turn and before any timer`, async () => {
    const { world, pass } = make();
    const order: string[] = [];
    world.after(0, () => order.push("timer"));
    world.soon(() => {
      order.push("soon");
      world.soon(() => order.push("sooner still"));
    });
    order.push("now");
    await pass(20);
    assert.deepEqual(order, ["now", "soon", "sooner still", "timer"]);
  });

  Deno.test(`${name}: what is put off to later runs once, after this turn and all that it has put off`, async () => {
    const { world, pass } = make();
    const order: string[] = [];
    world.later(() => order.push("later"));
    world.soon(() => {
      order.push("soon");
      world.soon(() => order.push("sooner still"));
    });
    order.push("now");
    await pass(20);
    assert.deepEqual(order, ["now", "soon", "sooner still", "later"]);
  });

  Deno.test(`${name}: chance is within its bounds and does not repeat itself`, () => {
    const { world } = make();
    const seen = new Set<number>();
    for (let i = 0; i < 1000; i++) {
      const x = world.random();
      assert.ok(x >= 0 && x < 1);
      seen.add(x);
    }
    assert.ok(seen.size > 990);
    assert.equal(world.randomBytes(17).length, 17);
    const ids = new Set(Array.from({ length: 1000 }, () => mintId(world)));
    assert.equal(ids.size, 1000);
    for (const id of ids) assert.match(id, /^[0-9a-f]{16}$/);
    for (let i = 0; i < 1000; i++) {
      const incarnation = mintIncarnation(world);
      assert.ok(Number.isSafeInteger(incarnation) && incarnation >= 1 && incarnation <= 2 ** 52);
    }
  });

  Deno.test(`${name}: what was packed is unpacked to the same bytes, and mostly smaller between`, () => {
    const { packer } = make().world;
    for (const length of [0, 1, 255, 256, 16_384, 1 << 20]) {
      const bytes = new Uint8Array(length).map((_, i) => i >> 6);
      const packed = packer.pack(bytes);
      assert.deepEqual(packer.pack(bytes), packed, "the same bytes always come to the same");
      assert.deepEqual(packer.unpack(packed, length), bytes);
      assert.ok(length < 256 || packed.length < length / 2);
      assert.throws(() => packer.unpack(packed, length + 1));
    }
  });
}
