/** Broken lines in how members change: swaps, leaving, handing over. */
import { type Mutant, oneShard, script, SCRIPTS } from "../mutant.ts";

const SWAP = "runtime/replication/swap.ts";

/** See the file's header. */
export const MEMBERS: Mutant[] = [
  {
    name: "swap-without-the-old-majority",
    breaks: "P1: a swap needs majorities of the old and of the new members",
    file: SWAP,
    before: "appendConfiguration(state, env, { voters: target, old: voters });",
    after: "appendConfiguration(state, env, { voters: target, old: null });",
    sights: [oneShard()],
  },
  {
    name: "add-then-remove",
    breaks: "P4: a shard survives the loss of a data center at every moment of a swap",
    file: SWAP,
    before: "appendConfiguration(state, env, { voters: target, old: voters });",
    after:
      "appendConfiguration(state, env, { voters: target.every((v) => voters.includes(v)) ? target : [...new Set([...voters, ...target])], old: null });",
    sights: [script(SCRIPTS, "a data center may be lost")],
  },
  {
    name: "swap-ends-early",
    breaks: "P1: the joint configuration is committed before the new one stands alone",
    file: SWAP,
    before: "if (configuration.old !== null) {\n    if (state.commit < configurationIndexOf(state)) return true;",
    after: "if (configuration.old !== null) {\n",
    sights: [oneShard()],
  },
  {
    name: "left-without-permission",
    breaks: "P1: a copy keeps what the writer may still count on",
    file: "runtime/replication/replication.ts",
    before: "if (isDismissed(state)) this.#askToLeave(replica);",
    after: "if (isDismissed(state)) this.#drop(replica, state.term);",
    sights: [oneShard()],
  },
  {
    name: "departed-copy-forgets",
    breaks: "P1: who left keeps its term and the end of its log",
    file: "runtime/replication/replication.ts",
    before: "this.#departed.recall(replica.state);",
    after: "",
    sights: [oneShard()],
  },
  {
    name: "void-permission-taken",
    breaks: "P1: a permission to leave is void once the copy is wanted again",
    file: "runtime/replication/leaving.ts",
    before: "const isVoid = message.term < state.term || message.index !== state.appendsSeen;",
    after: "const isVoid = false;",
    sights: [script(SCRIPTS, "a permission to leave")],
  },
];
