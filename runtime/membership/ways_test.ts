import assert from "node:assert/strict";
import fc from "fast-check";
import { type WayAction, Ways } from "./ways.ts";

const OPTIONS = { silentMs: 600, askMs: 200, isSuspect: () => false };

function ways(peers = [2, 3, 4, 5]): Ways {
  const made = new Ways({ self: 1 });
  made.keep([1, ...peers], 0);
  return made;
}

function texts(actions: readonly WayAction[]): string[] {
  return actions.map((action) =>
    action.type === "ask" ? `ask ${action.via} about ${action.about}` : `${action.type} ${action.to}`
  );
}

/** All but `silent` answer every 100 ms. */
function run(made: Ways, fromMs: number, toMs: number, silent: number[]): string[] {
  const seen: string[] = [];
  for (let now = fromMs; now <= toMs; now += 100) {
    for (const peer of [2, 3, 4, 5]) if (!silent.includes(peer)) seen.push(...texts(made.answered(peer, now)));
    seen.push(...texts(made.tick(now, OPTIONS)).map((text) => `${now} ${text}`));
  }
  return seen;
}

Deno.test("ways: who does not answer is asked about, and the first who reaches him relays until he answers again", () => {
  const made = ways();
  assert.deepEqual(run(made, 100, 600, [2]), []);
  assert.deepEqual(
    run(made, 700, 700, [2]),
    ["700 broken 2", "700 ask 3 about 2", "700 ask 4 about 2", "700 ask 5 about 2"],
  );
  assert.deepEqual([made.isBroken(2), made.viaOf(2), made.broken], [true, 0, 1]);
  assert.deepEqual(texts(made.told(4, 2, 710)), ["open 2"]);
  assert.deepEqual(texts(made.told(3, 2, 720)), [], "one relay will do");
  assert.deepEqual([made.viaOf(2), made.viaOf(3)], [4, 0]);
  assert.deepEqual(texts(made.answered(2, 800)), ["open 2"]);
  assert.deepEqual([made.isBroken(2), made.viaOf(2), made.broken], [false, 0, 0]);
});

Deno.test("ways: a link that is gone breaks the way at once; a relay that refuses, dies or says nothing is left", () => {
  const made = ways();
  assert.deepEqual(texts(made.broke(2)), ["broken 2"]);
  assert.deepEqual(texts(made.broke(2)), []);
  made.told(3, 2, 100);
  made.told(4, 2, 110);
  assert.deepEqual(texts(made.refused(3, 2)), ["broken 2", "open 2"]);
  assert.equal(made.viaOf(2), 4);
  assert.deepEqual(texts(made.withoutRelay(4)), ["broken 2"]);
  assert.equal(made.viaOf(2), 0);
  made.told(5, 2, 200);
  // Five questions later it has said nothing more.
  assert.ok(run(made, 300, 1300, [2]).some((text) => text === "1300 broken 2"));
  assert.equal(made.viaOf(2), 0);
});

Deno.test("ways: whose own way is broken relays nothing, and the suspected are not asked", () => {
  const made = ways();
  made.broke(2);
  made.told(3, 2, 100);
  assert.deepEqual(texts(made.broke(3)), ["broken 3", "broken 2"]);
  const asked = texts(made.tick(200, { ...OPTIONS, isSuspect: (peer) => peer === 5 || peer === 3 }));
  assert.deepEqual(asked, ["ask 4 about 2"]);
});

Deno.test("ways law: `open` and `broken` tell what viaOf and isBroken say, and a relay's own way is good", () => {
  const step = fc.tuple(
    fc.constantFrom("answered", "broke", "told", "refused", "without", "tick"),
    fc.integer({ min: 2, max: 6 }),
    fc.integer({ min: 2, max: 6 }),
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
    const made = ways([2, 3, 4, 5]);
    const open = new Map([2, 3, 4, 5].map((peer) => [peer, true]));
    let now = 0;
    for (const [what, a, b] of steps) {
      now += 50;
      const actions = what === "answered"
        ? made.answered(a, now)
        : what === "broke"
        ? made.broke(a)
        : what === "told" && !made.isBroken(a)
        ? made.told(a, b, now)
        : what === "refused"
        ? made.refused(a, b)
        : what === "without"
        ? made.withoutRelay(a)
        : made.tick(now, OPTIONS);
      for (const action of actions) if (action.type !== "ask") open.set(action.to, action.type === "open");
      for (const peer of [2, 3, 4, 5]) {
        const via = made.viaOf(peer);
        assert.equal(open.get(peer), !made.isBroken(peer) || via !== 0);
        assert.ok(via === 0 || (made.isBroken(peer) && !made.isBroken(via) && via !== peer));
      }
      assert.equal(made.broken, [2, 3, 4, 5].filter((peer) => made.isBroken(peer)).length);
    }
  }));
});
