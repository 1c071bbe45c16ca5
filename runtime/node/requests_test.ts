import assert from "node:assert/strict";
import { FRAME, pack } from "../wire/mod.ts";
import { SeededRandom, SimulatedTime, simulatedWorld } from "../world/mod.ts";
import { type RequestResult, Requests } from "./requests.ts";

function pair() {
  const time = new SimulatedTime();
  const world = simulatedWorld({ time, random: new SeededRandom(1) });
  let isCut = false;
  const ends: Requests[] = [];
  for (const self of [0, 1]) {
    ends.push(
      new Requests({
        world,
        self,
        send: (to, _lane, type, payload) => {
          if (to !== 1 - self) return false;
          if (!isCut) time.after(1, () => ends[to].receive(self, type, payload));
          return true;
        },
      }),
    );
  }
  return { time, asker: ends[0], answerer: ends[1], cut: () => void (isCut = true) };
}

function ask(from: Requests, to: number, method: string, body: unknown): RequestResult[] {
  const results: RequestResult[] = [];
  from.ask(to, method, body, { timeoutMs: 1000, done: (result) => results.push(result) });
  return results;
}

Deno.test("requests: a request has one answer, whatever the handler does", () => {
  const { time, asker, answerer } = pair();
  answerer.handle("double", (body, done) => {
    done({ ok: true, value: Number(body) * 2 });
    done({ ok: true, value: "again" });
  });
  answerer.handle("bug", () => {
    throw new Error("patient Smith");
  });
  const [doubled, bug, unknown, unreachable] = [
    ask(asker, 1, "double", 21),
    ask(asker, 1, "bug", null),
    ask(asker, 1, "nothing", null),
    ask(asker, 9, "double", 1),
  ];
  time.runUntil(100);
  assert.deepEqual(doubled, [{ ok: true, value: 42 }]);
  assert.ok(!bug[0].ok && bug[0].code === "node/bug" && !bug[0].message.includes("Smith"));
  assert.ok(!unknown[0].ok && unknown[0].code === "node/unknown-request");
  assert.ok(!unreachable[0].ok && unreachable[0].outcome === "not-applied");
});

Deno.test("requests: without an answer the outcome is unknown, by time-out or by a lost link", () => {
  const { time, asker, cut } = pair();
  cut();
  const [late, lost] = [ask(asker, 1, "x", null), ask(asker, 1, "y", null)];
  asker.peerDown(7);
  assert.equal(lost.length, 0);
  time.runUntil(500);
  asker.peerDown(1);
  assert.deepEqual([late, lost].map((results) => results.length), [1, 1]);
  assert.ok(!lost[0].ok && lost[0].outcome === "unknown");
  time.runUntil(5000);
  assert.equal(late.length, 1, "ended once");
});

Deno.test("requests: an answer from somebody else is no answer", () => {
  const { time, asker } = pair();
  const results = ask(asker, 1, "x", null);
  const payload = new Uint8Array([1, 0, 0, 0, ...pack({ ok: true, value: 1 })]);
  asker.receive(5, FRAME.RESPONSE, payload);
  assert.equal(results.length, 0);
  time.runUntil(2000);
  assert.ok(!results[0].ok);
});
