import assert from "node:assert/strict";
import { picture, sparkline } from "./picture.ts";
import { Tally } from "./tally.ts";

const NAMES = ["TN-A-1", "TN-B-1", "TX-A-1", "TX-B-1", "FL-A-1", "FL-B-1", "UT-A-1", "UT-B-1"];
const PLAIN = { columns: 80, rows: 24, paint: (_: string, text: string) => text };

Deno.test("picture: fits 80 columns and 24 rows, however much there is to say", () => {
  const tally = new Tally({ messages: 4_000_000, names: NAMES, onEvent: () => {} });
  assert.ok(picture(tally, PLAIN).length <= 24);
  for (const node of tally.nodes) Object.assign(node, { state: "asked", shards: 1024, written: 1_234_567 });
  for (const facility of ["HOSPX", "MERCY", "STLUKE", "CEDAR"]) tally.homes.set(facility, "TN");
  for (let i = 0; i < 100; i++) tally.happened("something that takes more than one line to say ".repeat(5));
  for (let i = 0; i < 5000; i++) {
    tally.sending();
    tally.delivered({ tries: 2, ms: 12_345 });
  }
  const lines = picture(tally, PLAIN);
  assert.ok(lines.length <= 24);
  for (const line of lines) assert.ok(line.length <= 80, line);
  assert.match(lines.join("\n"), /sent again 5000/);
});

Deno.test("picture: a curve begins with the last values, the highest is full, nothing is a line", () => {
  assert.equal(sparkline([9, 0, 1, 4, 8], 4), "_▁▄█");
  assert.equal(sparkline([], 4), "");
});
