import assert from "node:assert/strict";
import { Metrics } from "./metrics.ts";

Deno.test("metrics: samples are taken at the scrape and carry the node's labels", async () => {
  let value = 1;
  const metrics = new Metrics({
    labels: { node: "TN-A-1" },
    collect: () => [{ name: "writers", help: "shards written here", value }],
  });
  assert.match(await metrics.text(), /waterpark_writers\{node="TN-A-1"\} 1/);
  value = 7;
  assert.match(await metrics.text(), /waterpark_writers\{node="TN-A-1"\} 7/);
});
