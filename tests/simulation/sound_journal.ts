/** A journal of a system that works, by hand: what checkers are shown, and shown again when something in it is broken. */
import { foldOf } from "./checkers/folding.ts";
import { type Acknowledged, emptyJournal, type Journal, type Kept } from "./journal.ts";
import type { Wish } from "./plugins.ts";

/** The patient. */
export const KEY = "patient/H/1";
/** The ward that is told of its first message. */
export const WARD = "ward/H/1";
/** Who has copies of both; the first one writes. */
export const NODES = ["TN-A-1", "TX-A-1", "FL-A-1"];

/** Two messages, recorded, kept on three nodes and handled: the first told a ward, the second the patient and its sender. */
export function soundJournal(): Journal {
  const journal = emptyJournal();
  const wishes: Wish[] = [{ text: "a", ward: "1" }, { text: "b", emit: true, reply: true }];
  journal.versions = [{ plugin: "chain", version: 1, hash: "v1", kind: "patient", throws: false, kills: false }];
  journal.sent = ["a", "b"].map((id, i) => ({
    client: 1,
    place: i + 1,
    key: KEY,
    id,
    body: JSON.stringify(wishes[i]),
    wish: wishes[i],
    ifMatch: i,
    atMs: 5 + i,
    attempts: 1,
    ended: "",
  }));
  const told = { type: "told", from: KEY, seq: 1, version: 1 };
  const derived = { type: "derived", seq: 2, version: 1 };
  const patient = [
    ...journal.sent.map(({ id, body }, i) => kept({ id, seq: i + 1, type: "tick", body })),
    kept({ id: `${KEY}#2#chain#0`, seq: 3, type: "derived", body: JSON.stringify(derived) }),
  ];
  const ward = [kept({ id: `${KEY}#1#chain#0`, seq: 1, type: "told", body: JSON.stringify(told) })];
  journal.acknowledged = journal.sent.map(({ id }, i) => receiptOf(id, i + 1));
  for (const node of NODES) {
    keep(journal, node, KEY, patient);
    keep(journal, node, WARD, ward);
    journal.committed.push({ node: `${node}#1`, shard: 0, index: 1, print: 7, isWriter: node === NODES[0], term: 1 });
  }
  const about = { shard: 0, plugin: "chain", hash: "v1", state: "ok" as const, code: "" };
  const reply = { seq: 2, version: 1 };
  journal.outcomes = [
    { ...about, index: 4, key: KEY, seq: 1, effects: [{ type: "send", key: WARD, body: told }], atMs: 20 },
    {
      ...about,
      index: 5,
      key: KEY,
      seq: 2,
      effects: [{ type: "emit", key: KEY, body: derived }, { type: "reply", key: KEY, body: reply }],
      atMs: 21,
    },
    { ...about, index: 7, key: KEY, seq: 3, effects: [], atMs: 30 },
  ];
  journal.carriedOut = [
    { source: KEY, seq: 1, plugin: "chain", key: WARD, id: ward[0].id, atMs: 22 },
    { source: KEY, seq: 2, plugin: "chain", key: KEY, id: patient[2].id, atMs: 23 },
  ];
  journal.handled = [{ key: KEY, seq: 2, reply, atMs: 25 }];
  const folds = foldOf(patient.map(({ id }) => id));
  const read = { key: KEY, mode: "fresh" as const, at: 0, after: 0 };
  journal.reads = [
    { ...read, seq: 2, kept: folds[2], invokedMs: 11, answeredMs: 12 },
    { ...read, seq: 2, kept: folds[2], invokedMs: 13, answeredMs: 14 },
    { ...read, seq: 3, kept: folds[3], invokedMs: 60, answeredMs: 61 },
    { ...read, seq: 3, kept: folds[3], invokedMs: 40, answeredMs: 41 },
  ].map((one) => ({ ...one, kept: { ...one.kept } }));
  journal.gauges.set("TN-A-1 postings", { node: "TN-A-1", name: "postings", most: 6, max: 6 });
  return journal;
}

function kept({ id, seq, type, body }: Pick<Kept, "id" | "seq" | "type" | "body">): Kept {
  const digest = String(body.length).padStart(16, "0");
  return { id, seq, type, body, index: seq, term: 1, digest, chain: `${seq}`.padStart(16, "0"), atMs: 10 };
}

function keep(journal: Journal, node: string, key: string, messages: Kept[]): void {
  const own = messages.map((message) => ({ ...message }));
  journal.histories.push({ node, key, shard: "S00/000", isVoter: true, messages: own });
  const { count, chain } = foldOf(own.map(({ id }) => id))[own.length];
  journal.folded.push({ node, key, seq: own.length, count, chain });
}

function receiptOf(id: string, seq: number): Acknowledged {
  const bodies = ['{"text":"a","ward":"1"}', '{"text":"b","emit":true,"reply":true}'];
  return {
    key: KEY,
    id,
    seq,
    shard: "S00/000",
    generation: 1,
    term: 1,
    index: seq,
    writer: NODES[0],
    copies: [...NODES],
    digest: String(bodies[seq - 1].length).padStart(16, "0"),
    duplicate: false,
    attempts: 1,
    held: NODES.map((node) => ({ node, dataCenter: node.slice(0, 2) })),
    atMs: 10,
  };
}
