/**
 * fileSource, bundled and behind its walls, on a real folder: killed in the middle, files that are still being written,
 * files that cannot be read.
 */
import assert from "node:assert/strict";
import { BundledSource, Records, until } from "./bundled_source.ts";

async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "waterpark-inbox-" }));
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const plugin = (options: string) => `
import { fileSource } from "@waterpark/waterpark/sources/file";
export default fileSource({
  everyMs: 50,
  quietMs: 150,
  *messagesOf(file) {
    for (const line of file.text().trim().split("\\n")) {
      const body = JSON.parse(line);
      yield { key: { facility: "HOSPX", id: String(body.patient) }, type: "result", body };
    }
  },
  ${options}
});`;

async function namesIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, isFile } of Deno.readDir(folder)) if (isFile) names.push(name);
  return names.sort();
}

Deno.test("file source: a thousand messages in order, killed twice in between, none lost and none twice", async () => {
  await withFolder(async (folder) => {
    const records = new Records();
    for (let file = 0; file < 100; file++) {
      const lines = Array.from({ length: 10 }, (_, n) => JSON.stringify({ patient: n, value: file }));
      await Deno.writeTextFile(`${folder}/${String(file).padStart(3, "0")}.ndjson`, lines.join("\n"));
    }
    for (const stop of [333, 666]) {
      const source = await BundledSource.start(plugin(`folder: ${JSON.stringify(folder)}`), records);
      // the crash comes when the message is recorded, and the source has not heard of it
      const { promise, resolve } = Promise.withResolvers<void>();
      records.onRecorded = (count) => count === stop ? source.kill().then(resolve) : undefined;
      await promise;
    }
    records.onRecorded = () => {};
    await using _source = await BundledSource.start(plugin(`folder: ${JSON.stringify(folder)}`), records);
    await until(20_000, "all files are done", async () => (await namesIn(`${folder}/done`)).length === 100);
    assert.equal(records.all.length, 1_000);
    assert(records.duplicates >= 2, `${records.duplicates} came again`);
    for (let patient = 0; patient < 10; patient++) {
      const values = records.all.filter(({ key }) => key === `patient/HOSPX/${patient}`).map(({ text }) =>
        JSON.parse(text).value
      );
      assert.deepEqual(values, Array.from({ length: 100 }, (_, n) => n));
    }
    assert.deepEqual(await namesIn(folder), []);
  });
});

Deno.test("file source: a file that is being written is left alone, and nothing overtakes it", async () => {
  await withFolder(async (folder) => {
    const records = new Records();
    await using _source = await BundledSource.start(plugin(`folder: ${JSON.stringify(folder)}, quietMs: 400`), records);
    await Deno.writeTextFile(`${folder}/b.json`, '{"patient":2}');
    const file = await Deno.open(`${folder}/a.json`, { write: true, create: true });
    for (const piece of ['{"pat', 'ient"', ":1", "}"]) {
      await file.write(new TextEncoder().encode(piece));
      await new Promise((resolve) => setTimeout(resolve, 200));
      assert.deepEqual(records.all, []);
    }
    file.close();
    await until(5_000, "both are recorded", () => records.all.length === 2);
    assert.deepEqual(records.all.map(({ text }) => text), ['{"patient":1}', '{"patient":2}']);
  });
});

Deno.test("file source: with a mark; deleted afterwards; by pattern", async () => {
  await withFolder(async (folder) => {
    const records = new Records();
    const options = `folder: ${JSON.stringify(folder)}, mark: ".ok", afterwards: "delete", pattern: /\\.json$/g`;
    await using _source = await BundledSource.start(plugin(options), records);
    for (const name of ["a.json", "b.json", "c.txt"]) await Deno.writeTextFile(`${folder}/${name}`, '{"patient":1}');
    await Deno.writeTextFile(`${folder}/c.txt.ok`, "");
    await Deno.writeTextFile(`${folder}/a.json.ok`, "");
    // the mark goes after its file: a crash in between leaves a mark, which is better than a file that is never complete
    await until(5_000, "the marked file and its mark are gone", async () => {
      return !(await namesIn(folder)).some((name) => name.startsWith("a."));
    });
    assert.deepEqual(await namesIn(folder), ["b.json", "c.txt", "c.txt.ok"]);
    assert.equal(records.all.length, 1);
  });
});

Deno.test("file source: what cannot be read, or is refused for good, goes to error/ as a whole; the rest goes on", async () => {
  await withFolder(async (folder) => {
    const records = new Records();
    records.refusal = ({ text }) =>
      text.includes("huge") ? { code: "mailroom/too-large", outcome: "not-applied" } : null;
    await Deno.writeTextFile(`${folder}/a.json`, '{"patient":1}\n{"patient":');
    await Deno.writeFile(`${folder}/b.json`, new Uint8Array([0xff, 0xfe, 0x00]));
    await Deno.writeTextFile(`${folder}/c.json`, '{"patient":1,"x":"huge"}');
    await Deno.writeTextFile(`${folder}/d.json`, '{"patient":1}');
    await Deno.symlink("/etc/hostname", `${folder}/e.json`);
    await using source = await BundledSource.start(plugin(`folder: ${JSON.stringify(folder)}`), records);
    await until(
      5_000,
      "the good one is done",
      async () => (await namesIn(`${folder}/done`).catch(() => [])).length === 1,
    );
    assert.deepEqual(records.all.map(({ text }) => text), ['{"patient":1}']);
    const expected = ["a.json", "a.json.reason", "b.json", "b.json.reason", "c.json", "c.json.reason"];
    assert.deepEqual(await namesIn(`${folder}/error`), expected);
    assert.match(await Deno.readTextFile(`${folder}/error/a.json.reason`), /SyntaxError/);
    assert.match(await Deno.readTextFile(`${folder}/error/c.json.reason`), /mailroom\/too-large/);
    assert.equal(source.failed, null);
  });
});

Deno.test("file source: a cluster that does not answer stops it where it is", async () => {
  await withFolder(async (folder) => {
    const records = new Records();
    records.refusal = () => ({ code: "mailroom/timeout", outcome: "unknown" });
    await Deno.writeTextFile(`${folder}/a.json`, '{"patient":1}');
    await using source = await BundledSource.start(plugin(`folder: ${JSON.stringify(folder)}`), records);
    await until(5_000, "it has failed", () => source.failed !== null);
    assert.match(source.failed!, /mailroom\/timeout/);
    assert.deepEqual(await namesIn(folder), ["a.json"]);
  });
});
