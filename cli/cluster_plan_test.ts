import assert from "node:assert/strict";
import fc from "fast-check";
import { nodeArguments, planCluster, rejoinArguments } from "./cluster_plan.ts";

Deno.test("eight nodes over four data centers and two zones, ports in the order of names", () => {
  const plan = planCluster({ dataCenters: ["TN", "TX", "FL", "UT"], zones: 2, nodes: 8, basePort: 4600 });
  assert.deepEqual(plan.map((node) => node.name), "TN-A-1 TN-B-1 TX-A-1 TX-B-1 FL-A-1 FL-B-1 UT-A-1 UT-B-1".split(" "));
  assert.deepEqual(plan[1], {
    name: "TN-B-1",
    mesh: "127.0.0.1:4601",
    http: "127.0.0.1:8601",
    mllp: "127.0.0.1:2576",
  });
});

Deno.test("names differ, data centers and zones differ by at most one node", () => {
  const options = fc.record({ zones: fc.integer({ min: 1, max: 4 }), nodes: fc.integer({ min: 1, max: 60 }) });
  fc.assert(fc.property(options, ({ zones, nodes }) => {
    const names = planCluster({ dataCenters: ["TN", "TX", "FL"], zones, nodes, basePort: 4600 }).map(({ name }) =>
      name
    );
    assert.equal(new Set(names).size, nodes);
    const even = (counts: number[]) => assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, names.join());
    const count = (start: string) => names.filter((name) => name.startsWith(start)).length;
    even(["TN", "TX", "FL"].map(count));
    even(Array.from({ length: zones }, (_, zone) => count(`TN-${String.fromCharCode(65 + zone)}-`)));
  }));
});

Deno.test("the first creates, the others join it", () => {
  const plan = planCluster({ dataCenters: ["TN"], zones: 1, nodes: 2, basePort: 5000 });
  const options = { copies: 3, shards: 128, transport: "auto" };
  assert.ok(nodeArguments(plan, 0, options).join(" ").endsWith("--create --expect 2 --copies 3 --shards 128"));
  assert.ok(nodeArguments(plan, 1, options).join(" ").endsWith("--join 127.0.0.1:5000"));
  // When it comes back the first joins as well: it would create a second cluster.
  const back = rejoinArguments(plan, plan[0], options).join(" ");
  assert.ok(back.endsWith("--join 127.0.0.1:5001") && back.includes("--listen 127.0.0.1:5000 "), back);
});

Deno.test("each node has a folder of its own for its journal, and one alone comes back to nobody", () => {
  const plan = planCluster({ dataCenters: ["TN"], zones: 1, nodes: 2, basePort: 5000 });
  const settings = { transport: "auto", data: "/srv/w", sync: "always" };
  assert.ok(
    nodeArguments(plan, 1, { copies: 3, shards: 128, ...settings }).join(" ").includes(
      "--data /srv/w/TN-A-2 --sync always",
    ),
  );
  assert.ok(rejoinArguments(plan, plan[0], settings).join(" ").includes("--data /srv/w/TN-A-1 --sync always"));
  assert.ok(!rejoinArguments(plan.slice(0, 1), plan[0], settings).includes("--join"));
});

Deno.test("numbers out of bounds are misuse", () => {
  const good = { dataCenters: ["TN"], zones: 1, nodes: 1, basePort: 4600 };
  for (const bad of [{ nodes: 0 }, { nodes: 1.5 }, { zones: 27 }, { basePort: 80 }, { dataCenters: ["T N"] }]) {
    assert.throws(() => planCluster({ ...good, ...bad }), { name: "MisuseError" });
  }
});
