import { equal } from "node:assert/strict";
import { problemOf, statusOf } from "./problem.ts";

Deno.test("problem: what passes by itself is 503 and says when; what somebody must look at first is not", () => {
  const status: [string, number][] = [
    ["mailroom/timeout", 503],
    ["replication/no-writer", 503],
    ["topology/behind", 503],
    ["node/not-ready", 503],
    ["node/diff-not-accepted", 409],
    ["node/other-actors", 409],
    ["node/superseded", 409],
    ["topology/is-live", 409],
    ["plugin_host/does-not-load", 400],
    ["actors/history-too-long", 413],
  ];
  for (const [code, wanted] of status) {
    equal(statusOf(code), wanted, code);
    const { retryAfterMs } = problemOf({ code, outcome: "not-applied", message: "Cannot" });
    equal(retryAfterMs !== undefined, wanted === 503, code);
  }
});
