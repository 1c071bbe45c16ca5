import { defineHandler } from "@waterpark/waterpark";
export default defineHandler({
  name: "own_rule",
  kind: "patient",
  initial: { admissions: 0 },
  handle: (_key, kept, { type }) => ["ok", { admissions: kept.admissions + (type === "admit" ? 1 : 0) }, []],
});
export const checks = {
  invariants: { "nobody comes twice": ({ admissions }: { admissions: number }) => admissions < 2 || "came again" },
};
