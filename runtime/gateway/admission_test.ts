import assert from "node:assert/strict";
import { SeededRandom, SimulatedTime, simulatedWorld } from "../world/mod.ts";
import { Admission } from "./admission.ts";
import { createApp } from "./app.ts";
import { FakeNode } from "./fake_node.ts";

const LIMITS = { openMin: 10, openMax: 1000, stayMs: 1000 };

function admissionAt(time: SimulatedTime): Admission {
  return new Admission(simulatedWorld({ time, random: new SeededRandom(1), isAlive: () => true }), LIMITS);
}

Deno.test("a quiet node lets in its least, and one more when one has left", () => {
  const admission = admissionAt(new SimulatedTime());
  for (let i = 0; i < 10; i++) assert.equal(admission.enter(), true);
  assert.equal(admission.enter(), false);
  assert.deepEqual([admission.open, admission.refused], [10, 1]);
  admission.leave(false);
  assert.equal(admission.enter(), true);
});

Deno.test("what is under way never takes longer than the stay, at whatever speed the node works", () => {
  for (const perSecond of [5, 100, 700, 5000]) {
    const time = new SimulatedTime();
    const admission = admissionAt(time);
    let most = 0;
    // three times what it can do comes, 100 times a second
    for (let tick = 1; tick <= 1000; tick++) {
      time.runUntil(tick * 10);
      for (let i = 0; i < Math.ceil(perSecond * 3 / 100); i++) admission.enter();
      const due = Math.floor(perSecond * tick / 100) - Math.floor(perSecond * (tick - 1) / 100);
      for (let i = 0; i < due && admission.open > 0; i++) admission.leave(true);
      if (tick > 300) most = Math.max(most, admission.open);
    }
    assert.ok(most <= Math.max(10, Math.min(1000, perSecond * 1.05)), `${perSecond}/s: ${most} under way`);
    assert.ok(admission.refused > 0);
  }
});

Deno.test("it follows the node up: what is finished lets more in", () => {
  const time = new SimulatedTime();
  const admission = admissionAt(time);
  for (let second = 1; second <= 12; second++) {
    // everything that is under way is done five times a second
    for (let i = 1; i <= 5; i++) {
      while (admission.enter());
      time.runUntil(second * 1000 + i * 190);
      while (admission.open > 0) admission.leave(true);
    }
  }
  assert.equal(admission.limit, 1000);
});

Deno.test("failures say nothing about what it can do, and after a silence it begins anew", () => {
  const time = new SimulatedTime();
  const admission = admissionAt(time);
  for (let i = 0; i < 300; i++) {
    admission.enter();
    admission.leave(i % 2 === 0);
  }
  assert.equal(admission.limit, 150);
  time.runUntil(1500);
  assert.equal(admission.limit, 150, "the window before still counts");
  time.runUntil(9000);
  assert.equal(admission.limit, 10);
});

Deno.test("over HTTP it is 503 with Retry-After before the body is read, and nothing is posted", async () => {
  const world = simulatedWorld({ time: new SimulatedTime(), random: new SeededRandom(1) });
  const admission = new Admission(world, { openMin: 1, openMax: 1, stayMs: 1000 });
  const node = new FakeNode();
  const app = createApp(node, { world, admission });
  const post = (id: string) =>
    app.request(`/v1/actors/patient/H/${id}/messages`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
  assert.equal((await post("1")).status, 201);
  assert.equal(admission.enter(), true);
  const response = await post("2");
  assert.deepEqual([response.status, response.headers.get("retry-after")], [503, "1"]);
  const { code, outcome } = await response.json();
  assert.deepEqual([code, outcome], ["gateway/busy", "not-applied"]);
  assert.equal((await (await app.request("/v1/actors/patient/H/2/history")).json()).events.length, 0);
  admission.leave(true);
  assert.equal((await post("2")).status, 201);
  assert.equal(admission.open, 0);
});
