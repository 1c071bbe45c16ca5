import type { Acknowledged, Journal } from "../journal.ts";

const TERMS = 2 ** 32;

/**
 * A receipt is true to the last field: the message stands at that place of the history and of the log, written in that
 * term by that node, with that digest, on those copies at that time; and all receipts of a message say the same.
 */
export function receiptsAreTrue(journal: Journal): string[] {
  const wrong: string[] = [];
  const writers = new Map<number, string>();
  for (const { node, shard, isWriter, term } of journal.committed) {
    if (isWriter) writers.set(shard * TERMS + term, node);
  }
  const first = new Map<string, Acknowledged>();
  for (const receipt of journal.acknowledged) {
    const { id, seq, copies } = receipt;
    const say = (what: string) => wrong.push(`P2: the receipt of ${id} ${what}`);
    const history = journal.whole.get(receipt.key);
    const at = history?.messages[seq - 1];
    if (at === undefined || at.id !== id) say(`names seq ${seq}, which is another's`);
    else {
      if (at.index !== receipt.index) say(`names index ${receipt.index}, but it is ${at.index}`);
      if (at.term !== receipt.term) say(`names term ${receipt.term}, but it is ${at.term}`);
      if (at.digest !== receipt.digest) say(`names digest ${receipt.digest}, but it is ${at.digest}`);
      const shard = numberOf(receipt.shard);
      if (history!.shard !== shard) say(`names shard ${receipt.shard}, but it is number ${history!.shard}`);
    }
    const { generation } = receipt;
    const isPossible = generation >= 1 && generation <= 1 + journal.outages;
    if (!isPossible) say(`names generation ${generation}, and there were ${journal.outages} outages`);
    const writer = writers.get(numberOf(receipt.shard) * TERMS + receipt.term);
    if (writer !== undefined && !namesOf(writer).includes(receipt.writer)) {
      say(`names ${receipt.writer} as writer, but it was ${writer}`);
    }
    if (new Set(copies).size !== copies.length) say(`names a copy twice: ${copies.join(", ")}`);
    const dataCenters = new Set(copies.map((name) => name.slice(0, 2)));
    if (copies.length < Math.min(3, journal.nodes) || dataCenters.size < Math.min(2, journal.dataCenters)) {
      say(`names too few copies: ${copies.join(", ")}`);
    }
    for (const name of copies) {
      if (!receipt.held.some((held) => held.node === name)) say(`names ${name}, which did not have it`);
    }
    if (receipt.duplicate && receipt.attempts === 1) say("calls it a duplicate, and it was handed in once");
    const before = first.get(`${receipt.key} ${id}`);
    if (before === undefined) first.set(`${receipt.key} ${id}`, receipt);
    else if (before.seq !== seq || before.index !== receipt.index || before.term !== receipt.term) {
      say(`differs from an earlier one`);
    }
  }
  return wrong;
}

/** A life by its node's name, or by its number where the topology of who gives a receipt again has never heard of it. */
function namesOf(life: string): string[] {
  const [name, incarnation] = life.split("#");
  return [name, `incarnation-${incarnation}`];
}

/** `S05/017` is the shard of number 337: sixteen sets of sixty-four. */
function numberOf(shard: string): number {
  return Number(shard.slice(1, 3)) * 64 + Number(shard.slice(4));
}
