import assert from "node:assert/strict";
import { InlineHost, SeededRandom, SimulatedTime, simulatedWorld } from "@waterpark/waterpark/testing";
import census from "./census.ts";

Deno.test("census: an admission moves the patient and tells the ward", () => {
  const time = new SimulatedTime();
  const host = new InlineHost({ world: simulatedWorld({ time, random: new SeededRandom(1) }) });
  host.load("v1", census);
  const messages = ["5W", "6E"].map((ward, i) => ({
    id: `m${i}`,
    seq: i + 1,
    atMs: 0,
    type: "admit",
    contentType: "application/json",
    payload: new TextEncoder().encode(JSON.stringify({ type: "admit", ward })),
  }));
  const answers: unknown[] = [];
  host.fold({
    plugin: "census",
    hash: "v1",
    key: "patient/HOSPX/1001",
    after: 0,
    messages,
    wantProjections: true,
    fresh: false,
    switches: {},
  }, (answer) => answers.push(answer));
  time.step();
  const [answer] = answers as [{ state: string; projections: unknown; results: { effects: unknown[] }[] }];
  assert.equal(answer.state, "ok");
  assert.deepEqual(answer.projections, { ward: "6E", moves: 2 });
  assert.deepEqual(answer.results[1].effects, [{
    type: "send",
    key: { kind: "ward", facility: "HOSPX", id: "6E" },
    message: { type: "arrived", body: { type: "arrived", patient: "1001" } },
  }]);
});
