import assert from "node:assert/strict";
import fc from "fast-check";
import { ENTRY } from "../storage/mod.ts";
import type { LivePlugin } from "./mod.ts";
import { effectsOf, NO_TROUBLE, SHARD, TestShard } from "./test_shard_test.ts";
import { standingOf } from "./standing_test.ts";

const NAMES = ["bill", "care"];
const KEYS = ["patient/F/1", "patient/F/2", "patient/F/3", "ward/F/1"];

/** Runs faults drawn from the seed, then lets all heal and checks what was promised. */
function live(seed: number): TestShard {
  const shard = new TestShard(seed);
  const { random } = shard;
  let version = 1;
  const plugins = (): LivePlugin[] => NAMES.map((name) => ({ name, hash: `v${version}`, actorKind: "patient" }));
  const electable = () => {
    const alive = shard.nodes.filter((node) => node.alive);
    const longest = Math.max(...alive.map(({ store }) => store.lastIndex));
    return alive.filter(({ store }) => store.lastIndex === longest).map(({ number }) => number);
  };
  const elect = () => {
    const candidates = electable().filter((number) => number !== shard.writer);
    if (candidates.length > 0) shard.elect(candidates[random.below(candidates.length)], random.below(12));
  };
  if (random.below(2) === 0) shard.deploy(plugins());
  shard.elect(0);
  shard.commitMsMax = 3 + random.below(30);
  shard.trouble = { busy: 0.2, lost: 0.1, slow: 0.2, hostDies: 0.02, forgets: 0.05, postFails: 0.3 };
  for (let i = 0; i < 80; i++) {
    const dice = random.below(16);
    if (dice < 8) {
      for (let n = random.below(6); n >= 0; n--) {
        const texts = [
          `effect ${random.below(2)}`,
          "note",
          `remind a ${random.below(500)}`,
          "forget a",
          "bye",
          `bad v${version}`,
          `kill v${version}`,
        ];
        shard.record(KEYS[random.below(KEYS.length)], texts[random.below(random.below(8) === 0 ? 7 : 5)]);
      }
    } else if (dice === 8) {
      version++;
      shard.deploy(plugins());
    } else if (dice === 9) {
      const node = shard.nodes[random.below(3)];
      node.actors.project(SHARD, KEYS[random.below(4)], { at: random.below(9) || undefined }, () => {});
    } else if (dice < 12) elect();
    else if (dice === 12) {
      const victim = random.below(3);
      const others = shard.nodes.filter(({ alive, number, store }) =>
        alive && number !== victim && store.lastIndex >= shard.commit
      );
      if (others.length > 1 && shard.nodes[victim].alive) shard.crash(victim, random.below(6));
    } else if (dice === 13) {
      for (const node of shard.nodes) if (!node.alive) shard.restart(node.number);
    } else if (dice === 14) shard.nodes[random.below(3)].clockAheadMs = 3000 * (random.below(3) - 1);
    else if (shard.writer < 0) elect();
    shard.run(random.below(25));
  }
  shard.trouble = NO_TROUBLE;
  for (const node of shard.nodes) node.clockAheadMs = 0;
  version++;
  shard.deploy(plugins());
  for (const node of shard.nodes) if (!node.alive) shard.restart(node.number);
  if (shard.writer < 0) elect();
  shard.run(30_000);
  return shard;
}

function check(shard: TestShard): void {
  const standing = standingOf(shard.book);

  const owed = new Set<string>();
  for (const [key, messages] of standing.messages) {
    if (!key.startsWith("patient/")) continue;
    for (const name of NAMES) {
      const mark = shard.nodes[shard.writer].actors.handledSeq(SHARD, key);
      assert.equal(mark, messages.length, "in the end everything is handled");
      messages.forEach(({ index, text }, i) => {
        const isOwed = index > (standing.starts.get(name) ?? Infinity) && effectsOf(name, "", text).length > 0;
        if (isOwed) owed.add(`${key}#${i + 1}#${name}#0`);
      });
    }
  }
  assert.deepEqual(
    [...standing.effects.keys()].sort(),
    [...owed].sort(),
    "each message after the start has one outcome",
  );
  const sent = [...owed].filter((id) => standing.effects.get(id)!.type === "send");
  assert.deepEqual([...shard.arrived.keys()].sort(), sent.sort(), "each effect arrives, and nothing else");
  assert.equal(standing.timers.size, 0, "in the end all timers have fired");
  assert.equal(standing.parked.size, 0);
  assert.deepEqual(shard.alerts.filter((code) => code !== "effects/clock-off"), [], "nothing seems wrong to any copy");

  for (const { actors, effects, timers, store } of shard.nodes) {
    assert.ok(store.wholeFrom <= shard.commit);
    for (const [key, messages] of standing.messages) {
      const ends = standing.ends.get(key) ?? [];
      const row = store.actorRow(key);
      const life = messages.slice(ends.at(-1) ?? 0);
      assert.deepEqual(
        store.history(key, 0, 1000).map((index) => new TextDecoder().decode(store.message(index).payload)),
        life.map(({ text }) => text),
        "the present life is there, and no other",
      );
      for (const { index } of messages.slice(0, ends.at(-1) ?? 0)) {
        assert.equal(store.kindAt(index), ENTRY.HOLLOW, "what has ended is freed");
      }
      assert.equal(store.isRetired(row), life.length === 0);
      assert.equal(timers.countOf(SHARD, row), 0);
      const reference = shard.nodes[shard.writer].actors.handledSeq(SHARD, key);
      assert.equal(actors.handledSeq(SHARD, key), reference, "copies agree");
    }
    assert.equal(effects.owed(), 0);
    assert.equal(actors.backlog(), 0);
  }

  for (const { id, payload } of shard.posts) {
    const effect = standing.effects.get(id);
    assert(effect?.type === "send");
    assert.equal(
      new TextDecoder().decode(payload),
      JSON.stringify(effect.message.body),
      "what is carried out is what stands",
    );
  }

  // first arrivals of one source, plugin and target are in the order of its history
  const last = new Map<string, number>();
  for (const { id, key, sender } of shard.arrived.values()) {
    const [, seq, plugin] = id.split("#");
    // plugins do not wait for one another, so among them there is no order
    const lane = `${sender.slice(0, sender.lastIndexOf("@"))} ${plugin} ${key}`;
    assert(Number(seq) > (last.get(lane) ?? 0), "in order per source and target");
    last.set(lane, Number(seq));
  }
}

Deno.test("actors: whatever fails, each message has one outcome, each effect arrives, each timer fires, lives end", () => {
  let fired = 0;
  let ended = 0;
  const law = fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
    const shard = live(seed);
    check(shard);
    const standing = standingOf(shard.book);
    fired += standing.fired.length;
    for (const ends of standing.ends.values()) ended += ends.length;
  });
  fc.assert(law, { numRuns: 80 });
  assert.ok(fired > 50 && ended > 50, `${fired} timers fired, ${ended} lives ended`);
});
