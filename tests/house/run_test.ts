import assert from "node:assert/strict";
import { countsOf } from "../run.ts";

Deno.test("counts in a JUnit report", () => {
  const xml = `<testsuite><testcase name="a"></testcase><testcase name="b"><failure/></testcase>
    <testcase name="c"><skipped/></testcase></testsuite>`;
  assert.deepEqual(countsOf(xml, false), { passed: 1, failed: 1, skipped: 1 });
});

Deno.test("a run that failed before its first test has failed once", () => {
  assert.deepEqual(countsOf("", false), { passed: 0, failed: 1, skipped: 0 });
  assert.deepEqual(countsOf("", true), { passed: 0, failed: 0, skipped: 0 });
});
