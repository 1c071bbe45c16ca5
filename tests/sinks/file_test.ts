/**
 * fileSink, bundled and behind its walls, on a real folder: killed in the middle, its folder gone for a while, names that
 * want out.
 */
import assert from "node:assert/strict";
import { startSink } from "./bundled_sink.ts";
import { deliverAll, deliveries, delivery, repeatsIn } from "./deliver_all.ts";

async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "waterpark-files-" });
  try {
    await body(`${await Deno.realPath(folder)}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function filesIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    names.push(...isDirectory ? (await filesIn(`${folder}/${name}`)).map((inner) => `${name}/${inner}`) : [name]);
  }
  return names.sort();
}

const utf8 = (text: string) => new TextEncoder().encode(text);

Deno.test("file: a file for each of a thousand deliveries, though the sink is killed in between", async () => {
  await withFolder(async (folder) => {
    const options = { folder, file: "{key.facility}/{key.id}/{seq}-{type}.json", sync: false };
    const all = deliveries(100, 10);
    const killed = await startSink("file fileSink", options);
    const half = deliverAll(killed, all, { msMax: 30_000, onDone: (done) => done === 300 && killed.kill() });
    await assert.rejects(half, /has ended/);
    // whoever takes over knows nothing of what was done, and begins again
    await using sink = await startSink("file fileSink", options);
    const tally = await deliverAll(sink, all, { msMax: 30_000 });
    assert.deepEqual([tally.done, [...tally.dead]], [1_000, []]);
    const files = (await filesIn(folder)).filter((name) => !name.endsWith(".part"));
    assert.equal(files.length, 1_000);
    for (const name of files) {
      const { patient, seq } = JSON.parse(await Deno.readTextFile(`${folder}/${name}`));
      assert.equal(name, `HOSPX/${patient}/${seq}-ORU^R01.json`);
    }
  });
});

Deno.test("file: lines of a thousand deliveries, in order of each actor, a killed sink's half line cut off", async () => {
  await withFolder(async (folder) => {
    const options = { folder, append: "json", sync: false };
    const all = deliveries(100, 10);
    const killed = await startSink("file fileSink", options);
    const half = deliverAll(killed, all, { msMax: 30_000, onDone: (done) => done === 300 && killed.kill() });
    await assert.rejects(half, /has ended/);
    const path = `${folder}/HOSPX.ndjson`;
    await Deno.writeTextFile(path, '{"id":"patient/HOSPX/1#9', { append: true });
    await using sink = await startSink("file fileSink", options);
    await deliverAll(sink, all, { msMax: 30_000 });
    const lines = (await Deno.readTextFile(path)).trimEnd().split("\n").map((line) => JSON.parse(line));
    const repeats = repeatsIn(lines, all);
    assert(repeats >= 300, `${repeats} repeats`);
    assert.deepEqual(lines.find(({ id }) => id === "patient/HOSPX/7#3#feed#0"), {
      id: "patient/HOSPX/7#3#feed#0",
      key: "patient/HOSPX/7",
      seq: 3,
      type: "ORU^R01",
      body: { patient: 7, seq: 3 },
    });
  });
});

Deno.test("file: a folder that is not there is waited for, and not made", async () => {
  await withFolder(async (outer) => {
    const folder = `${outer}/mounted`;
    await Deno.mkdir(folder);
    await using sink = await startSink("file fileSink", { folder });
    assert.equal(await sink.check(), `${folder} can be written to`);
    assert.deepEqual(await filesIn(folder), []);
    await Deno.rename(folder, `${outer}/away`);
    const [end] = await sink.deliver([delivery(1, 1)]);
    assert.deepEqual([end.state, end.state === "retry" && end.code], ["retry", "file/not-written"]);
    await assert.rejects(sink.check(), /must exist/);
    await Deno.rename(`${outer}/away`, folder);
    assert.equal((await deliverAll(sink, [[delivery(1, 1)]], { msMax: 5_000 })).done, 1);
    assert.deepEqual(await filesIn(folder), ["patient%2FHOSPX%2F1#1#feed#0"]);
  });
});

Deno.test("file: a name that is taken, and one that may be", async () => {
  await withFolder(async (folder) => {
    const file = "{key.id}.txt";
    await using refusing = await startSink("file fileSink", { folder, file });
    const codes: string[] = [];
    for (const text of ["one", "one", "two"]) {
      const [end] = await refusing.deliver([delivery(1, 1, { bytes: utf8(text) })]);
      codes.push(end.state === "done" ? end.state : end.code);
    }
    assert.deepEqual(codes, ["done", "done", "file/name-taken"]);
    assert.equal(await Deno.readTextFile(`${folder}/1.txt`), "one");
    await using replacing = await startSink("file fileSink", { folder, file, whenThere: "replace" });
    await replacing.deliver([delivery(1, 1, { bytes: utf8("two") })]);
    assert.equal(await Deno.readTextFile(`${folder}/1.txt`), "two");
    assert.deepEqual(await filesIn(folder), ["1.txt"], "no drafts are left");
  });
});

Deno.test("file: hostile names stay in the folder, or are refused", async () => {
  await withFolder(async (outer) => {
    const folder = `${outer}/in`;
    await Deno.mkdir(folder);
    await using sink = await startSink("file fileSink", { folder, file: "{option.x}" });
    const ends: Record<string, string> = {};
    const names = [
      "..",
      ".",
      "",
      "../out",
      "/etc/x",
      ".hidden",
      "a/../../out",
      "a\0b",
      "a\nb",
      "C:\\x",
      "ü".repeat(200),
      "fine",
    ];
    for (const x of names) {
      const [end] = await sink.deliver([delivery(1, 1, { options: { x } })]);
      ends[x] = end.state === "done" ? end.answer! : end.code;
    }
    const bad = "file/bad-name";
    assert.deepEqual(ends, {
      "..": bad,
      ".": bad,
      "": bad,
      "../out": bad,
      "/etc/x": "%2Fetc%2Fx",
      ".hidden": bad,
      "a/../../out": "a%2F..%2F..%2Fout",
      "a\0b": "a%00b",
      "a\nb": "a%0Ab",
      "C:\\x": "C%3A%5Cx",
      ["ü".repeat(200)]: bad,
      fine: "fine",
    });
    assert.deepEqual(await filesIn(outer), (await filesIn(folder)).map((name) => `in/${name}`));
    const [end] = await sink.deliver([delivery(1, 1)]);
    assert.equal(end.state === "dead" && end.code, "file/missing-option");
  });
});

Deno.test("file: lines as they are, one each", async () => {
  await withFolder(async (folder) => {
    await using sink = await startSink("file fileSink", { folder, append: "lines", file: "all.hl7" });
    const texts = ["MSH|1\rPID|1", "two\nlines", "MSH|2"];
    const ends = await sink.deliver(texts.map((text, i) => delivery(i, 1, { bytes: utf8(text) })));
    assert.deepEqual(ends.map((end) => end.state === "done" ? end.state : end.code), [
      "done",
      "file/not-one-line",
      "done",
    ]);
    assert.equal(await Deno.readTextFile(`${folder}/all.hl7`), "MSH|1\rPID|1\nMSH|2\n");
  });
});
