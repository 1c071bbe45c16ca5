import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { applyCommand } from "./apply.ts";
import { emptyState, type TopologyState } from "./state.ts";
import { EVERYWHERE_AFTER } from "./apply_plugins.ts";
import { decides, foldersOf, isAt, isCanaryActor, KEEPS_FOLDING_MS } from "./stages.ts";

const KEYS = Array.from({ length: 2_000 }, (_, i) => `patient/HOSPX/${i}`);
const word = (atMs: number, reason?: string) => ({ by: "ann", atMs, ...reason === undefined ? {} : { reason } });

function say(state: TopologyState, command: Record<string, unknown>): TopologyState {
  const { state: next, answer } = applyCommand(state, command);
  ok(answer.ok, JSON.stringify(answer));
  return next;
}

function cluster(): TopologyState {
  const node = { name: "TN-A-1", incarnation: 1, address: "a:1", http: null, mllp: null, protocol: 2 };
  const created = { type: "create", clusterId: "c", copies: 1, expect: 1, shardsPerSet: 1 };
  return say(say(emptyState(), created), { type: "join", node });
}

function deployOf(hash: number, stage: string, more = {}): Record<string, unknown> {
  const about = { name: "census", kind: "handler", actorKind: "patient", url: "x", bytes: new Uint8Array(3) };
  return { type: "deploy", ...about, hash: String(hash).repeat(64), stage, atMs: 5, word: word(5), ...more };
}

const folding = (state: TopologyState, nowMs = 0) => {
  const { live, canary, dark } = foldersOf(state.plugins.census, nowMs);
  return [live?.version ?? 0, canary?.version ?? 0, dark.map((one) => one.version)];
};

Deno.test("stages: a canary gets its part, keeps what it has when it is raised, and lists count", () => {
  for (const percent of [1, 10, 50]) {
    const share = KEYS.filter((key) => isCanaryActor("census", key, percent)).length / KEYS.length;
    ok(Math.abs(share * 100 - percent) < 3, `${percent} % were ${share * 100}`);
  }
  fc.assert(fc.property(fc.string(), fc.nat(100), fc.nat(100), (key, a, b) => {
    const [less, more] = [Math.min(a, b), Math.max(a, b)];
    ok(!isCanaryActor("census", key, less) || isCanaryActor("census", key, more));
    ok(isCanaryActor("census", key, 100) && !isCanaryActor("census", key, 0));
  }));
  ok(decides("census", { percent: 0, actors: ["patient/H/1"] }, "patient/H/1"));
  ok(!decides("census", { percent: 0, actors: ["patient/H/1"] }, "patient/H/2"));
});

Deno.test("stages: dark, canary, live, back: who folds, who decides, what is written down", () => {
  let state = say(cluster(), deployOf(1, "live"));
  state = say(state, deployOf(2, "dark"));
  deepEqual(folding(state), [1, 0, [2]]);
  state = say(state, { type: "promote", name: "census", stage: "canary", percent: 20, word: word(6) });
  deepEqual(folding(state), [1, 2, []]);
  state = say(state, { type: "promote", name: "census", word: word(7) });
  deepEqual(folding(state), [2, 0, [1]], "who was live folds on");
  deepEqual(folding(state, 7 + KEEPS_FOLDING_MS), [2, 0, []], "for a day");
  state = say(state, { type: "rollback", name: "census", from: 2, word: word(8, "too slow") });
  deepEqual(folding(state), [1, 0, []], "who was taken back folds no more");
  equal(state.plugins.census.versions[1].withdrawn, "too slow");
  deepEqual(
    state.plugins.census.deeds!.map(({ deed, version, stage, by, atMs, reason }) =>
      [deed, version, stage, by, atMs, reason].filter((it) => it !== undefined)
    ),
    [
      ["deploy", 1, "live", "ann", 5],
      ["deploy", 2, "dark", "ann", 5],
      ["promote", 2, "canary", "ann", 6],
      ["promote", 2, "live", "ann", 7],
      ["rollback", 2, "dark", "ann", 8, "too slow"],
    ],
  );
  const { answer } = applyCommand(state, { type: "rollback", name: "census", from: 2, word: word(9) });
  ok(answer.ok && !answer.changed, "a rollback may be repeated");
});

Deno.test("stages: a canary is taken back without touching who is live; a second canary takes the first's place", () => {
  let state = say(cluster(), deployOf(1, "live"));
  state = say(state, deployOf(2, "canary", { percent: 5 }));
  state = say(state, deployOf(3, "canary", { actors: ["patient/H/1"] }));
  deepEqual(folding(state), [1, 3, [2]]);
  state = say(state, { type: "rollback", name: "census", from: 3, word: word(9) });
  deepEqual(folding(state), [1, 0, [2]]);
  equal(state.plugins.census.live, 1);
});

Deno.test("stages: a version for another kind of actors folds once it is live, and the one that it replaced no more", () => {
  let state = say(cluster(), deployOf(1, "live"));
  state = say(state, deployOf(2, "dark", { actorKind: "ward" }));
  deepEqual(folding(state), [1, 0, []]);
  // nodes refuse it; one of an older version may not have
  const canary = say(state, { ...STEP, percent: 5 });
  deepEqual(folding(canary), [1, 0, []]);
  state = say(state, { type: "promote", name: "census", word: word(6) });
  deepEqual(folding(state), [2, 0, []]);
  state = say(state, { type: "rollback", name: "census", from: 2, word: word(7) });
  deepEqual(folding(state), [1, 0, []]);
});

Deno.test("stages: whatever is said, one version at most is live, one a canary, and none decides that was taken back", () => {
  const commands = fc.oneof(
    fc.record({ hash: fc.integer({ min: 1, max: 4 }), stage: fc.constantFrom("dark", "canary", "live") }).map(
      ({ hash, stage }) => deployOf(hash, stage),
    ),
    fc.record({ version: fc.integer({ min: 1, max: 8 }), stage: fc.constantFrom("canary", "live") }).map((it) => ({
      type: "promote",
      name: "census",
      word: word(1),
      ...it,
    })),
    fc.integer({ min: 1, max: 8 }).map((from) => ({ type: "rollback", name: "census", from, word: word(2) })),
  );
  fc.assert(fc.property(fc.array(commands, { maxLength: 30 }), (said) => {
    let state = say(cluster(), deployOf(1, "live"));
    for (const command of said) {
      state = applyCommand(state, command).state;
      const { live, versions } = state.plugins.census;
      const staged = (stage: string) => versions.filter((one) => one.stage === stage).map((one) => one.version);
      deepEqual(staged("live"), live === null ? [] : [live]);
      ok(staged("canary").length <= 1);
      for (const one of versions) ok(one.withdrawn === undefined || one.stage === "dark", "taken back, and decides");
      const folders = foldersOf(state.plugins.census, 0);
      const hashes = [folders.live?.hash, folders.canary?.hash, ...folders.dark.map((one) => one.hash)];
      equal(new Set(folders.dark.map((one) => one.hash)).size, folders.dark.length);
      ok(hashes.length <= 4);
    }
  }));
});

Deno.test("stages: older code must not read what it would pass over", () => {
  const old = { name: "TN-A-2", incarnation: 2, address: "a:2", http: null, mllp: null, protocol: 1 };
  const state = say(cluster(), { type: "join", node: old });
  const { answer } = applyCommand(state, { ...deployOf(1, "canary"), since: 2 });
  ok(!answer.ok && answer.code === "topology/not-spoken");
});

Deno.test("stages: a canary at a place; what goes by itself keeps its plan from ring to ring, and loses it at the end", () => {
  let state = say(cluster(), deployOf(1, "live"));
  state = say(state, deployOf(2, "canary", { percent: 1, rings: "{}" }));
  const canary = () => state.plugins.census.versions.find(({ version }) => version === 2)!;
  state = say(state, { ...STEP, where: "TN-A", word: word(6, "by itself") });
  deepEqual([canary().where, canary().percent, canary().rings], ["TN-A", 0, "{}"]);
  equal(state.plugins.census.deeds?.at(-1)?.where, "TN-A");
  equal(applyCommand(state, { ...STEP, where: "tn" }).answer.ok, false);
  state = say(state, { type: "promote", name: "census", word: word(7) });
  deepEqual([canary().stage, canary().where, canary().rings], ["live", undefined, undefined]);
  ok(isAt("TN-A-1", "TN-A-1") && isAt("TN-A-1", "TN-A") && isAt("TN-A-1", "TN") && !isAt("TN-A-12", "TN-A-1"));
});

const STEP = { type: "promote", name: "census", stage: "canary", percent: 0 };

Deno.test("stages: with a pace nobody decides everywhere too soon, but for the first, and for who was there before", () => {
  const pace = { type: "setting", name: EVERYWHERE_AFTER, value: 100 };
  let state = say(say(cluster(), pace), deployOf(1, "live"));
  const refusal = (command: Record<string, unknown>) => {
    const { answer } = applyCommand(state, command);
    return answer.ok ? "" : answer.code;
  };
  equal(refusal(deployOf(2, "live")), "topology/too-soon");
  state = say(state, deployOf(2, "canary", { percent: 10, word: word(50) }));
  equal(refusal({ type: "promote", name: "census", word: word(149) }), "topology/too-soon");
  state = say(state, { type: "promote", name: "census", word: word(150) });
  equal(refusal({ type: "rollback", name: "census", word: word(151) }), "");
  state = say(state, { type: "rollback", name: "census", word: word(151) });
  equal(state.plugins.census.live, 1);
});
