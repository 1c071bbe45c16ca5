// A handler with a bug, and what its author believes: for the transcript of `waterpark sim`.
import { defineHandler } from "@waterpark/waterpark";
import type { SimulationPlan } from "@waterpark/waterpark/testing";

export default defineHandler({
  name: "one_ward",
  kind: "patient",
  initial: { wards: [] as string[] },
  handle(_key, { wards }, { type, body }) {
    if (type === "admit") return ["ok", { wards: [...wards, body.ward] }, []];
    return ["ok", { wards: type === "discharge" ? [] : wards }, []];
  },
});

export const simulation: SimulationPlan = {
  messages: (chance) => {
    const type = chance.next() < 0.9 ? "admit" : "discharge";
    return { key: `HOSPX/${1 + chance.below(3)}`, message: { type, ward: "5W" } };
  },
  invariants: {
    "a patient is on one ward": ({ wards }) => wards.length <= 1 || `on ${wards.join(" and ")}`,
  },
};
