import assert from "node:assert/strict";
import vm from "node:vm";
import { lockdown } from "../runtime/plugin_host/lockdown.ts";
import { ABSENT, purely, withDoors } from "./pure_guard.ts";

/** Expressions, each of which does in a plugin's context what it does behind the doors: works, or does not. */
const EXPRESSIONS = [
  "Date.now()",
  "new Date()",
  "Date()",
  "new Date(5).getTime()",
  "new Date(5) instanceof Date",
  "Date.UTC(2026, 0, 1)",
  "Date.parse('2026-01-01')",
  "Math.random()",
  "Math.max(1, 2)",
  "Temporal.Now.instant()",
  "Promise.resolve(1).then(() => 1)",
  "new Intl.DateTimeFormat('en-US', { timeZone: 'UTC' }).format(5)",
  "new Intl.DateTimeFormat('en-US').format()",
  "new Intl.DateTimeFormat('en-US').formatToParts()",
  "structuredClone({})",
  "crypto.randomUUID()",
  "performance.now()",
  "setTimeout(() => {}, 1)",
  "queueMicrotask(() => {})",
  "fetch('http://localhost')",
  "Deno.env",
  "process.env",
  "new TextEncoder()",
  "new URL('http://localhost')",
  "JSON.stringify([...new Map([[1, 2]])])",
  "new Uint8Array(4).length",
  "BigInt(5)",
  "new WeakMap()",
  "new WeakRef({})",
  "Atomics",
  "globalThis.Deno?.env",
  "typeof fetch",
  "console.log",
];

function inContext(expression: string): unknown {
  const context = vm.createContext(Object.create(null), { codeGeneration: { strings: false, wasm: false } });
  vm.runInContext(`(${lockdown.toString()})()`, context);
  try {
    const value = vm.runInContext(expression, context);
    return typeof value === "object" || typeof value === "function" ? "something" : value;
  } catch {
    return "throws";
  }
}

function behindDoors(expression: string): unknown {
  const { end } = withDoors(() => purely(new Function(`return ${expression}`) as () => unknown));
  if ("thrown" in end) return "throws";
  // what a context has not is undefined here, as a name alone would be a ReferenceError there
  if (end.value === undefined && inContext(expression) === "throws") return "throws";
  return typeof end.value === "object" || typeof end.value === "function" ? "something" : end.value;
}

Deno.test("pure guard: a handler finds what it would find in a plugin's context", () => {
  for (const expression of EXPRESSIONS) {
    assert.deepEqual(behindDoors(expression), inContext(expression), expression);
  }
});

Deno.test("pure guard: it hides what lockdown takes away", () => {
  for (const name of ABSENT) assert.ok(lockdown.toString().includes(`"${name}"`), name);
});

Deno.test("pure guard: it tells of what a handler reached for, though it hid the refusal", () => {
  const call = withDoors(() =>
    purely(() => {
      try {
        return Math.random();
      } catch {
        return 0.5;
      }
    })
  );
  assert.deepEqual(call, { end: { value: 0.5 }, touched: "Math.random", missed: "" });
  assert.equal(withDoors(() => purely(() => typeof structuredClone)).missed, "structuredClone");
});

Deno.test("pure guard: outside of calls, and afterwards, the world is as it was", () => {
  const before = Object.getOwnPropertyDescriptors(globalThis);
  withDoors(() => {
    withDoors(() => purely(() => 1));
    assert.ok(
      Date.now() > 0 && Math.random() < 1 && typeof structuredClone === "function" && new Date() instanceof Date,
    );
  });
  const after = Object.getOwnPropertyDescriptors(globalThis);
  assert.deepEqual(Object.keys(after).sort(), Object.keys(before).sort());
  for (const name of Object.keys(before)) {
    assert.equal(after[name].value, before[name].value, name);
    assert.equal(after[name].get, before[name].get, name);
  }
});
