import assert from "node:assert/strict";
import { cpuTicks } from "./processes.ts";

Deno.test("a process's name cannot shift the columns", () => {
  const numbers = "S 1 2 3 0 -1 4194304 100 0 0 0 70 30 5 2 20 0 9 0 12345 1000 200";
  assert.equal(cpuTicks(`42 (deno) ${numbers}`), 107);
  assert.equal(cpuTicks(`42 (a b) c) 9 9) ${numbers}`), 107);
});
