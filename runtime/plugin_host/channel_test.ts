import assert from "node:assert/strict";
import { defineChannel } from "./channel.ts";
import { InlineHost } from "./inline_host.ts";
import type { FoldAnswer } from "../actors/mod.ts";
import { SeededRandom, SimulatedTime, simulatedWorld } from "../world/mod.ts";
import type { HandlerDefinition } from "./sdk.ts";

const HL7 = "x-application/hl7-v2+er7";
const LAB = ["MSH|^~\\&|LAB|H|||20260102||ORU^R01|7|P|2.5", "PID|1||1001", "OBX|1|NM|718-7^Hb||5.1|g/dL||HH"].join(
  "\r",
);

function folded(
  channel: HandlerDefinition<never> | unknown,
  messages: [type: string, contentType: string, body: string][],
) {
  const time = new SimulatedTime();
  const host = new InlineHost({ world: simulatedWorld({ time, random: new SeededRandom(1) }) });
  host.load("v1", channel as HandlerDefinition);
  let answer: FoldAnswer | undefined;
  host.fold({
    ...{ plugin: "c", hash: "v1", key: "patient/H/1001", after: 0, wantProjections: true, fresh: false, switches: {} },
    messages: messages.map(([type, contentType, body], i) => ({
      ...{ id: `m${i}`, seq: i + 1, atMs: 1, type, contentType },
      payload: new TextEncoder().encode(body),
    })),
  }, (given) => answer = given);
  time.step();
  assert.ok(answer !== undefined);
  return answer;
}

const channel = (whenFails: "park" | "skip" = "park") =>
  defineChannel({
    name: "lab-results",
    whenFails,
    filter: ({ type }) => type.startsWith("ORU"),
    destinations: [
      { name: "archive", sink: "lab-archive", answerAs: "archived" },
      {
        name: "critical",
        sink: "pager",
        filter: ({ body }) => body.get("OBX-8") === "HH",
        transform: ({ body }, key) => [
          { type: "page", body: { patient: key.id, code: body.get("OBX-3.1") }, options: { urgency: "high" } },
          { body: "twice", contentType: "text/plain" },
        ],
      },
      { name: "never", sink: "nobody", transform: () => null },
    ],
  });

Deno.test("channel: filters, transforms and counts; without a transform HL7 leaves as it came", () => {
  const answer = folded(channel(), [
    ["ORU^R01", HL7, LAB],
    ["ADT^A01", HL7, LAB.replace("ORU^R01", "ADT^A01")],
    ["ORU^R01", HL7, LAB.replace("HH", "N")],
    ["archived", "text/plain", "MSA|AA|7"],
  ]);
  assert.equal(answer.state, "ok");
  if (answer.state !== "ok") return;
  assert.deepEqual(answer.projections, {
    received: 3,
    filtered: 1,
    failed: 0,
    sent: { archive: 2, critical: 1 },
  });
  assert.deepEqual(answer.results[0].effects, [
    {
      ...{ type: "deliver", sink: "lab-archive", answerAs: "archived" },
      message: { type: "ORU^R01", contentType: HL7, body: LAB },
    },
    {
      ...{ type: "deliver", sink: "pager", options: { urgency: "high" } },
      message: { type: "page", body: { patient: "1001", code: "718-7" } },
    },
    { type: "deliver", sink: "pager", message: { type: "ORU^R01", contentType: "text/plain", body: "twice" } },
  ]);
  assert.deepEqual(answer.results.slice(1).map(({ effects }) => effects.length), [0, 1, 0]);
});

Deno.test("channel: a transform that throws parks the actor, or is passed over with an alarm that quotes nothing", () => {
  const broken: [string, string, string][] = [["ORU^R01", "application/json", '{"name": "Doe"}']];
  assert.equal(folded(channel(), broken).state, "fault");
  const answer = folded(channel("skip"), broken);
  assert.ok(answer.state === "ok");
  assert.deepEqual(answer.results[0].effects.map((one) => one.type === "alert" && one.code), ["lab-results/failed"]);
  assert.ok(!JSON.stringify(answer.results).includes("Doe"));
  assert.deepEqual(answer.projections, { received: 1, filtered: 0, failed: 1, sent: {} });
});

Deno.test("channel: what is none says why", () => {
  const one = { name: "a", sink: "lab" };
  for (const destinations of [[], [{ ...one, sink: "Lab" }], [one, one], [{ sink: "lab" }]]) {
    assert.throws(
      () => defineChannel({ name: "c", destinations: destinations as never }),
      /Cannot define the channel as/,
    );
  }
});
