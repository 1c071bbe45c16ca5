import assert from "node:assert/strict";
import fc from "fast-check";
import { checkHandler, replay } from "@waterpark/waterpark/testing";
import census from "./census.ts";

const WARD = fc.constantFrom("5W", "6E", "ICU");
const ADMIT = fc.record({ type: fc.constant("admit"), ward: WARD });
const OTHER = fc.record({ type: fc.constantFrom("discharge", "note"), ward: WARD }, { requiredKeys: ["type"] });

Deno.test("census: an admission moves the patient and tells the ward", () => {
  const { projections, effects, problem } = replay(census, [
    { type: "admit", ward: "5W" },
    { type: "admit", ward: "6E" },
  ]);
  assert.deepEqual([projections, problem], [{ ward: "6E", moves: 2 }, null]);
  assert.deepEqual(effects[1], {
    type: "send",
    key: { kind: "ward", facility: "HOSPX", id: "6E" },
    message: { type: "arrived", body: { type: "arrived", patient: "1001" } },
  });
});

Deno.test("census: whatever comes in, the ward is that of the last admission", () => {
  const { types } = checkHandler(census, {
    messages: fc.oneof(ADMIT, OTHER, fc.string()),
    invariants: {
      "the ward is that of the last admission": ({ ward }, history) => {
        const last = history.findLast(({ type }) => type === "admit");
        return ward === (last?.body.ward ?? "") || `it is ${ward}`;
      },
      "every admission is told to its ward": ({ moves }, history, effects) => {
        const wards = history.filter(({ type }) => type === "admit").map(({ body }) => body.ward);
        const told = effects.map((effect) => effect.type === "send" && effect.key.id);
        return (moves === wards.length && told.join() === wards.join()) || `told are ${told.join()}`;
      },
    },
  });
  assert.ok(types.admit > 0 && types.note > 0);
});
