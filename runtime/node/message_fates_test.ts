import assert from "node:assert/strict";
import { type DoneItem, type Effect, encodeDone, encodeOutcomes, type OutcomeItem } from "../effects/mod.ts";
import { ENTRY, ShardStore } from "../storage/mod.ts";
import { mergeCounts, MessageCounts, readCounts } from "./message_counts.ts";
import { type Fate, MessageFates, statesOf } from "./message_fates.ts";

const KEY = "patient/F/1";
const to = (sink: string): Effect => ({ type: "deliver", sink, message: { type: "t", body: 1 } });
const REPLY: Effect = { type: "reply", body: 1 };
const ALARM: Effect = { type: "alert", code: "c/d", text: "" };

class Log {
  readonly store = new ShardStore();

  outcome(plugin: string, seq: number, effects: Effect[] | null): number {
    const item: OutcomeItem = { key: KEY, plugin, hash: "h", seq, state: "ok", effects, digest: "", error: null };
    const other = { ...item, key: "patient/F/2", seq: 9 };
    return this.store.appendEntry(1, ENTRY.OUTCOMES, encodeOutcomes([other, item]));
  }

  done(...items: DoneItem[]): void {
    this.store.appendEntry(1, ENTRY.DONE, encodeDone(items));
  }

  /** Of each message, by seq, what is known of it at the end. */
  fates(withTargets = true): Fate[][] {
    const fates = new MessageFates(this.store, withTargets);
    for (let index = this.store.lastIndex; index > 0; index--) fates.pass(index);
    return [1, 2, 3].map((seq) => fates.of(KEY, seq));
  }
}

const brief = (fates: Fate[]) =>
  fates.map(({ plugin, effects }) => `${plugin}: ${effects.map(({ to, state }) => `${to} ${state}`).join(", ")}`);

Deno.test("fates: what was decided, carried out, given up, and what is open, from the log's end", () => {
  const log = new Log();
  const both = log.outcome("p", 1, [to("a"), to("b"), REPLY]);
  log.outcome("q", 1, null);
  // before the item's own effects stand those of the item before it
  log.done([both, 3, "AA"], [both, 4, null, "x/down"]);
  log.outcome("p", 2, [to("a")]);
  assert.deepEqual(log.fates().map(brief), [["p: a done, b dead,  none"], ["p: a open"], []]);
  assert.deepEqual(brief(log.fates(false)[1]), ["p:  open"]);
});

Deno.test("fates: of two decisions about a message the first stands", () => {
  const log = new Log();
  const first = log.outcome("p", 1, [to("a")]);
  log.done([first, 1]);
  log.outcome("p", 1, [to("b"), to("b")]);
  assert.deepEqual(log.fates().map(brief), [["p: a done"], [], []]);
});

Deno.test("states: all that hold, the worst first", () => {
  const fate = (...states: ("done" | "open" | "dead" | "none")[]): Fate => ({
    plugin: "p",
    effects: states.map((state) => ({ type: "deliver", to: "a", state })),
  });
  assert.deepEqual(statesOf([], []), ["nothing"]);
  assert.deepEqual(statesOf([fate("none")], [{ plugin: "p", state: "through" }]), ["nothing"]);
  assert.deepEqual(
    statesOf([fate("done", "open"), fate("dead")], [{ plugin: "q", state: "waiting" }, {
      plugin: "r",
      state: "parked",
    }]),
    ["parked", "dead", "waiting", "queued", "sent"],
  );
});

Deno.test("counts: by plugin, without what came back; in sum over nodes, whatever a broken one says", () => {
  const log = new Log();
  const all = log.outcome("feed", 1, [to("a"), to("b")]);
  log.done([all, 2], [all, 3, null, "x/no"]);
  log.outcome("feed", 2, [ALARM]);
  const fates = log.fates();
  const counts = new MessageCounts("feed");
  const through = { plugin: "feed", state: "through" } as const;
  counts.add("m1", through, fates[0][0]);
  counts.add("m2", through, fates[1][0]);
  counts.add("m3", through, undefined);
  counts.add("m4", { plugin: "feed", state: "parked" }, undefined);
  counts.add("m5", { plugin: "feed", state: "waiting" }, undefined);
  counts.add("patient/F/1#1#feed#0#answer", through, undefined);
  const here = { ...counts.told(), isWhole: true };
  const [a, b] = [["a", 1, 0], ["b", 0, 1]].map(([to, sent, dead]) => ({ type: "deliver", to, sent, queued: 0, dead }));
  assert.deepEqual(here, {
    ...{ received: 5, waiting: 1, parked: 1, filtered: 1, failed: 1 },
    destinations: [a, b],
    isWhole: true,
  });
  const read = readCounts(here);
  assert.deepEqual(read, here);
  const sum = mergeCounts([here, { ...here, isWhole: false }]);
  assert.deepEqual([sum.received, sum.destinations.map(({ sent }) => sent), sum.isWhole], [10, [2, 0], false]);
  for (const broken of [null, 7, {}, { ...here, received: -1 }, { ...here, destinations: [{ type: "deliver" }] }]) {
    assert.equal(readCounts(broken), null);
  }
});
