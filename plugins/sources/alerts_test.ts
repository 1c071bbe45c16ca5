import assert from "node:assert/strict";
import type { ClusterStatus } from "@waterpark/waterpark";
import { type AlertRule, findingsIn } from "./alert_rules.ts";
import { alerts, alertsFrom } from "./alerts.ts";

const SINK = { name: "lab", isPaused: false, done: 5, retried: 2, dead: 1, inHand: 10, held: 0 };
const WELL: ClusterStatus = {
  plugins: [{ name: "census", kind: "handler", parked: 0 }],
  sinks: [SINK],
  sources: [{ name: "drop", node: "TN-A-1", state: "running" }],
  nodes: [{ name: "TN-A-1", alive: true }],
};

const RULES: [rule: AlertRule, worse: Partial<ClusterStatus>, text: string][] = [
  [{ when: "parked" }, { plugins: [{ ...WELL.plugins[0], parked: 3 }] }, "census stands still at 3 actors"],
  [{ when: "queued", over: 10 }, { sinks: [{ ...SINK, inHand: 11 }] }, "11 deliveries wait for lab"],
  [{ when: "held" }, { sinks: [{ ...SINK, held: 2 }] }, "2 deliveries to lab are held and hold up their actors"],
  [{ when: "dead" }, { sinks: [{ ...SINK, dead: 4 }] }, "3 deliveries to lab have become dead letters"],
  [{ when: "failing" }, { sinks: [{ ...SINK, retried: 3 }] }, "nothing gets through to lab"],
  [{ when: "source" }, { sources: [{ ...WELL.sources[0], state: "waiting" }] }, "drop fails on TN-A-1"],
  [{ when: "node" }, { nodes: [{ name: "TN-A-1", alive: false }] }, "TN-A-1 is not heard of"],
];

Deno.test("alerts: each rule finds what it is for, by name or any, and nothing where all is well", () => {
  for (const [rule, worse, text] of RULES) {
    assert.deepEqual(findingsIn(rule, WELL, WELL), [], rule.when);
    const now = { ...WELL, ...worse };
    assert.deepEqual(findingsIn(rule, now, WELL).map((finding) => finding.text), [text]);
    const other: AlertRule = Object.assign({ ...rule }, { plugin: "x", sink: "x", source: "x", node: "x" });
    assert.deepEqual(findingsIn(other, now, WELL), [], `${rule.when} of another`);
  }
  assert.deepEqual(findingsIn({ when: "failing" }, { ...WELL, sinks: [{ ...SINK, retried: 9, done: 6 }] }, WELL), []);
  for (const when of ["dead", "failing"] as const) {
    assert.deepEqual(
      findingsIn({ when }, { ...WELL, sinks: [{ ...SINK, dead: 9, retried: 9 }] }, null),
      [],
      "first look",
    );
  }
});

Deno.test("alerts: told when it begins, again when it lasts, and when it is over; after a failover not anew", () => {
  const open = new Map();
  const at = (minutes: number, ...ids: string[]) =>
    alertsFrom(ids.map((id) => ({ id, text: `${id}!` })), open, { nowMs: minutes * 60_000, againMs: 600_000 })
      .map(({ id, state, since }) => `${id} ${state} ${since.slice(14, 16)}`);
  assert.deepEqual(at(0, "a"), ["a begins 00"]);
  assert.deepEqual(at(5, "a", "b"), ["b begins 05"]);
  assert.deepEqual(at(10, "a", "b"), ["a goes on 00"]);
  const kept = new Map(Object.entries(JSON.parse(JSON.stringify(Object.fromEntries(open)))));
  assert.deepEqual(kept, open);
  assert.deepEqual(at(11, "b"), ["a is over 00"]);
  assert.deepEqual(at(12), ["b is over 05"]);
  assert.deepEqual(at(13), []);
});

Deno.test("alerts: it may connect to its webhooks and to nothing else", () => {
  const source = alerts({
    rules: [],
    to: [{ webhook: "https://a.example/x" }, { webhook: "http://b.example:81/" }, {
      actor: { facility: "H", id: "ops" },
    }],
  });
  assert.deepEqual(source.permissions, { net: ["a.example:443", "b.example:81"] });
  assert.throws(() => alerts({ rules: [], to: [{ webhook: "nowhere" }] }), TypeError);
});
