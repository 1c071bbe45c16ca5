import assert from "node:assert/strict";
import type { ActorPlace, NodeView, TopologyView } from "../client.ts";
import { drawTopology } from "./topology_drawing.ts";

function node(name: string, more: Partial<NodeView> = {}): NodeView {
  const [dataCenter, zone] = name.split("-");
  const addresses = { address: "127.0.0.1:4600", http: "http://127.0.0.1:8600", mllp: null };
  return {
    name,
    dataCenter,
    zone,
    incarnation: 1,
    ...addresses,
    status: "up",
    alive: true,
    shards: 512,
    copies: 1024,
    ...more,
  };
}

const VIEW: TopologyView = {
  ack: { copies: 3, dataCenters: 2 },
  clusterId: "c1",
  version: 9,
  copies: 5,
  node: "TN-A-1",
  born: true,
  homes: ["TN", "TX", "TN"],
  nodes: [
    node("TN-A-1"),
    node("TN-A-2", { alive: false, shards: 256 }),
    node("TX-A-1", { status: "draining", shards: 0 }),
  ],
};
const PLACE: ActorPlace = {
  key: "patient/HOSPX/1001",
  shard: "S00/017",
  generation: 1,
  term: 4,
  writer: "TN-A-1",
  followers: ["TN-A-2"],
  target: ["TN-A-1", "TX-A-1"],
  version: 9,
};

Deno.test("a topology as a picture", () => {
  const drawing = drawTopology(VIEW, { paint: (_, text) => text, place: PLACE });
  assert.equal(
    drawing,
    `\
Waterpark c1  version 9  3 nodes in 2 data centers, 2 alive  1024 shards × 3 copies
╭─ TN ─ home of 2 sets: S00 S02 ─────────────────────────────────────────────────────────────────────╮
│ zone A  ● TN-A-1  writes  512 ▇▇▇▇▇▇▇▇▇▇▇▇  holds 1024  http://127.0.0.1:8600  ✎ writer    ◂ asked │
│         ✗ TN-A-2  writes  256 ▇▇▇▇▇▇        holds 1024  http://127.0.0.1:8600  ↳ follower          │
╰────────────────────────────────────────────────────────────────────────────────────────────────────╯
╭─ TX ─ home of 1 set: S01 ──────────────────────────────────────────────────────────────────────────╮
│ zone A  ◐ TX-A-1  writes    0               holds 1024  http://127.0.0.1:8600  → target            │
╰────────────────────────────────────────────────────────────────────────────────────────────────────╯
● alive  ◐ draining  ✗ silent  ○ absent   as TN-A-1 sees it
patient/HOSPX/1001  shard S00/017  term 4  generation 1
  writer     TN-A-1
  followers  TN-A-2
  target     TN-A-1, TX-A-1 (moving there)`,
  );
});

Deno.test("all lines of the boxes are as long, whatever the colours", () => {
  // deno-lint-ignore no-control-regex -- these are what it takes away
  const bare = (line: string) => line.replace(/\x1b\[\d+m/g, "");
  for (const place of [undefined, PLACE]) {
    const drawing = drawTopology(VIEW, { paint: (_, text) => `\x1b[1m${text}\x1b[0m`, place });
    const lengths = drawing.split("\n").map(bare).filter((line) => /^[╭│╰]/.test(line)).map((line) => line.length);
    assert.equal(new Set(lengths).size, 1, drawing);
  }
});

Deno.test("a topology that is not born, without nodes", () => {
  const drawing = drawTopology({ ...VIEW, born: false, homes: [], nodes: [] }, { paint: (_, text) => text });
  assert.ok(drawing.includes("not born yet"));
});
