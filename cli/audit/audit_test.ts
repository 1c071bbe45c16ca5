import assert from "node:assert/strict";
import fc from "fast-check";
import { type AuditVerdict, connect, type Receipt, WaterparkError } from "../../client.ts";
import { FakeNode } from "../../runtime/gateway/fake_node.ts";
import { createApp } from "../../runtime/gateway/mod.ts";
import { systemWorld } from "../../runtime/world/mod.ts";
import { compareCopies, copiesReport, CopiesTally } from "./copies_audit.ts";
import { linesOf, type ReceiptLine, sampleOf } from "./receipts_file.ts";
import { receiptsReport } from "./receipts_report.ts";
import { auditLines, ReceiptsTally } from "./receipts_tally.ts";

const ABOUT = { clusterId: "c1", node: "TN-A-1", fromMs: 1767225600000, toMs: 1767225601500 };

function fakeCluster() {
  const node = new FakeNode();
  const app = createApp(node, { world: systemWorld() });
  return { node, client: connect("http://a", { fetch: async (request) => await app.fetch(request) }) };
}

async function* bytesOf(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

Deno.test("a file of receipts is audited line by line, and what is wrong is found by its line", async () => {
  const { node, client } = fakeCluster();
  const receipts: Receipt[] = [];
  for (let i = 0; i < 4; i++) {
    const payload = new Uint8Array([i]);
    const answer = await node.post({
      key: { facility: "HOSPX", id: "1001" },
      id: `m${i}`,
      contentType: "a/b",
      payload,
    });
    if (answer.state === "recorded") receipts.push(answer.receipt);
  }
  const lines = [
    JSON.stringify(receipts[0]),
    "",
    JSON.stringify({ ...receipts[1], digest: "00000000deadbeef" }),
    JSON.stringify({ ...receipts[2], id: "never-sent" }),
    "no receipt",
    JSON.stringify(receipts[3]),
  ];
  for (const showKeys of [false, true]) {
    const tally = new ReceiptsTally({ showKeys });
    await auditLines(client, linesOf(ReadableStream.from(bytesOf(lines.join("\r\n"), 7))), { tally });
    const report = receiptsReport(tally, { ...ABOUT, file: "receipts.ndjson", sampleOf: null });
    assert.deepEqual(report.slice(0, -4), [
      "Audit of receipts, 2026-01-01T00:00:00.000Z to 00:00:01.500Z",
      "Cluster c1, asked through node TN-A-1. Receipts: receipts.ndjson.",
      "",
      "2 of 5 messages are proven: each stands as its receipt says on at least 3 copies in 2 data centers, and its copies agree.",
      "1 lost: on no copy that could be asked.",
      "1 differs: some copy, or the receipt, says otherwise.",
      "1 unreadable: lines that are no receipts.",
      "Messages by copies that hold them: 2 on 0, 2 on 3; fewest 0, median 0.",
      "",
      "NODE    HOLDS  LACKS  DIFFERS  NOT ASKED",
      "FL-A-1      2      1        0          0",
      "TN-A-1      2      1        0          0",
      "TX-A-1      2      1        1          0",
      "",
      "Not proven, by line of the receipt and place of the message:",
      `  line 3 S05/017#2 seq 2${
        showKeys ? " (patient/HOSPX/1001 m1)" : ""
      }: differs, TX-A-1 has other bytes (#2, seq 2, digest ${receipts[1].digest})`,
      `  line 4 S05/017#3 seq 3${
        showKeys ? " (patient/HOSPX/1001 never-sent)" : ""
      }: lost, on none of FL-A-1, TN-A-1 and TX-A-1`,
      "  line 5: unreadable, gateway/bad-json",
    ]);
    assert.equal(report.join("\n").includes("HOSPX"), showKeys);
  }
});

Deno.test("each kind of verdict has its sentence", () => {
  const verdict: AuditVerdict = {
    state: "proven",
    shard: "S00/001",
    index: 7,
    seq: 2,
    needed: { copies: 3, dataCenters: 2 },
    copies: ["A", "B", "C"],
    missing: [],
    differing: [],
    unreachable: [],
  };
  const tally = new ReceiptsTally();
  let number = 0;
  const take = (more: Partial<AuditVerdict>) => tally.take({ number: ++number, text: "" }, { ...verdict, ...more });
  take({});
  take({ copies: ["A", "B", "C", "D"], unreachable: ["E"] });
  take({ state: "thin", copies: ["A"], missing: ["B", "C"] });
  take({ state: "unproven", copies: ["A", "B"], unreachable: ["D", "E"] });
  take({ state: "retired" });
  take({ state: "foreign", copies: [] });
  take({ state: "differs", differing: [{ node: "", what: "shard", index: 7, seq: 2, digest: "d" }], copies: [] });
  take({ state: "differs", differing: [{ node: "E", what: "chain", index: 7, seq: 2, digest: "d" }] });
  const busy = new WaterparkError("Cannot", { code: "node/busy", outcome: "not-applied" });
  tally.take({ number: ++number, text: "" }, { state: "refused", error: busy });
  assert.deepEqual([tally.audited, tally.notProven, tally.fewestCopies, tally.medianCopies], [9, 6, 0, 2]);
  const report = receiptsReport(tally, { ...ABOUT, file: "-", sampleOf: 80 });
  assert.deepEqual(report.slice(1, 2), [
    "Cluster c1, asked through node TN-A-1. Receipts: -, a sample of 9 of its 80, drawn by chance.",
  ]);
  assert.deepEqual(report.filter((line) => line.startsWith("  ") || line.startsWith("Could")), [
    "Could not be asked: D and E. Nothing here rests on what may be there.",
    "  line 3 S00/001#7 seq 2: thin, only on A; a copy without it on B and C",
    "  line 4 S00/001#7 seq 2: unproven, seen on A and B; could not be asked: D and E",
    "  line 6 S00/001#7 seq 2: foreign, a receipt of another cluster",
    "  line 7 S00/001#7 seq 2: differs, the receipt's key belongs to another shard",
    "  line 8 S00/001#7 seq 2: differs, E has another history before it (#7, seq 2, digest d); as the receipt says on A, B and C",
    "  line 9: unasked, node/busy",
  ]);
});

Deno.test("copies are compared, and what differs is named by its place", async () => {
  const { node, client } = fakeCluster();
  await node.post({ key: { facility: "HOSPX", id: "1001" }, id: "m", contentType: "a/b", payload: new Uint8Array(1) });
  const look = async (keys: boolean) => {
    const tally = new CopiesTally();
    await compareCopies(client, { deep: false, keys }, { tally });
    return { tally, report: copiesReport(tally, { ...ABOUT, deep: false }) };
  };
  const well = await look(false);
  assert.deepEqual([well.tally.shards, well.tally.agree], [64, 64]);
  assert.deepEqual(well.report.slice(3, 9), [
    "64 of 64 shards agree: on each the copies have the same histories, on at least 3 copies in 2 data centers.",
    "They hold 1 message of 1 actor.",
    "",
    "NODE    COPIES  COME OR GO  ENTRIES BEHIND  NOT ASKED",
    "FL-A-1      64           0               0          0",
    "TN-A-1      64           0               0          0",
  ]);
  node.copiesState = "differs";
  for (const keys of [false, true]) {
    const { tally, report } = await look(keys);
    assert.equal(tally.agree, 63);
    assert.deepEqual(report.filter((line) => line.startsWith("  ")), [
      "  S05/017: differs up to #9, 1 actor",
      `    actor at S05/017#4${keys ? " (patient/HOSPX/1001)" : ""}: FL-A-1 seq 1 00000000000000aa, TN-A-1 none`,
    ]);
  }
});

Deno.test("lines are the same however the bytes are cut; one without end is cut", async () => {
  const line = fc.string().map((text) => text.replace(/[\r\n]/g, "").trim());
  await fc.assert(
    fc.asyncProperty(fc.array(line), fc.integer({ min: 1, max: 9 }), async (lines, size) => {
      const found = await all(linesOf(ReadableStream.from(bytesOf(lines.join("\n"), size))));
      const expected = lines.map((text, i) => ({ number: i + 1, text })).filter(({ text }) => text !== "");
      assert.deepEqual(
        found.map(({ text }) => text),
        expected.map(({ text }) => new TextDecoder().decode(new TextEncoder().encode(text))),
      );
      assert.deepEqual(found.map(({ number }) => number), expected.map(({ number }) => number));
    }),
    { numRuns: 100 },
  );
  const [endless] = await all(linesOf(ReadableStream.from(bytesOf("x".repeat(3 << 20), 1 << 16))));
  assert.ok(endless.text.length <= 1 << 20);
});

Deno.test("a sample is as large as asked for, in order, and each line as likely as the others", async () => {
  async function* lines(): AsyncGenerator<ReceiptLine> {
    for (let number = 1; number <= 50; number++) yield { number, text: "" };
  }
  const times = new Array(51).fill(0);
  let seed = 7;
  const random = () => (seed = Math.imul(seed, 1_664_525) + 1_013_904_223 >>> 0) / 2 ** 32;
  for (let round = 0; round < 2000; round++) {
    const { sample, of } = await sampleOf(lines(), 10, random);
    assert.deepEqual([sample.length, of], [10, 50]);
    assert.deepEqual(sample.map(({ number }) => number), sample.map(({ number }) => number).toSorted((a, b) => a - b));
    for (const { number } of sample) times[number]++;
  }
  // 400 each, give or take four standard deviations
  assert.ok(times.slice(1).every((count) => count > 328 && count < 472), String(times));
  assert.equal((await sampleOf(lines(), 99, random)).sample.length, 50);
});
