/** Each checker is shown a journal of a broken system: a checker that cannot fail proves nothing. */
import assert from "node:assert/strict";
import { allIsSettled } from "./checkers/all_is_settled.ts";
import { oneHistory } from "./checkers/one_history.ts";
import { oneWriter } from "./checkers/one_writer.ts";
import { recordedIsKept } from "./checkers/recorded_is_kept.ts";
import { type Acknowledged, emptyJournal, type Journal } from "./journal.ts";

const KEY = "patient/H/1";

/** Two messages, recorded and kept on three nodes, as it should be. */
function soundJournal(): Journal {
  const journal = emptyJournal();
  const receipt = (id: string, seq: number): Acknowledged => ({
    key: KEY,
    id,
    seq,
    shard: "S00/000",
    term: 1,
    index: seq,
    copies: ["TN-A-1", "TX-A-1", "FL-A-1"],
    duplicate: false,
    held: ["TN", "TX", "FL"].map((dataCenter) => ({ node: `${dataCenter}-A-1`, dataCenter })),
    atMs: 1,
  });
  journal.sent = ["a", "b"].map((id, i) => ({ client: 1, place: i + 1, key: KEY, id, body: id }));
  journal.acknowledged = [receipt("a", 1), receipt("b", 2)];
  for (const node of ["TN-A-1", "TX-A-1", "FL-A-1"]) {
    const messages = ["a", "b"].map((id, i) => ({ id, seq: i + 1, body: id }));
    journal.histories.push({ node, key: KEY, isVoter: true, messages });
    journal.committed.push({ node, shard: 0, index: 1, print: 7, isWriter: node === "TN-A-1", term: 1 });
  }
  journal.folded.set(KEY, 2);
  return journal;
}

Deno.test("checkers: a sound journal passes all of them", () => {
  for (const check of [recordedIsKept, oneHistory, oneWriter, allIsSettled]) {
    assert.deepEqual(check(soundJournal()), []);
  }
});

function objects(name: string, check: (journal: Journal) => string[], harm: (journal: Journal) => void): void {
  Deno.test(`checkers: ${name} is objected to`, () => {
    const journal = soundJournal();
    harm(journal);
    assert.ok(check(journal).length > 0);
  });
}

objects("a receipt given on two copies", recordedIsKept, (j) => j.acknowledged[0].held.pop());
objects("a receipt given in one data center", recordedIsKept, (j) => {
  for (const held of j.acknowledged[0].held) held.dataCenter = "TN";
});
objects("an acknowledged message lost on one copy", recordedIsKept, (j) => j.histories[1].messages.pop());
objects("an acknowledged actor lost altogether", recordedIsKept, (j) => j.histories.length = 0);
objects("a message standing twice", oneHistory, (j) => j.histories[0].messages.push({ id: "a", seq: 3, body: "a" }));
objects("a gap in the seqs", oneHistory, (j) => j.histories[0].messages[1].seq = 3);
objects("a message that is not as sent", oneHistory, (j) => j.histories[0].messages[0].body = "other");
objects("a message that nobody sent", oneHistory, (j) => j.histories[0].messages[0].id = "x");
objects("a sender's messages out of order", oneHistory, (j) => {
  for (const history of j.histories) history.messages = ["b", "a"].map((id, i) => ({ id, seq: i + 1, body: id }));
});
objects("copies that differ", oneHistory, (j) => j.histories[1].messages[1].id = "c");
objects("a receipt that names another's seq", oneHistory, (j) => j.acknowledged[0].seq = 2);
objects("two writers in one term", oneWriter, (j) => j.committed[1].isWriter = true);
objects("an index committed with two contents", oneWriter, (j) => j.committed[2].print = 8);
objects("a message never acknowledged", allIsSettled, (j) => j.acknowledged.pop());
objects("something still owed", allIsSettled, (j) => j.unsettled.push("a client waits"));
objects("handlers that missed a message", allIsSettled, (j) => j.folded.set(KEY, 1));
