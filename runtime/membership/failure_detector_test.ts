import assert from "node:assert/strict";
import fc from "fast-check";
import { MEMBERSHIP_CONFIG } from "./config.ts";
import { type DetectorAction, FailureDetector } from "./failure_detector.ts";

const PEERS = [{ name: "TN-A-2", incarnation: 2 }, { name: "TN-B-1", incarnation: 3 }, {
  name: "TX-A-1",
  incarnation: 4,
}];

function detector(peers = PEERS): FailureDetector {
  const made = new FailureDetector({ self: 1, config: MEMBERSHIP_CONFIG });
  made.setPeers(peers, 0);
  made.tick(0);
  return made;
}

/** Ticks on time up to `untilMs`, hearing `heard` at every tick; gives back everything but pings. */
function run(made: FailureDetector, from: number, untilMs: number, heard: number[] = []): [number, DetectorAction][] {
  const seen: [number, DetectorAction][] = [];
  for (let now = from + 25; now <= untilMs; now += 25) {
    for (const incarnation of heard) for (const action of made.heard(incarnation, now)) seen.push([now, action]);
    for (const action of made.tick(now)) if (action.type !== "ping") seen.push([now, action]);
  }
  return seen;
}

Deno.test("detector: silence is asked about at 200 ms and suspected at 300 ms", () => {
  const made = detector();
  run(made, 0, 1000, [2, 3, 4]);
  const seen = run(made, 1000, 1400, [3, 4]).filter(([, action]) => action.type === "suspect" || action.type === "ask");
  assert.deepEqual(seen.map(([now, { type }]) => `${now} ${type}`), ["1200 ask", "1200 ask", "1300 suspect"]);
  assert.ok(made.isSuspect(2, 1400));
  assert.equal(made.suspectedForMs(2, 1400), 100);
  assert.equal(made.quietForMs(2, 1400), 400);
  assert.deepEqual(made.heard(2, 1401), [{ type: "alive", incarnation: 2 }]);
  assert.ok(!made.isSuspect(2, 1401));
});

Deno.test("detector: a closed link is asked about at once and suspected after 100 ms", () => {
  const made = detector();
  run(made, 0, 1000, [2, 3, 4]);
  assert.deepEqual(made.linkDown(2, 1001).map(({ type }) => type), ["ping", "ask", "ask"]);
  made.linkDown(2, 1090);
  assert.deepEqual(run(made, 1000, 1200, [3, 4]), [[1125, { type: "suspect", incarnation: 2 }]]);
  const other = detector();
  run(other, 0, 1000, [2, 3, 4]);
  other.linkDown(2, 1001);
  other.heard(2, 1050);
  assert.deepEqual(run(other, 1050, 1200, [3, 4]), []);
});

Deno.test("detector: of a peer never heard nothing is expected for a second", () => {
  const seen = run(detector(), 0, 1100, [3, 4]).filter(([, { type }]) => type === "suspect");
  assert.deepEqual(seen, [[1000, { type: "suspect", incarnation: 2 }]]);
});

Deno.test("detector: an own stall accuses nobody, and widens the times for a while", () => {
  const made = detector();
  run(made, 0, 1000, [2, 3, 4]);
  assert.deepEqual(made.tick(2000).filter(({ type }) => type !== "ping"), []);
  assert.equal(made.stretch, 2);
  const seen = run(made, 2000, 3100, [3, 4]).filter(([, { type }]) => type === "suspect");
  assert.deepEqual(seen.map(([now]) => now), [2575]);
  run(made, 3100, 6000, [3, 4]);
  assert.equal(made.stretch, 1);
});

Deno.test("detector: another incarnation of a name makes the earlier one suspect for good", () => {
  const made = detector();
  run(made, 0, 1000, [2, 3, 4]);
  assert.deepEqual(made.setPeers([{ name: "TN-A-2", incarnation: 9 }, ...PEERS.slice(1)], 1000), [
    { type: "suspect", incarnation: 2 },
  ]);
  assert.deepEqual(made.heard(2, 1001), []);
  assert.ok(made.isSuspect(2, 1001));
  assert.equal(made.suspectedForMs(2, 1100), 100);
  assert.ok(!made.isSuspect(9, 1001));
});

Deno.test("detector: a node that is no peer yet is trusted while it speaks; this node always is", () => {
  const made = detector();
  assert.ok(made.isSuspect(77, 0));
  made.heard(77, 10);
  assert.ok(!made.isSuspect(77, 20));
  assert.ok(made.isSuspect(77, 310));
  assert.ok(!made.isSuspect(1, 1e9));
});

Deno.test("detector: beyond 100 peers the pings per second stay, and suspicion takes longer", () => {
  const peers = Array.from({ length: 150 }, (_, i) => ({ name: `TN-A-${i}`, incarnation: 10 + i }));
  const made = detector(peers);
  let pings = 0;
  for (let now = 25; now <= 1000; now += 25) {
    for (const peer of peers) made.heard(peer.incarnation, now);
    pings += made.tick(now).filter(({ type }) => type === "ping").length;
  }
  assert.equal(pings, 5 * 150);
  assert.equal(made.stretch, 2);
});

Deno.test("detector law: suspect and alive alternate for each peer, and agree with isSuspect", () => {
  const event = fc.oneof(
    fc.record({ type: fc.constant("heard" as const), who: fc.integer({ min: 1, max: 6 }) }),
    fc.record({ type: fc.constant("down" as const), who: fc.integer({ min: 1, max: 6 }) }),
    fc.record({ type: fc.constant("peers" as const), who: fc.integer({ min: 1, max: 6 }) }),
    fc.record({ type: fc.constant("tick" as const), who: fc.constantFrom(1, 1, 1, 25, 25, 300) }),
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 200 }), (events) => {
      const made = detector();
      const suspected = new Set<number>();
      let now = 0;
      for (const { type, who } of events) {
        const actions = type === "heard"
          ? made.heard(who, now)
          : type === "down"
          ? made.linkDown(who, now)
          : type === "peers"
          ? made.setPeers(PEERS.filter((_, i) => i !== who - 1), now)
          : made.tick(now += who);
        for (const action of actions) {
          if (action.type === "suspect") {
            assert.ok(!suspected.has(action.incarnation));
            suspected.add(action.incarnation);
          } else if (action.type === "alive") assert.ok(suspected.delete(action.incarnation));
          else if (action.type === "ask") assert.notEqual(action.via, action.about);
        }
        for (const { incarnation } of PEERS) assert.ok(!suspected.has(incarnation) || made.isSuspect(incarnation, now));
      }
    }),
    { numRuns: 200 },
  );
});

Deno.test("detector: time in which this node did not run counts for nobody's silence, however short each pause", () => {
  const made = detector();
  run(made, 0, 1000, [2, 3, 4]);
  // Every tick comes 75 ms late: 300 ms of silence are twelve ticks now, not three.
  let now = 1000;
  const ticks = () => {
    for (let i = 0; i < 100; i++) {
      now += 100;
      if (made.tick(now).some(({ type }) => type === "suspect")) return i + 1;
    }
    return Infinity;
  };
  assert.equal(ticks(), 12);
  assert.equal(made.forgivenMs, 12 * 75);
});

Deno.test("detector: a silence that is usual for a peer is not suspicious, for a while; a failure is not usual", () => {
  const silentFor = (made: FailureDetector, fromMs: number): number => {
    const seen = run(made, fromMs, fromMs + 2000, [3, 4]).filter(([, { type }]) => type === "suspect");
    return seen[0][0] - fromMs;
  };
  const made = detector();
  run(made, 0, 1000, [2, 3, 4]);
  for (let now = 1000; now < 5000; now += 275) {
    assert.deepEqual(run(made, now, now + 250, [3, 4]).filter(([, { type }]) => type === "suspect"), []);
    run(made, now + 250, now + 275, [2, 3, 4]);
  }
  run(made, 5125, 5200, [2, 3, 4]);
  const unusualMs = silentFor(made, 5200);
  assert.ok(unusualMs >= 525 && unusualMs <= 575, `${unusualMs}`);
  run(made, 7200, 90_000, [2, 3, 4]);
  assert.equal(silentFor(made, 90_000), 300);
  // It came back after two seconds: that was no noise.
  run(made, 92_000, 92_100, [2, 3, 4]);
  assert.equal(silentFor(made, 92_100), 300);
});

Deno.test("detector: forgiving ends at five times the time: a starved node still misses who is frozen", () => {
  const made = detector();
  run(made, 0, 1000, [2, 3, 4]);
  let now = 1000;
  let seen = 0;
  // Each tick 175 ms late, four stalls in a row: by its own time it would wait for twenty-four of them, 4.8 s.
  while (seen === 0) {
    now += 200;
    for (const { type } of made.tick(now)) if (type === "suspect") seen++;
  }
  assert.deepEqual([now, seen], [2600, 3]);
  // One long stall is no evidence, however long.
  const other = detector();
  run(other, 0, 1000, [2, 3, 4]);
  assert.deepEqual(other.tick(9000).filter(({ type }) => type === "suspect"), []);
});
