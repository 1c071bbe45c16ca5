import assert from "node:assert/strict";
import fc from "fast-check";
import { checkHandler, replay, simulate } from "@waterpark/waterpark/testing";
import moves from "./moves.ts";
import ward, { type Ward } from "./ward.ts";

const hl7 = (type: string, place: string) =>
  [`MSH|^~\\&|EHR|HOSPX|||20260102030405||${type}|1|P|2.5`, "PID|1||1001", `PV1|1|I|${place}`].join("\r");

Deno.test("ward moves: whom a patient leaves and to whom the patient comes are told, in HL7 and in JSON", () => {
  const { projections, effects, problem } = replay(moves, [
    hl7("ADT^A01", "5W^12^B"),
    { type: "transfer", ward: "ICU" },
    { type: "transfer", ward: "ICU" },
    { type: "admit" },
    { type: "admit", ward: "no/such ward" },
    { type: "admit", ward: ".." },
    hl7("ADT^A03", ""),
  ]);
  assert.deepEqual([projections, problem], [{ ward: null }, null]);
  assert.deepEqual(effects.map((e) => e.type === "send" && `${e.message.type} ${e.key.id}`), [
    "arrived 5W",
    "left 5W",
    "arrived ICU",
    "left ICU",
  ]);
});

Deno.test("ward moves: whatever comes, a patient is on one ward at most", () => {
  const type = fc.constantFrom("admit", "transfer", "discharge", "note");
  const json = fc.record({ type, ward: fc.oneof(fc.constantFrom("5W", "6E", ""), fc.anything()) });
  const adt = fc.tuple(fc.constantFrom("ADT^A01", "ADT^A03", "ADT^A08"), fc.constantFrom("5W^1", "6E", ""));
  checkHandler(moves, {
    messages: fc.oneof(
      json.filter(({ ward }) => isJson(ward)),
      adt.map(([type, place]) => hl7(type, place)),
      fc.string(),
    ),
    invariants: {
      "arrivals and departures alternate": ({ ward }, _history, effects) => {
        const open: string[] = [];
        for (const each of effects) {
          if (each.type !== "send") continue;
          const id = each.key.id;
          if (each.message.type === "arrived") open.push(id);
          else if (open.pop() !== id) return `left ${id} without being there`;
        }
        return open.join() === (ward ?? "") || `on ${open.join()}, not on ${ward}`;
      },
    },
  });
});

Deno.test("ward: the list is that of who came and did not go, and is bounded", () => {
  const many = Array.from({ length: 205 }, (_, i) => ({ type: "arrived", patient: `p${i}`, since: i }));
  const full = replay(ward, [...many, { type: "left", patient: "p204" }, { type: "left", patient: "p0" }]);
  assert.deepEqual([full.projections.patients.length, full.projections.unlisted, full.projections.most], [199, 4, 205]);
  assert.equal(full.effects.length, 1, "said once");
  checkHandler(ward, {
    messages: fc.record({
      type: fc.constantFrom("arrived", "left", "note"),
      patient: fc.oneof(fc.constantFrom("1", "2", "3"), fc.integer()),
      since: fc.oneof(fc.nat(100), fc.string()),
    }),
    invariants: {
      "who came last and did not go is there": ({ patients }: Ward, history) => {
        const there = new Set<string>();
        for (const { type, body: { patient } } of history) {
          if (typeof patient !== "string") continue;
          if (type === "arrived") there.add(patient);
          if (type === "left") there.delete(patient);
        }
        const listed = patients.map(({ id }) => id).sort().join();
        return listed === [...there].sort().join() || `listed are ${listed}`;
      },
    },
  });
});

Deno.test("ward census: in a cluster that crashes and heals, wards and patients agree in the end", () => {
  const { verdict, text } = simulate({
    plugins: [moves, ward],
    nodes: 5,
    seeds: 2,
    messages: (chance, { actors }) => ({
      key: { kind: "patient", facility: "HOSPX", id: `${chance.below(actors)}` },
      message: {
        type: ["admit", "transfer", "discharge"][chance.below(3)],
        ward: ["5W", "6E", "ICU"][chance.below(3)],
      },
    }),
    inTheEnd: {
      "every patient lies where the ward says": (actors) => {
        const listed: string[] = [];
        const lying: string[] = [];
        for (const [key, { projections }] of actors) {
          const kept = projections as { "ward-census"?: Ward; "ward-moves"?: { ward: string | null } };
          for (const { id } of kept["ward-census"]?.patients ?? []) listed.push(`${id} on ${key.split("/")[2]}`);
          const on = kept["ward-moves"]?.ward ?? null;
          if (on !== null) lying.push(`${key.split("/")[2]} on ${on}`);
        }
        return listed.sort().join() === lying.sort().join() || `listed ${listed.length}, lying ${lying.length}`;
      },
    },
  });
  assert.equal(verdict, "held", text);
});

function isJson(value: unknown): boolean {
  try {
    return JSON.stringify(value) !== undefined;
  } catch {
    return false;
  }
}
