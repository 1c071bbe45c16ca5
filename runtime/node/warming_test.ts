import assert from "node:assert/strict";
import type { PluginRecord, PluginVersion } from "../topology/mod.ts";
import { isWarm, whyNot } from "./warming.ts";

Deno.test("a node is waited for until it is through with the actors that it had at first", () => {
  const wanted = new Map<number, number>();
  assert.equal(isWarm(1, null, wanted), false, "it does not fold the version yet");
  assert.equal(isWarm(1, { actors: 3, all: 10 }, wanted), false);
  assert.equal(isWarm(1, { actors: 9, all: 40 }, wanted), false);
  assert.equal(isWarm(1, { actors: 10, all: 40 }, wanted), true, "those born since are followed from birth");
  assert.equal(isWarm(2, { actors: 0, all: 0 }, wanted), true, "it writes nothing");
  assert.equal(isWarm(3, undefined, wanted), true, "who does not answer is not waited for");
});

Deno.test("a node that has given shards away is waited for no longer than for what it has", () => {
  const wanted = new Map<number, number>();
  assert.equal(isWarm(1, { actors: 0, all: 10 }, wanted), false);
  assert.equal(isWarm(1, { actors: 4, all: 5 }, wanted), false);
  assert.equal(isWarm(1, { actors: 5, all: 5 }, wanted), true);
});

Deno.test("a version goes live only while it is the one wanted", () => {
  const version = (number: number, more: Partial<PluginVersion> = {}): PluginVersion => ({
    version: number,
    hash: `h${number}`,
    url: "",
    bytes: new Uint8Array(),
    stage: "dark",
    percent: 0,
    proven: false,
    actorKind: "patient",
    deployedAtMs: 0,
    ...more,
  });
  const record = (live: number, ...versions: PluginVersion[]): PluginRecord => ({
    name: "p",
    kind: "handler",
    live,
    versions,
  });
  assert.equal(whyNot(record(1, version(1), version(2)), 2), null);
  assert.match(whyNot(record(1, version(1)), 2)!, /not kept/);
  assert.match(whyNot(record(1, version(1), version(2, { withdrawn: "no" })), 2)!, /taken back/);
  assert.match(whyNot(record(1, version(1), version(2), version(3)), 2)!, /version 3 was deployed/);
  assert.equal(whyNot(record(1, version(1), version(2), version(3, { withdrawn: "no" })), 2), null);
});
