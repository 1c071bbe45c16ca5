import assert from "node:assert/strict";
import { SimulatedTime } from "../../runtime/world/mod.ts";
import { simulate } from "./simulate.ts";
import { Trace } from "./trace.ts";

Deno.test("trace: columns stand where the README says, whatever they hold", () => {
  const lines: string[] = [];
  const time = new SimulatedTime();
  const trace = new Trace(time, (line) => lines.push(line));
  time.runUntil(1234.5674);
  trace.write({ node: "TN-A-1", room: "replication", event: "writer-gained", shard: "S00/017", term: 3 });
  trace.write({ node: "-", room: "fault", event: "end" });
  trace.write({
    node: "client-3",
    room: "client",
    event: "refused",
    text: 'two "words"',
    members: ["a", 1],
    empty: "",
  });
  assert.deepEqual(lines, [
    "    1234.567  TN-A-1      replication  writer-gained     shard=S00/017 term=3",
    "    1234.567  -           fault        end",
    '    1234.567  client-3    client       refused           text="two \\"words\\"" members=a,1 empty=""',
  ]);
});

Deno.test("trace: every line of a simulation has time, node, room and event in their columns, and time never goes back", () => {
  const lines: string[] = [];
  const override = { safetyMs: 4000, crashEveryMs: 800, cutEveryMs: 500, deployEveryMs: 900, restartEveryMs: 0 };
  simulate(4, { traceLevel: "all", trace: (line) => lines.push(line), override });
  const seen = new Set<string>();
  let beforeMs = 0;
  for (const line of lines) {
    const columns = /^ *(\d+\.\d{3}) {2}(\S+) +(\S+) +(\S+)( +\S.*)?$/.exec(line);
    assert.ok(columns !== null, line);
    const [, at, node, room, event] = columns;
    assert.equal(line.slice(14, 26).trimEnd(), node);
    assert.equal(line.slice(26, 39).trimEnd(), room);
    assert.equal(line.slice(39, 57).trimEnd(), event);
    assert.ok(Number(at) >= beforeMs, line);
    beforeMs = Number(at);
    seen.add(`${room} ${event}`);
  }
  const wanted = [
    "node boots",
    "node joined",
    "mesh link-up",
    "mesh link-down",
    "membership suspects",
    "topology published",
    "replication pre-vote",
    "replication election",
    "replication writer-gained",
    "replication writer-lost",
    "replication configured",
    "replication commits",
    "plugins deploy",
    "client sends",
    "client receipt",
    "client turns",
    "fault crash",
    "fault cut",
    "fault end",
    "checker verdict",
  ];
  assert.deepEqual(wanted.filter((one) => !seen.has(one)), []);
});
