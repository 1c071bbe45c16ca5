/** What must hold of a group, whatever happens to it: P1 and P3, and what the explorer remembers to check them. */
import type { NodeView } from "./node_table.ts";

/** What was ever committed, and by whom: no node knows it. */
export interface Ghost {
  /** the longest log that was ever committed */
  readonly chosen: readonly number[];
  /** of each of its entries: the least term in which it was committed */
  readonly chosenIn: readonly number[];
  /** of a term: who has written in it, 0 nobody */
  readonly writers: readonly number[];
}

/** Before anything is born. */
export const NO_GHOST: Ghost = { chosen: [], chosenIn: [], writers: [] };

/** What is remembered once a node has come into this state; `wrong`: it contradicts what was. */
export function ghostAfter(ghost: Ghost, node: NodeView): { ghost: Ghost; wrong: string } {
  let { chosen, chosenIn, writers } = ghost;
  let wrong = "";
  for (let i = 0; i < Math.min(node.commit, chosen.length); i++) {
    if (node.log[i] !== chosen[i]) wrong = `P3: ${node.incarnation} has committed another entry ${i + 1} than was`;
  }
  if (wrong === "" && node.commit > chosen.length) {
    chosen = node.log.slice(0, node.commit);
    chosenIn = [...chosenIn, ...chosen.slice(chosenIn.length).map(() => node.term)];
  } else if (node.isWriter && chosenIn.slice(0, node.commit).some((term) => term > node.term)) {
    chosenIn = chosenIn.map((term, i) => i < node.commit ? Math.min(term, node.term) : term);
  }
  if (node.isWriter && writers[node.term] !== node.incarnation) {
    if ((writers[node.term] ?? 0) !== 0) {
      wrong = `P3: ${writers[node.term]} and ${node.incarnation} write in term ${node.term}`;
    }
    const more = Array.from({ length: Math.max(writers.length, node.term + 1) }, (_, term) => writers[term] ?? 0);
    more[node.term] = node.incarnation;
    writers = more;
  }
  const isSame = chosen === ghost.chosen && chosenIn === ghost.chosenIn && writers === ghost.writers;
  return { ghost: isSame ? ghost : { chosen, chosenIn, writers }, wrong };
}

/** What is wrong with a group now; "" nothing. */
export function violationOf({ chosen, chosenIn }: Ghost, nodes: readonly NodeView[]): string {
  let isHeld = false;
  for (const node of nodes) {
    let same = 0;
    while (same < chosen.length && node.log[same] === chosen[same]) same++;
    if (same === chosen.length) isHeld = true;
    else if (node.isWriter && chosenIn[same] < node.term) {
      return `P1: ${node.incarnation} writes in term ${node.term} without entry ${same + 1}, committed in term ${
        chosenIn[same]
      }`;
    }
  }
  return isHeld ? "" : "P1: no copy has everything that was committed";
}

/** Within the promised bound: of every configuration that may be in force a majority stays. */
export function mayCrash({ chosen }: Ghost, nodes: readonly NodeView[], incarnation: number): boolean {
  const lives = new Set(nodes.map((node) => node.incarnation).filter((one) => one !== incarnation));
  const stays = (voters: readonly number[] | null) =>
    voters === null || !voters.includes(incarnation) || voters.filter((v) => lives.has(v)).length * 2 > voters.length;
  // A copy that is behind what is committed tells of a configuration that is in force no more; to ask for it as well
  // only forbids crashes.
  return nodes.every(({ voters, old, log }) => log.length < chosen.length - 1 || (stays(voters) && stays(old)));
}
