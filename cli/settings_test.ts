import assert from "node:assert/strict";
import { glimpse } from "./content.ts";
import { exitCodeOf, MisuseError } from "./errors.ts";
import { resolveSettings, variableOf } from "./settings.ts";
import { suggest } from "./suggest.ts";
import { WaterparkError } from "../client.ts";

const ARGS = {
  "base-port": { type: "number", default: 1 },
  json: { type: "boolean", default: false },
  read: { type: "enum", choices: ["fresh", "writer"] },
  key: { type: "positional" },
} as const;

function resolve(env: Record<string, string>, file: Record<string, unknown>, explicit: Record<string, boolean> = {}) {
  const values = { "base-port": 1, json: false, key: "k" };
  return resolveSettings(ARGS, { values, explicit, env: (name) => env[name], file });
}

Deno.test("flag beats environment beats file beats default", () => {
  assert.equal(variableOf("base-port"), "WATERPARK_BASE_PORT");
  assert.equal(resolve({}, {})["base-port"], 1);
  assert.equal(resolve({}, { "base-port": 2 })["base-port"], 2);
  assert.equal(resolve({ WATERPARK_BASE_PORT: "3" }, { "base-port": 2 })["base-port"], 3);
  assert.equal(resolve({ WATERPARK_BASE_PORT: "3" }, {}, { "base-port": true })["base-port"], 1);
  assert.deepEqual(resolve({ WATERPARK_JSON: "yes", WATERPARK_READ: "fresh", WATERPARK_KEY: "x" }, {}), {
    "base-port": 1,
    json: true,
    read: "fresh",
    key: "k",
  });
});

Deno.test("values of another type are misuse", () => {
  const bad: [string, string][] = [["BASE_PORT", "x"], ["JSON", "maybe"], ["READ", "dirty"]];
  for (const [flag, value] of bad) assert.throws(() => resolve({ [`WATERPARK_${flag}`]: value }, {}), MisuseError);
});

Deno.test("a typo has a suggestion, nonsense has none", () => {
  assert.equal(suggest("strat", ["stop", "start", "status"]), "start");
  assert.equal(suggest("lsit", ["list", "drain"]), "list");
  assert.equal(suggest("zebra", ["node", "cluster"]), undefined);
  assert.equal(suggest("x", []), undefined);
});

Deno.test("exit codes: unknown beats not reached", () => {
  const error = (code: string, outcome: "not-applied" | "unknown") => new WaterparkError("", { code, outcome });
  assert.equal(exitCodeOf(new MisuseError("")), 2);
  assert.equal(exitCodeOf(error("client/unreachable", "not-applied")), 3);
  assert.equal(exitCodeOf(error("client/unreachable", "unknown")), 4);
  assert.equal(exitCodeOf(error("base/bad-key", "not-applied")), 2);
  assert.equal(exitCodeOf(error("mailroom/conflict", "not-applied")), 1);
  assert.equal(exitCodeOf(new Error()), 1);
});

Deno.test("a glimpse is one line and no longer than asked", () => {
  assert.equal(glimpse("MSH|1\rPID|2\r", 40), "MSH|1 ⏎ PID|2 ⏎ ");
  assert.equal(glimpse({ a: "x".repeat(50) }, 10), '{"a":"xxx…');
  assert.equal(glimpse(new Uint8Array(3), 40), "3 bytes");
  assert.equal(glimpse("a\x1b[31mb", 40), "a·[31mb");
});
