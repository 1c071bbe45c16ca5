import assert from "node:assert/strict";
import { Desk, readAll, textsOf } from "./journal_fixture.ts";
import { MemoryDisk, Rewriting } from "./mod.ts";

/** Three shards with a few records each, all synced. */
function written(options: ConstructorParameters<typeof Desk>[0] = {}): Desk {
  const desk = new Desk(options);
  desk.journal.belongsTo("c1");
  for (const shard of [3, 5, 1024]) desk.begin(shard);
  for (let round = 0; round < 4; round++) for (const shard of [3, 5, 1024]) desk.add(shard, 2, { commit: round });
  desk.add(5, 3, { term: 2, from: 7 });
  assert(desk.settle());
  return desk;
}

Deno.test("what was written is read again: copies, what replaced what, commit indexes, whose it is", () => {
  const desk = written();
  const { node, copies, torn, damaged } = readAll(desk.disk);
  assert.deepEqual(textsOf(copies), desk.texts());
  assert.equal(textsOf(copies)[5].at(-1), "5/2/9");
  assert.equal(copies.get(3)!.commit, 3);
  assert.deepEqual({ ...node, dropped: [...node.dropped] }, {
    name: "TN-A-1",
    clusterId: "c1",
    lives: [100],
    dropped: [],
  });
  assert.deepEqual([torn, damaged], [null, 0]);
});

Deno.test("a journal goes on through many lives: another file each, generations, copies that left", () => {
  const desk = written();
  for (let life = 0; life < 3; life++) {
    desk.restart();
    desk.add(3, 1, { term: 3 + life });
    desk.journal.adopt(3, 2 + life);
    if (life === 1) desk.journal.drop(5, 1);
    assert(desk.settle());
  }
  const { node, copies } = readAll(desk.disk);
  desk.stores.delete(5);
  assert.deepEqual(textsOf(copies), desk.texts());
  assert.equal(copies.get(3)!.generation, 4);
  assert.deepEqual([...node.dropped], [[5, 1]]);
  assert.deepEqual(node.lives, [100, 101, 102, 103]);
  assert.equal(desk.disk.files.length, 4);
});

Deno.test("cut at every byte of the last records, it is a true beginning, and goes on from there", () => {
  const whole = written();
  const { file, bytes } = whole.disk.files.at(-1)!;
  const texts = whole.texts();
  for (let length = bytes.length - 300; length < bytes.length; length++) {
    const contents = readAll({ files: [{ file, bytes: bytes.slice(0, length) }] });
    assert.equal(contents.damaged, 0, "a torn end is no damage");
    for (const [shard, copy] of contents.copies) {
      assert.equal(copy.isDamaged, false);
      const read = textsOf(contents.copies)[shard];
      // Shard 5 has had two ends.
      const isBeginning = read.every((text, i) => text === texts[shard][i] || (shard === 5 && text === `5/1/${i + 1}`));
      assert(isBeginning, `at ${length}: ${shard} reads ${read}`);
    }
    const isAtRecord = contents.torn === null;
    assert(isAtRecord || contents.torn!.bytes < length, "what is torn is cut");
  }
});

Deno.test("a torn end is cut, and the next life writes behind it", () => {
  const desk = written();
  const before = desk.texts();
  desk.add(3, 1);
  desk.journal.flush();
  const last = desk.disk.files.at(-1)!;
  desk.disk.cut(last.file, last.bytes.length - 5);
  desk.restart();
  assert.deepEqual(desk.texts(), before);
  desk.add(3, 1, { term: 9 });
  assert(desk.settle());
  const { copies, damaged } = readAll(desk.disk);
  assert.deepEqual(textsOf(copies), desk.texts());
  assert.equal(damaged, 0);
});

Deno.test("a bit flipped anywhere is noticed: no copy has what was not written, and one that lost anything says so", () => {
  const desk = written();
  const { file, bytes } = desk.disk.files.at(-1)!;
  const texts = desk.texts();
  let noticed = 0;
  for (let at = 0; at < bytes.length; at++) {
    const flipped = bytes.slice();
    flipped[at] ^= 1 << (at % 8);
    const { copies, damaged, torn } = readAll({ files: [{ file, bytes: flipped }] });
    assert(damaged > 0 || torn !== null, `a flip at ${at} went unnoticed`);
    const read = textsOf(copies);
    for (const shard of [3, 5, 1024]) {
      const mine = read[shard] ?? [];
      assert(mine.every((text, i) => text === texts[shard][i] || text === `${shard}/1/${i + 1}`), `at ${at}: ${mine}`);
      const isWhole = mine.length === texts[shard].length && mine.every((text, i) => text === texts[shard][i]);
      // The very last record of all cannot be told from one that was torn off.
      if (!isWhole && torn === null) assert(copies.get(shard)?.isDamaged === true, `at ${at}: ${shard}`);
    }
    noticed++;
  }
  assert.equal(noticed, bytes.length);
});

Deno.test("a damaged body ends its own shard's copy there, and no other's", () => {
  const desk = written();
  const { file, bytes } = desk.disk.files.at(-1)!;
  const text = new TextDecoder("latin1").decode(bytes);
  desk.disk.flip(file, text.indexOf("3/1/5"));
  const { copies, damaged } = readAll(desk.disk);
  assert.equal(damaged, 1);
  assert.deepEqual(textsOf(copies)[3], ["3/1/1", "3/1/2", "3/1/3", "3/1/4"]);
  assert.deepEqual([3, 5, 1024].map((shard) => copies.get(shard)!.isDamaged), [true, false, false]);
  assert.deepEqual(textsOf(copies)[1024], desk.texts()[1024]);
  // What is damaged is written anew before anything is added: else nobody would find that.
  desk.restart();
  rewritingOf(desk).rewriteAll(3);
  desk.add(3, 1, { term: 7 });
  assert(desk.settle());
  const again = readAll(desk.disk).copies.get(3)!;
  assert.deepEqual([again.isDamaged, textsOf(new Map([[3, again]]))[3].at(-1)], [true, "3/7/5"]);
});

Deno.test("records that are missing are noticed by the next of their shard", () => {
  const desk = new Desk({ config: { fileBytesMax: 300 } });
  for (const shard of [1, 2]) desk.begin(shard);
  for (let i = 0; i < 12; i++) {
    desk.add(i < 8 ? 1 : 2, 1, { bytes: 100 });
    assert(desk.settle());
  }
  const { files } = desk.disk;
  assert(files.length > 3);
  const { copies } = readAll({ files: files.filter((_, i) => i !== 1) });
  assert.deepEqual([copies.get(1)!.isDamaged, copies.get(2)!.isDamaged], [true, false]);
  const read = textsOf(copies);
  assert(read[1].length > 0 && read[1].length < 8, `${read[1]}`);
  assert.deepEqual(read[1], desk.texts()[1].slice(0, read[1].length));
  assert.deepEqual(read[2], desk.texts()[2]);
});

Deno.test("a record is missing and everything else seems to follow: it is noticed all the same", () => {
  const desk = new Desk({ config: { fileBytesMax: 100 } });
  desk.begin(1);
  desk.add(1, 4);
  assert(desk.settle());
  desk.add(1, 2, { from: 3, term: 2 });
  assert(desk.settle());
  desk.add(1, 1, { term: 2 });
  assert(desk.settle());
  const copy = readAll({ files: desk.disk.files.filter((_, i) => i !== 1) }).copies.get(1)!;
  assert.deepEqual([copy.isDamaged, copy.log.lastIndex, copy.log.lastTerm], [true, 4, 1]);
});

Deno.test("always: safe after the sync; interval and never: once written, and a crash may take it", () => {
  for (const sync of ["always", "interval", "never"] as const) {
    const desk = new Desk({ sync });
    desk.begin(1);
    desk.add(1, 5);
    let isSafe = false;
    desk.journal.flush(() => isSafe = true);
    desk.time.runUntil(1.5);
    assert.equal(isSafe, sync !== "always", `${sync}: written, not synced`);
    desk.time.runUntil(50);
    assert(isSafe);
    const { syncs } = desk.journal.counts;
    assert.equal(syncs, sync === "always" ? 1 : 0);
    desk.time.runUntil(500);
    assert.equal(desk.journal.counts.syncs, sync === "never" ? 0 : 1);
    desk.disk.crash(() => 0);
    assert.equal(readAll(desk.disk).copies.get(1)?.log.lastIndex ?? 0, sync === "never" ? 0 : 5);
  }
});

Deno.test("group commit: what gathers while the disk is away goes in one write", () => {
  const desk = new Desk();
  desk.begin(1);
  for (let i = 0; i < 40; i++) {
    desk.add(1, 1);
    desk.journal.flush();
  }
  assert(desk.settle());
  assert.equal(desk.journal.counts.writes, 2);
  assert.deepEqual(textsOf(readAll(desk.disk).copies), desk.texts());
});

Deno.test("crashes at any moment: what was called safe is there, and nothing else than what was written", () => {
  let lost = 0;
  for (let seed = 1; seed <= 200; seed++) {
    let x = seed;
    const random = () => (x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d) + seed >>> 0) / 2 ** 32;
    const desk = new Desk({ config: { fileBytesMax: 2000 } });
    let safe = 0;
    desk.begin(1);
    for (let i = 1; i <= 60; i++) {
      desk.add(1, 1, { bytes: 50 });
      desk.journal.flush(() => safe = Math.max(safe, i));
      desk.time.runUntil(desk.time.nowMs + random());
    }
    desk.disk.crash(random);
    const { copies } = readAll(desk.disk);
    const read = textsOf(copies)[1] ?? [];
    assert(read.length >= safe, `seed ${seed}: ${read.length} of ${safe} that were safe`);
    assert.deepEqual(read, desk.texts()[1].slice(0, read.length));
    lost += 60 - read.length;
  }
  assert(lost > 100, "crashes that lose nothing prove nothing");
});

function rewritingOf(desk: Desk): Rewriting {
  return new Rewriting({
    journal: desk.journal,
    logOf: (shard) => {
      const store = desk.stores.get(shard);
      if (store === undefined) return null;
      const isDamaged = desk.contents.copies.get(shard)?.isDamaged ?? false;
      const { lastIndex } = store;
      return { generation: 1, lastIndex, commit: 0, isDamaged, viewRange: (first) => store.viewRange(first, 1000) };
    },
    liveBytes: () => [...desk.stores.values()].reduce((sum, store) => sum + store.bytes, 0),
    slackBytes: 0,
  });
}

Deno.test("old files go: what is alive is written once more, and at no moment is anything missing", () => {
  const desk = new Desk({ config: { fileBytesMax: 2000 } });
  const rewriting = rewritingOf(desk);
  for (const shard of [1, 2]) desk.begin(shard);
  let removed = 0;
  for (let i = 0; i < 400; i++) {
    // Shard 1 grows; the end of shard 2 is replaced again and again, so most of what is written dies.
    if (i % 10 === 0) desk.add(1, 1, { bytes: 100 });
    if (i % 7 === 0) rewriting.truncated(2, 2);
    desk.add(2, i % 7 === 0 ? 20 : 1, i % 7 === 0 ? { from: 2, term: i + 1, bytes: 100 } : { term: i + 1, bytes: 100 });
    const filesBefore = desk.disk.files.length;
    rewriting.step();
    assert(desk.settle(20));
    removed += Math.max(0, filesBefore - desk.disk.files.length);
    assert.deepEqual(textsOf(readAll(desk.disk).copies), desk.texts(), `after round ${i}`);
  }
  assert(removed > 20, `${removed} files were removed`);
  assert(desk.journal.diskBytes < 60_000, `${desk.journal.diskBytes} bytes are left`);
  desk.restart();
  assert.deepEqual(textsOf(desk.contents.copies), desk.texts());
});

Deno.test("a full disk: nothing is called safe, nothing is lost, and it goes on when there is room", () => {
  const desk = written();
  const used = desk.disk.files[0].bytes.length;
  desk.disk.bytesMax = used + 100;
  desk.add(3, 5);
  assert.equal(desk.settle(5000), false);
  assert.equal(desk.journal.fault, "full");
  // Half of a record is there: whoever starts now cuts it.
  const { torn, copies } = readAll(desk.disk);
  assert(torn !== null && copies.get(3)!.log.lastIndex === 8);
  desk.disk.bytesMax = Infinity;
  assert(desk.settle(5000));
  assert.deepEqual(desk.faults, ["full", null]);
  assert.deepEqual(textsOf(readAll(desk.disk).copies), desk.texts());
});

Deno.test("a broken disk is broken for good", () => {
  const desk = written();
  desk.disk.isBroken = true;
  desk.add(3, 5);
  assert.equal(desk.settle(5000), false);
  desk.disk.isBroken = false;
  desk.add(3, 5);
  assert.equal(desk.settle(5000), false);
  assert.equal(desk.journal.fault, "failed");
});

Deno.test("closing writes and syncs what has gathered", () => {
  const desk = new Desk({ sync: "never", disk: new MemoryDisk({ writeMs: () => 5, syncMs: () => 5 }) });
  desk.begin(1);
  desk.add(1, 3);
  let isClosed = false;
  desk.journal.close(() => isClosed = true);
  desk.time.runUntil(100);
  assert(isClosed);
  desk.disk.crash(() => 0);
  assert.equal(readAll(desk.disk).copies.get(1)!.log.lastIndex, 3);
});
