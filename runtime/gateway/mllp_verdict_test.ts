import assert from "node:assert/strict";
import { acknowledgementsOf, type MllpAcknowledge, type Verdict } from "./mllp_verdict.ts";

const said = (mode: MllpAcknowledge, accept: string, application: string) =>
  (["AA", "AE", "AR"] as Verdict["code"][])
    .map((code) => acknowledgementsOf(code, { accept, application }, mode).join("+") || "-").join(" ");

Deno.test("acknowledging: by what MSH-15 and MSH-16 ask for", () => {
  const table: [accept: string, application: string, answers: string][] = [
    ["", "", "AA AE AR"],
    ["AL", "", "CA CE CR"],
    ["AL", "NE", "CA CE CR"],
    ["AL", "AL", "CA+AA CE CR"],
    ["AL", "ER", "CA CE CR"],
    ["AL", "SU", "CA+AA CE CR"],
    ["ER", "AL", "AA CE CR"],
    ["SU", "AL", "CA+AA AE AR"],
    ["NE", "AL", "AA AE AR"],
    ["NE", "ER", "- AE AR"],
    ["", "SU", "AA - -"],
    ["NE", "NE", "- - -"],
    ["ER", "NE", "- CE CR"],
    ["SU", "", "CA - -"],
    ["XX", "", "CA CE CR"],
  ];
  for (const [accept, application, answers] of table) {
    assert.equal(said("by-message", accept, application), answers, `MSH-15 ${accept}, MSH-16 ${application}`);
  }
});

Deno.test("acknowledging: one answer for senders that cannot do two steps, or whatever they ask", () => {
  assert.equal(said("aa", "AL", "AL"), "AA AE AR");
  assert.equal(said("aa", "", ""), "AA AE AR");
  assert.equal(said("aa", "ER", "NE"), "- AE AR");
  assert.equal(said("aa", "NE", "NE"), "- - -");
  assert.equal(said("original", "NE", "NE"), "AA AE AR");
  assert.equal(said("original", "AL", "AL"), "AA AE AR");
});
