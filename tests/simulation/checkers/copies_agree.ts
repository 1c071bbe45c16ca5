import type { Journal } from "../journal.ts";
import { endedLives, messagesOf } from "./histories.ts";

const INDEXES = 2 ** 32;

/**
 * P2, P3: what is committed at an index of a shard is the same wherever and whenever; every copy has a life from its
 * birth on, without a gap, as it was committed, and the digests chained along it are the same.
 */
export function copiesAgree(journal: Journal): string[] {
  const wrong: string[] = [];
  const prints = new Map<number, number>();
  for (const { node, shard, index, print } of journal.committed) {
    if (print < 0) continue;
    const at = shard * INDEXES + index;
    const known = prints.get(at);
    if (known === undefined) prints.set(at, print);
    else if (known !== print) wrong.push(`P3: shard ${shard} index ${index} was committed with two contents (${node})`);
  }
  const ends = endedLives(journal);
  for (const { node, key, messages } of journal.histories) {
    const reference = messagesOf(journal, key);
    const birth = (messages[0]?.seq ?? 1) - 1;
    if (birth !== 0 && !ends.get(key)?.includes(birth)) {
      wrong.push(`P2: ${node} has ${key} from seq ${birth + 1} on only`);
    }
    messages.forEach((message, i) => {
      const { seq, id, index, body, chain, digest } = message;
      const other = reference[birth + i];
      if (other === undefined || other.seq !== seq || other.id !== id || other.index !== index || other.body !== body) {
        wrong.push(`P2: ${node} and another copy differ at seq ${birth + i + 1} of ${key}: ${id}, ${other?.id}`);
      } else if (other.chain !== chain || other.digest !== digest) {
        wrong.push(`P2: ${node} and another copy have other digests at seq ${seq} of ${key}`);
      }
    });
  }
  return wrong;
}
