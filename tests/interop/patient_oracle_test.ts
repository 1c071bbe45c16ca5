import assert from "node:assert/strict";
import { foldPatient } from "../../plugins/patient/fold.ts";
import { NOBODY, type PatientState } from "../../plugins/patient/state.ts";
import { parseHl7 } from "../../runtime/wire/mod.ts";
import { testWithSimhospital } from "./simhospital.ts";
import { expectedPatients } from "./visit_state_oracle.ts";
import { oracleViewOf } from "./visit_state_view.ts";

function foldAll(messages: Uint8Array[]): Map<string, PatientState> {
  const states = new Map<string, PatientState>();
  for (const bytes of messages) {
    const message = parseHl7(bytes);
    const id = message.get("PID-3.1");
    states.set(id, foldPatient(states.get(id) ?? NOBODY, message));
  }
  return states;
}

testWithSimhospital("patient: the plugin and the oracle agree on all 403 patients", (messages) => {
  const states = foldAll(messages);
  const expected = expectedPatients(messages);
  assert.equal(expected.size, 403);
  assert.deepEqual([...states.keys()], [...expected.keys()]);
  for (const [id, patient] of expected) {
    assert.deepEqual(oracleViewOf(states.get(id) as PatientState), patient);
  }
});

testWithSimhospital("patient: the oracle notices a lost message, a doubled one, two in the wrong order", (messages) => {
  const expected = expectedPatients(messages);
  const differs = (others: Uint8Array[]) => {
    const states = foldAll(others);
    return [...expected].some(([id, patient]) => {
      const state = states.get(id);
      try {
        assert.deepEqual(state && oracleViewOf(state), patient);
        return false;
      } catch {
        return true;
      }
    });
  };
  assert.ok(!differs(messages));
  assert.ok(differs(messages.toSpliced(500, 1)));
  assert.ok(differs(messages.toSpliced(500, 0, messages[500])));
  const isOf = (id: string) => (bytes: Uint8Array) => parseHl7(bytes).get("PID-3.1") === id;
  const [id] = [...expected].find(([, patient]) => (patient.messages["ORU^R01"] ?? 0) > 5) as [string, unknown];
  const last = messages.findLastIndex(isOf(id));
  const first = messages.findIndex(isOf(id));
  assert.ok(differs(messages.with(first, messages[last]).with(last, messages[first])));
});

testWithSimhospital("patient: every projection is plain data, the same at every run", (messages) => {
  const [once, again] = [foldAll(messages), foldAll(messages)];
  for (const [id, state] of once) {
    assert.deepEqual(JSON.parse(JSON.stringify(state)), state);
    assert.equal(JSON.stringify(again.get(id)), JSON.stringify(state));
    assert.ok(JSON.stringify(state).length < 20_000);
  }
});
