import type { Journal, Read } from "../journal.ts";
import { foldsOf } from "./folding.ts";
import { messagesOf } from "./histories.ts";

/**
 * Reads: a fresh one is linearizable (it has everything that was acknowledged, or read by anybody, before it was asked);
 * one that waits for a seq has it; one of the past is of that past; and whatever is read, by whatever mode, is a prefix
 * of what is committed, folded as it should be, and nothing that had not been sent yet. Who is told that a life has ended
 * is told so after it has.
 */
export function readsAreTrue(journal: Journal): string[] {
  const wrong: string[] = [];
  const say = (read: Read, what: string) =>
    wrong.push(`reads: a ${read.mode} read at ${read.invokedMs.toFixed(3)} ms of ${read.key} ${what}`);
  for (const { read, floor } of withFloors(journal)) {
    if (read.isRetired) {
      const isSo = journal.retired.some(({ key, seq, committedMs }) =>
        key === read.key && seq >= floor && committedMs <= read.answeredMs
      );
      if (!isSo) say(read, `finds an ended life, and seq ${floor} was known before it was asked`);
    } else if (read.seq < floor) say(read, `answers seq ${read.seq}, but ${floor} was known before it was asked`);
  }
  const sentMs = new Map(journal.sent.map(({ key, id, atMs }) => [`${key} ${id}`, atMs]));
  const foldAt = foldsOf(journal);
  for (const read of journal.reads) {
    const { key, seq, at, after, kept } = read;
    const messages = messagesOf(journal, key);
    if (read.isRetired) continue;
    if (seq < after) say(read, `answers seq ${seq}, and was to wait for ${after}`);
    if (at !== 0 && seq > at) say(read, `answers seq ${seq}, and was to be of ${at}`);
    if (seq > messages.length) {
      say(read, `answers seq ${seq}, and there are ${messages.length}`);
      continue;
    }
    if (seq === 0) continue;
    if ((sentMs.get(`${key} ${messages[seq - 1].id}`) ?? 0) > read.answeredMs) say(read, "has a message not sent yet");
    if (kept === null) continue;
    const fold = foldAt(key, seq)!;
    if (kept.count !== fold.count || kept.chain !== fold.chain) {
      say(read, `answers ${kept.count} folded messages at seq ${seq}, or others than there are`);
    }
  }
  return wrong;
}

/** What a fresh read must at least have: the greatest seq that anybody knew before it was asked. */
function withFloors(journal: Journal): { read: Read; floor: number }[] {
  const known: { key: string; seq: number; atMs: number }[] = [
    ...journal.acknowledged,
    ...journal.reads.map(({ key, seq, answeredMs }) => ({ key, seq, atMs: answeredMs })),
  ];
  known.sort((a, b) => a.atMs - b.atMs);
  const fresh = journal.reads.filter((read) => read.mode === "fresh");
  fresh.sort((a, b) => a.invokedMs - b.invokedMs);
  const floors = new Map<string, number>();
  let at = 0;
  return fresh.map((read) => {
    // At the very same moment the order is anybody's guess.
    for (; at < known.length && known[at].atMs < read.invokedMs; at++) {
      floors.set(known[at].key, Math.max(floors.get(known[at].key) ?? 0, known[at].seq));
    }
    const floor = floors.get(read.key) ?? 0;
    return { read, floor: read.at === 0 ? floor : Math.min(read.at, floor) };
  });
}
