import assert from "node:assert/strict";
import fc from "fast-check";
import type { LivePlugin } from "./mod.ts";
import { effectsOf, NO_TROUBLE, SHARD, standingOf, TestShard } from "./test_shard_test.ts";

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
        const text = ["effect", "note", "note", `bad v${version}`, `kill v${version}`][
          random.below(random.below(8) === 0 ? 5 : 3)
        ];
        shard.record(KEYS[random.below(KEYS.length)], `${text}${text === "effect" ? ` ${random.below(2)}` : ""}`);
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
    } else if (shard.writer < 0) elect();
    shard.run(random.below(25));
  }
  shard.trouble = NO_TROUBLE;
  version++;
  shard.deploy(plugins());
  for (const node of shard.nodes) if (!node.alive) shard.restart(node.number);
  if (shard.writer < 0) elect();
  shard.run(30_000);
  return shard;
}

function check(shard: TestShard): void {
  const { store } = shard.nodes[shard.writer];
  const standing = standingOf(store, shard.commit);

  const owed = new Set<string>();
  for (const [key, indexes] of standing.messages) {
    if (!key.startsWith("patient/")) continue;
    for (const name of NAMES) {
      const mark = shard.nodes[shard.writer].actors.handledSeq(SHARD, key);
      assert.equal(mark, indexes.length, "in the end everything is handled");
      indexes.forEach((index, i) => {
        const text = new TextDecoder().decode(store.message(index).payload);
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
  assert.deepEqual([...shard.arrived.keys()].sort(), [...owed].sort(), "each effect arrives, and nothing else");
  assert.equal(standing.parked.size, 0);

  for (const { actors, effects } of shard.nodes) {
    for (const key of standing.messages.keys()) {
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
    const lane = `${sender} ${plugin} ${key}`;
    assert(Number(seq) > (last.get(lane) ?? 0), "in order per source and target");
    last.set(lane, Number(seq));
  }
}

Deno.test("actors: whatever fails, each message has one outcome a plugin, and each effect arrives", () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => check(live(seed))), { numRuns: 60 });
});
