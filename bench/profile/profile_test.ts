import assert from "node:assert/strict";
import { costsOf, costTable, meanCosts, totalOf } from "./cost_table.ts";
import { callTree, functionTimes, mergedCalls, type Profile, roomTimes } from "./cpu_profile.ts";
import { flameGraph } from "./flame_graph.ts";

const frame = (functionName: string, url = "") => ({ functionName, url, lineNumber: 4 });
const PROFILE: Profile = {
  nodes: [
    { id: 1, callFrame: frame("(root)"), children: [2, 3, 4, 8] },
    { id: 2, callFrame: frame("(idle)") },
    { id: 3, callFrame: frame("(garbage collector)") },
    { id: 4, callFrame: frame("post", "file:///x/runtime/mailroom/mailroom.ts"), children: [5, 6, 7] },
    { id: 5, callFrame: frame("set") },
    { id: 6, callFrame: frame("append", "file:///x/runtime/storage/store.ts") },
    { id: 7, callFrame: frame("op_write") },
    { id: 8, callFrame: frame("post", "ext:deno_node/inspector.js"), children: [9] },
    { id: 9, callFrame: frame("op_inspector_dispatch") },
  ],
  samples: [2, 3, 4, 5, 6, 7, 6, 9],
  timeDeltas: [1000, 10, 20, 30, 40, 50, 60, 5000],
};

Deno.test("a profile's time goes to rooms, without idling and without the profiler", () => {
  const tree = callTree(PROFILE);
  assert.deepEqual(Object.fromEntries(roomTimes(tree)), { gc: 10, mailroom: 50, storage: 100, native: 50 });
  assert.equal(tree.totalUs, 210);
  assert.equal(functionTimes(tree).get("append storage/store.ts:5"), 100);
});

Deno.test("trees laid over one another add up", () => {
  const tree = callTree(PROFILE);
  const merged = mergedCalls("all", [tree, tree]);
  assert.equal(merged.totalUs, 420);
  assert.equal(merged.calls.length, 2);
  assert.equal(roomTimes(merged).get("storage"), 200);
});

Deno.test("CPU of the main thread is shared out among rooms, that of others is shown by itself", () => {
  const threads = new Map([["main", 2], ["V8 DefaultWorke", 1], ["quic", 0.5]]);
  const costs = costsOf(threads, new Map([["storage", 30], ["gc", 10], ["nobody knows", 40]]), 1_000_000);
  assert.deepEqual(Object.fromEntries(costs), {
    "storage": 0.75,
    "gc": 0.25,
    "other": 1,
    "V8's threads": 1,
    "other threads": 0.5,
  });
  assert.equal(totalOf({ name: "writer", costs }), 3.5);
  assert.equal(meanCosts([costs, new Map()]).get("gc"), 0.125);
});

Deno.test("a thread without samples is not lost", () => {
  assert.deepEqual([...costsOf(new Map([["main", 1]]), new Map(), 1_000_000)], [["other", 1]]);
});

Deno.test("the table has sums and the budget", () => {
  const text = costTable([
    { name: "client", costs: new Map([["client", 1.5], ["gc", 0.25]]) },
    { name: "each follower", costs: new Map([["storage", 2]]) },
  ]);
  assert.match(text, /^sum +1\.75 +2\.00$/m);
  assert.match(text, /^budget +2\.00 +1\.50$/m);
  assert.match(text, /^storage +2\.00$/m);
});

Deno.test("a flame graph draws what is wide enough, by name, safely", () => {
  const leaf = (name: string, us: number) => ({ name, room: "storage", selfUs: us, totalUs: us, calls: [] });
  const calls = [leaf("narrow", 0.01), leaf('<wide> & "loud"', 999.99)];
  const svg = flameGraph({ name: "all", room: "native", selfUs: 0, totalUs: 1000, calls }, {
    title: "a < b",
    unit: (us) => `${us} us`,
  });
  assert.equal(svg.match(/<g>/g)?.length, 2);
  assert.match(svg, /<title>&lt;wide&gt; &amp; &quot;loud&quot; \(storage\): 999.99 us, 100.0 %/);
  assert.match(svg, /a &lt; b/);
  assert.doesNotMatch(svg, /narrow|https?:\/\/(?!www\.w3\.org)/);
});

Deno.test("nothing measured makes a picture all the same", () => {
  assert.match(flameGraph(mergedCalls("all", []), { title: "", unit: String }), /<\/svg>\n$/);
});
