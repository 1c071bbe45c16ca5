/** A journal of a system that works, by hand: what checkers are shown, and shown again when something in it is broken. */
import { foldOf } from "./checkers/folding.ts";
import { DESK } from "./desk.ts";
import { type Acknowledged, emptyJournal, type Journal, type Outcome, type Sent } from "./journal.ts";
import type { Wish } from "./plugins.ts";

/** A patient: two messages were sent, then it was told something derived, then that it was time. */
export const KEY = "patient/H/1";
/** The ward that is told of the patient's first message. */
export const WARD = "ward/H/1";
/** A patient whose first life has ended, and who has begun another. */
export const AGAIN = "patient/H/2";
/** Who has copies of all of them; the first one writes. */
export const NODES = ["TN-A-1", "TX-A-1", "FL-A-1"];

const SENT: { key: string; id: string; seq: number; index: number; ifMatch: number; wish: Wish }[] = [
  {
    key: KEY,
    id: "a",
    seq: 1,
    index: 1,
    ifMatch: 0,
    wish: { text: "a", ward: "1", remind: { name: "t", afterMs: 3 } },
  },
  { key: KEY, id: "b", seq: 2, index: 2, ifMatch: 1, wish: { text: "b", emit: true, reply: true, forget: "other" } },
  { key: AGAIN, id: "c", seq: 1, index: 8, ifMatch: -1, wish: { text: "c", retire: true } },
  { key: AGAIN, id: "d", seq: 2, index: 11, ifMatch: 1, wish: { text: "d" } },
];

/** Recorded, kept on three nodes, handled, told, in time: as it should be. */
export function soundJournal(): Journal {
  const journal = emptyJournal();
  journal.versions = [{ plugin: "chain", version: 1, hash: "v1", kind: "patient", throws: false, kills: false }];
  const places = new Map<string, number>();
  for (const { key, id, seq, index, ifMatch, wish } of SENT) {
    const place = (places.get(key) ?? 0) + 1;
    places.set(key, place);
    const body = JSON.stringify(wish);
    const about = { client: 1, place, key, id, body, wish: { ...wish }, ifMatch };
    const sent: Sent = { ...about, atMs: 5, attempts: 1, ended: "" };
    journal.sent.push(sent);
    journal.acknowledged.push(receiptOf({ key, id, seq, index, body }));
    commit(journal, { key, id, seq, index, type: "tick", body });
  }
  const told = { type: "told", from: KEY, seq: 1, version: 1 };
  const due = { type: "due", seq: 1, version: 1 };
  const derived = { type: "derived", seq: 2, version: 1 };
  commit(journal, { key: WARD, id: `${KEY}#1#chain#0`, seq: 1, index: 1, type: "told", body: JSON.stringify(told) });
  commit(journal, {
    key: KEY,
    id: `${KEY}#2#chain#0`,
    seq: 3,
    index: 5,
    type: "derived",
    body: JSON.stringify(derived),
  });
  commit(journal, { key: KEY, id: `${KEY}#1#chain#1`, seq: 4, index: 6, type: "due", body: JSON.stringify(due) });
  const reply = { seq: 2, version: 1 };
  const atDesk = { seq: 1, version: 1 };
  journal.outcomes = [
    outcome(KEY, 1, 3, [
      { type: "send", key: WARD, body: told },
      { type: "schedule", key: KEY, body: due, timer: { name: "t", dueMs: 1004 } },
    ]),
    outcome(KEY, 2, 4, [
      { type: "emit", key: KEY, body: derived },
      { type: "reply", key: KEY, body: reply },
      { type: "cancel", key: KEY, body: null, timer: { name: "other", dueMs: 0 } },
    ]),
    outcome(KEY, 4, 7, []),
    outcome(AGAIN, 1, 9, [
      { type: "deliver", key: DESK, body: atDesk },
      { type: "retire", key: AGAIN, body: null },
    ]),
    outcome(AGAIN, 2, 12, []),
  ];
  journal.retired = [{ key: AGAIN, shard: 0, index: 10, seq: 1, committedMs: 20 }];
  journal.fired = [{ key: KEY, id: `${KEY}#1#chain#1`, wallMs: 1006, medianWallMs: 1000 }];
  journal.carriedOut = [
    { source: KEY, seq: 1, plugin: "chain", key: WARD, id: `${KEY}#1#chain#0`, atMs: 14 },
    { source: KEY, seq: 2, plugin: "chain", key: KEY, id: `${KEY}#2#chain#0`, atMs: 14.5 },
  ];
  // taken, and taken again as the answer was lost
  const delivered = { id: `${AGAIN}#1#chain#0`, source: AGAIN, seq: 1, body: JSON.stringify(atDesk) };
  journal.delivered = [{ ...delivered, atMs: 19.2 }, { ...delivered, atMs: 19.4 }];
  journal.handled = [{ key: KEY, seq: 2, reply, atMs: 25 }];
  for (const node of NODES) {
    journal.committed.push({ node: `${node}#1`, shard: 0, index: 1, print: 7, isWriter: node === NODES[0], term: 1 });
    for (const key of [KEY, WARD, AGAIN]) keep(journal, node, key, key === AGAIN ? 1 : 0);
  }
  const folds = foldOf(journal.whole.get(KEY)!.messages.map(({ id }) => id));
  const read = { key: KEY, mode: "fresh" as const, at: 0, after: 0, isRetired: false };
  journal.reads = [
    { ...read, seq: 2, kept: { ...folds[2] }, invokedMs: 11, answeredMs: 12 },
    { ...read, seq: 2, kept: { ...folds[2] }, invokedMs: 13, answeredMs: 14 },
    { ...read, seq: 3, kept: { ...folds[3] }, invokedMs: 60, answeredMs: 61 },
    { ...read, seq: 3, kept: { ...folds[3] }, invokedMs: 40, answeredMs: 41 },
    { ...read, key: AGAIN, seq: 0, kept: null, isRetired: true, invokedMs: 9, answeredMs: 20.5 },
    { ...read, key: AGAIN, seq: 2, kept: { ...foldOf(["d"])[1] }, invokedMs: 22, answeredMs: 23 },
  ];
  const listed = (key: string, seqs: number[]) =>
    seqs.map((seq) => ({ seq, id: journal.whole.get(key)!.messages[seq - 1].id }));
  journal.listed = [
    { key: KEY, mode: "writer", after: 0, events: listed(KEY, [1, 2, 3]), answeredMs: 1000 },
    { key: AGAIN, mode: "nearest", after: 0, events: listed(AGAIN, [2]), answeredMs: 1000 },
  ];
  journal.gauges.set("TN-A-1 postings", { node: "TN-A-1", name: "postings", most: 6, max: 6 });
  journal.endWallMs = 2000;
  return journal;
}

interface Committing {
  key: string;
  id: string;
  seq: number;
  index: number;
  type: string;
  body: string;
}

/** Index n of a log is committed at 10 + n ms, and was taken in at 1,000 + n by wall clocks. */
function commit(journal: Journal, { key, index, body, seq, ...message }: Committing): void {
  const shard = key === WARD ? 1 : 0;
  let whole = journal.whole.get(key);
  if (whole === undefined) journal.whole.set(key, whole = { shard, messages: [] });
  const chain = `${seq}`.padStart(16, "0");
  const about = { ...message, body, seq, index, term: 1, digest: digestOf(body), chain };
  whole.messages.push({ ...about, atMs: 1000 + index, committedMs: 10 + index });
}

function outcome(key: string, seq: number, index: number, effects: Outcome["effects"]): Outcome {
  const about = { shard: 0, plugin: "chain", hash: "v1", state: "ok" as const, code: "" };
  return { ...about, index, key, seq, effects, atMs: 10 + index };
}

function keep(journal: Journal, node: string, key: string, birth: number): void {
  const messages = journal.whole.get(key)!.messages.slice(birth).map(({ committedMs: _, ...message }) => message);
  journal.histories.push({ node, key, shard: key === WARD ? "S00/001" : "S00/000", isVoter: true, messages });
  const { count, chain } = foldOf(messages.map(({ id }) => id))[messages.length];
  journal.folded.push({ node, key, seq: birth + messages.length, count, chain });
}

function receiptOf({ key, id, seq, index, body }: Omit<Committing, "type">): Acknowledged {
  return {
    key,
    id,
    seq,
    shard: "S00/000",
    generation: 1,
    term: 1,
    index,
    writer: NODES[0],
    copies: [...NODES],
    digest: digestOf(body),
    duplicate: false,
    attempts: 1,
    held: NODES.map((node) => ({ node, dataCenter: node.slice(0, 2) })),
    atMs: 10,
  };
}

function digestOf(body: string): string {
  return String(body.length).padStart(16, "0");
}
