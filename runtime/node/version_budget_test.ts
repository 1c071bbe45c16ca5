import { equal, match } from "node:assert/strict";
import type { PluginVersion } from "../topology/mod.ts";
import { onTrial, whyBack } from "./version_budget.ts";

const version = (number: number, more: Partial<PluginVersion> = {}): PluginVersion => ({
  version: number,
  hash: String(number),
  url: "",
  bytes: new Uint8Array(),
  stage: "dark",
  percent: 0,
  proven: true,
  actorKind: "*",
  deployedAtMs: 0,
  ...more,
});

Deno.test("budget: more than 20 actors, or more than 1 % of a hundred and more", () => {
  equal(whyBack({ parked: 20, actors: 0 }), null);
  match(whyBack({ parked: 21, actors: 1_000_000 })!, /21 actors, more than 20/);
  equal(whyBack({ parked: 1, actors: 6 }), null, "one of six says nothing");
  equal(whyBack({ parked: 1, actors: 100 }), null, "exactly 1 % is within");
  match(whyBack({ parked: 2, actors: 100 })!, /2 of 100 actors, more than 1 %/);
});

Deno.test("budget: on trial is the canary, or who replaced somebody that still folds along", () => {
  const live = version(2, { stage: "live" });
  equal(onTrial({ live, canary: version(3), dark: [] })?.version, 3);
  equal(onTrial({ live, canary: null, dark: [version(1)] })?.version, 2);
  equal(onTrial({ live, canary: null, dark: [] }), null, "there is nobody to go back to");
  equal(onTrial({ live, canary: null, dark: [version(3, { proven: false })] }), null, "a candidate is no way back");
});
