import assert from "node:assert/strict";
import { EFFECT_TYPES } from "../effects/mod.ts";
import { packEffect, problemOfEffect, unpackEffect } from "./effect_check.ts";
import { defineHandler, effect } from "./sdk.ts";

const ward = { kind: "ward", facility: "H", id: "5W" };

Deno.test("defineHandler infers the projections' type and refuses what is no handler", () => {
  const handler = defineHandler({
    name: "count",
    kind: "patient",
    initial: { n: 0 },
    handle: (_key, projections) => ["ok", { n: projections.n + 1 }, []],
  });
  const n: number = handler.initial.n;
  assert.equal(n, 0);
  for (const wrong of [{ name: "Count" }, { kind: "" }, { handle: 1 as never }, { initial: undefined as never }]) {
    assert.throws(() => defineHandler({ ...handler, ...wrong }), TypeError);
  }
});

Deno.test("the example of the documentation is a handler as it stands", () => {
  const census = defineHandler({
    name: "census",
    kind: "patient",
    initial: { ward: null },
    handle(key, projections, message, _history) {
      if (message.type !== "admit") return ["ok", projections, []];
      return ["ok", { ward: message.body.ward }, [
        effect.send({ kind: "ward", facility: key.facility, id: message.body.ward }, {
          type: "arrived",
          patient: key.id,
        }),
      ]];
    },
  });
  assert.equal(census.kind, "patient");
});

Deno.test("effects are data that passes the check, every type of them", () => {
  const effects = [
    effect.send(ward, { type: "arrived", patient: "1" }),
    effect.send({ facility: "H", id: "1" }, { type: "a", body: "MSH|^~\\&|", contentType: "x-application/hl7-v2+er7" }),
    effect.emit({ type: "derived", body: { n: 1 } }),
    effect.reply({ beds: 3 }),
    effect.alert("census/full", "no bed is free"),
    effect.schedule("day", { afterMs: 86_400_000 }, { type: "day" }),
    effect.schedule("day", { at: 0 }, { type: "scan", body: Uint8Array.of(200) }),
    effect.cancel("day"),
    effect.retire(),
    effect.deliver("lab", { type: "t", body: 1 }, { topic: "a" }),
  ];
  for (const each of effects) assert.equal(problemOfEffect(JSON.parse(JSON.stringify(packEffect(each)))), null);
  assert.deepEqual([...new Set(effects.map((each) => each.type))].sort(), [...EFFECT_TYPES].sort());
  assert.deepEqual(effects[0], {
    type: "send",
    key: ward,
    message: { type: "arrived", body: { type: "arrived", patient: "1" } },
  });
});

Deno.test("a body of bytes crosses as a string and comes back as bytes", () => {
  const sent = effect.emit({ type: "scan", body: Uint8Array.of(0, 127, 128, 255) });
  const crossed = JSON.parse(JSON.stringify(packEffect(sent)));
  assert.equal(problemOfEffect(crossed), null);
  assert.deepEqual(unpackEffect(crossed), sent);
});

Deno.test("what is no effect is named", () => {
  const codes = [
    { type: "http", url: "https://example.org" },
    { type: "send", key: { facility: "H" }, message: { type: "a" } },
    { type: "send", key: ward, message: "a" },
    { type: "emit", message: { type: 1 } },
    { type: "alert", text: "no code" },
    { type: "reply", boddy: 1 },
    { type: "schedule", name: "", at: 1, message: { type: "a" } },
    { type: "schedule", name: "a", message: { type: "a" } },
    { type: "schedule", name: "a", at: 1, afterMs: 1, message: { type: "a" } },
    { type: "schedule", name: "a", at: -1, message: { type: "a" } },
    { type: "schedule", name: "a", afterMs: null, message: { type: "a" } },
    { type: "schedule", name: "a", afterMs: 9e15, message: { type: "a" } },
    { type: "schedule", name: "a", afterMs: 1 },
    { type: "cancel" },
    { type: "retire", now: true },
    { type: "deliver", sink: "No", message: { type: "t" } },
    { type: "deliver", sink: "lab", message: { type: "t" }, options: { a: 1 } },
    { type: "deliver", sink: "lab", message: { type: "t" }, options: [] },
    null,
  ].map((each) => problemOfEffect(each)?.code);
  assert.deepEqual(codes, ["plugin_host/unknown-effect", ...Array(18).fill("plugin_host/bad-effect")]);
});
