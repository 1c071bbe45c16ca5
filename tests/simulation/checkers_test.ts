/** Each checker is shown a journal of a broken system: a checker that cannot fail proves nothing. */
import assert from "node:assert/strict";
import { allIsSettled } from "./checkers/all_is_settled.ts";
import { copiesAgree } from "./checkers/copies_agree.ts";
import { decidedAsAsked } from "./checkers/decided_as_asked.ts";
import { allIsDelivered, deliveredInOrder } from "./checkers/delivered.ts";
import { effectsOnce } from "./checkers/effects_once.ts";
import { foldsAreTrue } from "./checkers/folds_are_true.ts";
import { historiesAreTrue } from "./checkers/histories_are_true.ts";
import { ifMatchHolds } from "./checkers/if_match.ts";
import { livesEnd } from "./checkers/lives_end.ts";
import { LIVENESS, SAFETY } from "./checkers/mod.ts";
import { oneWriter } from "./checkers/one_writer.ts";
import { pluginsCannotHurt } from "./checkers/plugins_cannot_hurt.ts";
import { readsAreTrue } from "./checkers/reads_are_true.ts";
import { receiptsAreTrue } from "./checkers/receipts_are_true.ts";
import { recordedIsKept } from "./checkers/recorded_is_kept.ts";
import { sendersOrder } from "./checkers/senders_order.ts";
import { standsOnce } from "./checkers/stands_once.ts";
import { timeGoesOn } from "./checkers/time_goes_on.ts";
import { timersFire, timersFireOnce } from "./checkers/timers_fire_once.ts";
import { withinBounds } from "./checkers/within_bounds.ts";
import type { CommittedMessage, Journal, Outcome } from "./journal.ts";
import { AGAIN, KEY, NODES, soundJournal, WARD } from "./sound_journal.ts";

Deno.test("checkers: a sound journal passes all of them", () => {
  for (const check of [...SAFETY, ...LIVENESS]) assert.deepEqual(check(soundJournal()), []);
});

/** Each harm is objected to by this very checker. */
function objects(check: (journal: Journal) => string[], harms: Record<string, (journal: Journal) => void>): void {
  assert(SAFETY.includes(check) || LIVENESS.includes(check), "a checker that is not asked proves nothing");
  for (const [name, harm] of Object.entries(harms)) {
    Deno.test(`checkers: ${name} is objected to`, () => {
      const journal = soundJournal();
      harm(journal);
      assert.ok(check(journal).length > 0);
    });
  }
}

const whole = (journal: Journal, key: string): CommittedMessage[] => journal.whole.get(key)!.messages;
const copies = (journal: Journal, key: string) => journal.histories.filter((history) => history.key === key);
const outcomeOf = (journal: Journal, key: string, seq: number): Outcome =>
  journal.outcomes.find((outcome) => outcome.key === key && outcome.seq === seq)!;

objects(recordedIsKept, {
  "a receipt given on two copies": (j) => j.acknowledged[0].held.pop(),
  "a receipt given in one data center": (j) => j.acknowledged[0].held.forEach((held) => held.dataCenter = "TN"),
  "an acknowledged message lost on one copy": (j) => copies(j, KEY)[1].messages.splice(1),
  "a handler's message lost on one copy": (j) => {
    j.recorded.push({ ...j.acknowledged[0], key: WARD, id: whole(j, WARD)[0].id });
    copies(j, WARD)[1].messages.pop();
  },
  "an acknowledged message of the present life lost on one copy": (j) => copies(j, AGAIN)[1].messages.pop(),
  "an acknowledged actor lost altogether": (j) => j.histories.length = 0,
});

objects(standsOnce, {
  "a message standing twice": (j) => whole(j, KEY).push({ ...whole(j, KEY)[0], seq: 5 }),
  "a message of an ended life standing again": (j) => whole(j, AGAIN)[1].id = "c",
  "a gap in the seqs": (j) => whole(j, KEY)[1].seq = 3,
  "a new life that begins at 1": (j) => whole(j, AGAIN)[1].seq = 1,
  "a message that is not as sent": (j) => whole(j, KEY)[0].body = "other",
  "a message that nobody sent": (j) => whole(j, KEY)[0].id = "x",
  "a message that was refused for certain": (j) => j.sent[1].ended = "not-applied",
  "other bytes recorded under an id that was taken": (j) => j.forged.push({ key: KEY, id: "a", answer: "recorded" }),
});

objects(sendersOrder, {
  "a sender's messages out of order": (j) => [whole(j, KEY)[0].id, whole(j, KEY)[1].id] = ["b", "a"],
});

objects(copiesAgree, {
  "an index committed with two contents": (j) => j.committed[2].print = 8,
  "copies that differ": (j) => copies(j, KEY)[1].messages[1].id = "c",
  "copies with other bytes": (j) => copies(j, KEY)[1].messages[1].body = "c",
  "a message at another index of the log": (j) => copies(j, KEY)[1].messages[1].index = 9,
  "a chained digest that differs": (j) => copies(j, KEY)[1].messages[1].chain = "f".repeat(16),
  "bytes with another digest": (j) => copies(j, KEY)[1].messages[1].digest = "f".repeat(16),
  "a copy without its beginning": (j) => copies(j, KEY)[1].messages.shift(),
  "a copy with a gap": (j) => copies(j, KEY)[1].messages.splice(1, 1),
  "a copy of more than was committed": (j) => copies(j, KEY)[1].messages.push({ ...whole(j, KEY)[3], seq: 5 }),
});

objects(oneWriter, { "two writers in one term": (j) => j.committed.forEach((one) => one.isWriter = true) });

objects(receiptsAreTrue, {
  "a receipt that names another's seq": (j) => j.acknowledged[0].seq = 2,
  "a receipt that names another index": (j) => j.acknowledged[0].index = 7,
  "a receipt that names another term": (j) => j.acknowledged[0].term = 2,
  "a receipt that names another digest": (j) => j.acknowledged[0].digest = "",
  "a receipt that names another shard": (j) => j.acknowledged[0].shard = "S01/000",
  "a receipt that names another generation": (j) => j.acknowledged[0].generation = 2,
  "a receipt that names another writer": (j) => j.acknowledged[0].writer = NODES[1],
  "a receipt that names a copy twice": (j) => j.acknowledged[0].copies.push(NODES[0]),
  "a receipt that names too few copies": (j) => j.acknowledged[0].copies.pop(),
  "a receipt that names copies of one data center": (j) => j.acknowledged[0].copies = ["TN-A-1", "TN-B-1", "TN-C-1"],
  "a receipt that names a copy without the message": (j) => j.acknowledged[0].copies[2] = "UT-A-1",
  "a first receipt called a duplicate's": (j) => j.acknowledged[0].duplicate = true,
  "two receipts of one message that differ": (j) => {
    j.acknowledged.push({ ...j.acknowledged[0], index: 2 });
  },
});

objects(ifMatchHolds, {
  "a message behind another than it was to stand behind": (j) => j.sent[1].ifMatch = 0,
});

objects(historiesAreTrue, {
  "a history with a message that stands elsewhere": (j) => j.listed[0].events[1].id = "z",
  "a history with a message that nobody has": (j) => j.listed[0].events.push({ seq: 99, id: "z" }),
  "a history read before it was committed": (j) => j.listed[0].answeredMs = 0,
  "a history out of order": (j) => j.listed[0].events.reverse(),
  "a history with a gap": (j) => j.listed[0].events.splice(1, 1),
  "a history from before where it was asked for": (j) => j.listed[0].after = 1,
});

objects(readsAreTrue, {
  "a fresh read without what was acknowledged": (j) => j.reads[1].seq = 1,
  "a fresh read that goes back behind another read": (j) => j.reads[2].seq = 2,
  "a fresh read that finds no actor": (j) => Object.assign(j.reads[1], { seq: 0, kept: null }),
  "a read that does not wait for its seq": (j) => Object.assign(j.reads[0], { mode: "writer", after: 3 }),
  "a read of the past that goes further": (j) => Object.assign(j.reads[0], { mode: "nearest", at: 1 }),
  "a read of more than there is": (j) => j.reads[2].seq = 9,
  "a read of what has not been sent": (j) => j.sent[1].atMs = 1000,
  "a read with a message too many": (j) => j.reads[0].kept!.count++,
  "a read with other messages": (j) => j.reads[0].kept!.chain++,
  "a read with what was before its life": (j) => j.reads[5].kept!.count = 2,
  "an ended life that has not ended": (j) => j.retired.length = 0,
  "an ended life told of before it ended": (j) => j.reads[4].answeredMs = 15,
});

objects(foldsAreTrue, {
  "handlers that missed a message": (j) => j.folded[0].count--,
  "handlers that saw messages in another order": (j) => j.folded[0].chain++,
  "handlers that saw more than there is": (j) => j.folded[0].seq = 9,
  "handlers that remember a former life": (j) => j.folded.findLast(({ key }) => key === AGAIN)!.count++,
});

objects(decidedAsAsked, {
  "a decision that the message does not ask for": (j) => outcomeOf(j, KEY, 1).effects[0].key = "ward/H/2",
  "no decision where the message asks for one": (j) => outcomeOf(j, KEY, 1).effects = [],
  "a decision about a message that is not there": (j) => outcomeOf(j, KEY, 4).seq = 8,
  "effects passed over by one outcome for many": (j) => j.outcomes.splice(0, 1),
  "a timer set for another time": (j) => outcomeOf(j, KEY, 1).effects[1].timer!.dueMs++,
  "a life that is not to end": (j) => outcomeOf(j, AGAIN, 1).effects = [],
});

objects(effectsOnce, {
  "an effect that never arrived": (j) => whole(j, WARD).pop(),
  "an effect that arrived twice": (j) => whole(j, WARD).push({ ...whole(j, WARD)[0], seq: 2 }),
  "an effect that nothing decided": (j) => outcomeOf(j, KEY, 1).effects = [],
  "an effect with the body of another decision": (j) => {
    const [message] = whole(j, WARD);
    message.body = message.body.replace('"version":1', '"version":2');
  },
  "an effect that left before its commit": (j) => j.carriedOut[0].atMs = 1,
  "an effect without any outcome": (j) => j.carriedOut[0].seq = 9,
  "an effect with two ids": (j) => j.carriedOut.push({ ...j.carriedOut[0], id: "other" }),
  "a second decision that was carried out": (j) => {
    const first = outcomeOf(j, KEY, 1);
    const effects = [{ ...first.effects[0], body: { type: "told", from: KEY, seq: 1, version: 2 } }];
    j.outcomes.unshift({ ...first, hash: "v2", effects });
  },
  "effects of one actor out of order": (j) => {
    const told = (seq: number, place: number): CommittedMessage => ({
      ...whole(j, WARD)[0],
      id: `${KEY}#${seq}#chain#0`,
      seq: place,
      body: JSON.stringify({ type: "told", from: KEY, seq, version: 1 }),
    });
    j.whole.get(WARD)!.messages = [told(2, 1), told(1, 2)];
  },
  "a message derived from a later one": (j) => {
    whole(j, KEY)[2].body = JSON.stringify({ type: "derived", seq: 3, version: 1 });
  },
  "a reply before its outcome is committed": (j) => j.handled[0].atMs = 1,
  "a reply that was not decided": (j) => j.handled[0].reply = { seq: 2, version: 9 },
});

objects(deliveredInOrder, {
  "a delivery that nothing decided": (j) => outcomeOf(j, AGAIN, 1).effects.shift(),
  "a delivery before its outcome is committed": (j) => j.delivered[0].atMs = 18,
  "a delivery with the body of another decision": (j) => j.delivered[0].body = '{"seq":1,"version":2}',
  "a delivery under two ids": (j) => j.delivered[1].id = "other",
  "deliveries of one actor out of order": (j) => {
    const later = { ...j.delivered[0], seq: 2, body: '{"seq":2,"version":1}' };
    outcomeOf(j, AGAIN, 2).effects = [{ type: "deliver", key: "desk", body: { seq: 2, version: 1 } }];
    j.delivered.unshift({ ...later, atMs: 30 });
  },
});

objects(allIsDelivered, {
  "a delivery that never comes": (j) => j.delivered.length = 0,
});

objects(timersFireOnce, {
  "a timer that fires early": (j) => whole(j, KEY)[3].atMs = 1003,
  "a timer that fires twice": (j) => whole(j, KEY).push({ ...whole(j, KEY)[3], seq: 5, index: 9 }),
  "a timer that nobody has set": (j) => outcomeOf(j, KEY, 1).effects.pop(),
  "a timer that fires before it is set": (j) => whole(j, KEY)[3].index = 2.5,
  "a timer that fires after it was taken back": (j) => outcomeOf(j, KEY, 2).effects[2].timer!.name = "t",
  "a timer that fires after it was replaced": (j) => {
    outcomeOf(j, KEY, 2).effects[2] = { type: "schedule", key: KEY, body: null, timer: { name: "t", dueMs: 1900 } };
  },
  "a timer that outlives its life": (j) => j.retired.push({ key: KEY, shard: 0, index: 5.5, seq: 3, committedMs: 16 }),
  "a timer fired by a clock that is hours ahead": (j) => j.fired[0].wallMs += 3_600_000,
});

objects(timersFire, {
  "a timer that never fires": (j) => whole(j, KEY).pop(),
});

objects(livesEnd, {
  "a life that ends behind a later message": (j) => whole(j, AGAIN)[1].index = 9.5,
  "a life that ends before its last message is handled": (j) => outcomeOf(j, AGAIN, 1).index = 11,
  "a life that nobody wants to end": (j) => outcomeOf(j, AGAIN, 1).effects = [],
  "a life that ends before its effects have arrived": (j) => {
    outcomeOf(j, AGAIN, 1).effects.push({ type: "send", key: WARD, body: null });
  },
});

objects(timeGoesOn, { "a time that goes back": (j) => whole(j, KEY)[3].atMs = 1000 });

objects(pluginsCannotHurt, {
  "a plugin that stands still for no reason": (j) => {
    j.outcomes.push({ ...outcomeOf(j, KEY, 1), seq: 2, state: "parked", code: "plugin_host/threw", effects: [] });
  },
  "a sound version parked for what a broken one cannot handle": (j) => {
    j.sent[1].wish.trouble = "kill";
    j.outcomes.push({ ...outcomeOf(j, KEY, 1), seq: 2, state: "parked", code: "plugin_host/killed-host", effects: [] });
  },
});

objects(withinBounds, {
  "a queue longer than it may be": (j) => j.gauges.set("q", { node: NODES[0], name: "postings", most: 7, max: 6 }),
});

objects(allIsSettled, {
  "a message never acknowledged": (j) => j.acknowledged.pop(),
  "something still owed": (j) => j.unsettled.push("a client waits"),
  "a copy that has not read everything": (j) => j.folded[0].seq = 2,
  "a copy that holds what has ended": (j) => j.unfreed.push({ node: NODES[0], key: AGAIN, seq: 1 }),
});

Deno.test("checkers: what is not wrong is not objected to", () => {
  const journal = soundJournal();
  const [a, b] = journal.sent;
  Object.assign(journal.acknowledged[1], { duplicate: true, attempts: 2 });
  journal.acknowledged.push({ ...journal.acknowledged[0], attempts: 2, duplicate: true });
  journal.sent.push({ ...a, id: "never", place: 3, ended: "not-applied" }, {
    ...b,
    id: "maybe",
    place: 4,
    ended: "unknown",
  });
  b.wish.trouble = "throw";
  journal.versions.push({ ...journal.versions[0], version: 2, hash: "v2", throws: true });
  const code = "plugin_host/threw";
  const first = outcomeOf(journal, KEY, 1);
  journal.outcomes.push({ ...first, seq: 2, state: "parked", code, effects: [], hash: "v2" });
  // A new version folds what the old one has decided already; a read elsewhere is behind; both are in order.
  journal.outcomes.push({ ...first, hash: "v2", effects: [] });
  journal.reads.push({ ...journal.reads[0], mode: "nearest", invokedMs: 90, answeredMs: 91 });
  // A copy that came late got what had ended as hollow entries.
  journal.committed.push({ ...journal.committed[0], print: -1, isWriter: false, node: "UT-A-1#1" });
  for (const check of [...SAFETY, ...LIVENESS]) assert.deepEqual(check(journal), []);
});
