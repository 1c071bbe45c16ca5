/** Broken lines in how entries get into logs, become committed, and who may write. */
import { type Mutant, oneShard, script, SCRIPTS, seeds } from "../mutant.ts";

const APPEND = "runtime/replication/append.ts";
const ELECTION = "runtime/replication/election.ts";
const CONFIGURATION = "runtime/replication/configuration.ts";

/** See the file's header. */
export const REPLICATING: Mutant[] = [
  {
    name: "commit-after-two",
    breaks: "P1: committed means a majority has it",
    file: CONFIGURATION,
    before: "return SCRATCH[voters.length >> 1];",
    after: "return SCRATCH[1];",
    sights: [oneShard(), seeds("crashes", 40)],
  },
  {
    name: "learner-in-the-majority",
    breaks: "P1: only voters make a majority",
    file: APPEND,
    before: "(voter) => voter === state.self ? state.store.lastIndex : state.peers.get(voter)?.match ?? 0,",
    after:
      "(voter) => voter === state.self ? state.store.lastIndex : Math.max(0, ...[...state.peers].filter(([p]) => p === voter || !isVoter(configurationOf(state), p)).map(([, p]) => p.match)),",
    sights: [oneShard(), seeds("crashes", 40)],
  },
  {
    name: "no-term-check-on-append",
    breaks: "P3: entries of a deposed writer are refused",
    file: APPEND,
    before: "if (message.term < state.term) {\n    refuse(state, env, from);\n    return;\n  }\n  state.appendsSeen++;",
    after: "if (message.term < 0) {\n    refuse(state, env, from);\n    return;\n  }\n  state.appendsSeen++;",
    sights: [oneShard(), seeds("network", 20)],
  },
  {
    name: "no-look-at-the-entry-before",
    breaks: "P2: entries are taken only behind the entry that the writer has there",
    file: APPEND,
    before: "termAt(store, message.index) !== message.logTerm",
    after: "message.logTerm < 0",
    sights: [oneShard(), seeds("network", 40)],
  },
  {
    name: "conflicting-entry-stays",
    breaks: "P2: an entry that differs from the writer's is replaced",
    file: APPEND,
    before: "if (store.termAt(index) === term) {",
    after: "if (store.termAt(index) >= 0) {",
    sights: [oneShard(), seeds("network", 40)],
  },
  {
    name: "tail-committed-unseen",
    breaks: "P2: a copy commits only what it knows to be the writer's",
    file: APPEND,
    before: "commit: Math.min(message.commit, last),",
    after: "commit: Math.min(message.commit, store.lastIndex),",
    sights: [oneShard(), seeds("network", 40)],
  },
  {
    name: "earlier-term-committed-by-counting",
    breaks: "P1: a majority of copies commits entries of the own term only",
    file: APPEND,
    before: "if (index > state.commit && state.store.termAt(index) === state.term) {",
    after: "if (index > state.commit) {",
    sights: [script(SCRIPTS, "an entry of an earlier term")],
  },
  {
    name: "refusal-moves-the-match",
    breaks: "P1: only what a copy has taken counts as held",
    file: APPEND,
    before: "peer.refusedIndex = message.index;",
    after: "peer.refusedIndex = peer.match = message.index;",
    sights: [oneShard(), seeds("network", 40)],
  },
  {
    name: "sessions-ignored",
    breaks: "P1: a copy that forgot is not taken at the word of its former life",
    file: APPEND,
    before: "if (peer === undefined || peer.session !== message.session) return;",
    after: "if (peer === undefined) return;",
    sights: [script(SCRIPTS, "an answer under way")],
  },
  {
    name: "vote-without-log-check",
    breaks: "P1: nobody is elected who lacks what is committed",
    file: ELECTION,
    before: "return message.logTerm > term || (message.logTerm === term && message.index >= index);",
    after: "return term >= 0 && index >= 0;",
    sights: [oneShard(), seeds("crashes", 40)],
  },
  {
    name: "vote-twice-in-a-term",
    breaks: "P3: in one term one writer",
    file: ELECTION,
    before: "(state.votedFor === 0 || state.votedFor === from) &&",
    after: "",
    sights: [oneShard(), seeds("network", 40)],
  },
  {
    name: "hand-over-without-catch-up",
    breaks: "P1: nobody is elected who lacks what is committed, not by a hand-over either",
    file: ELECTION,
    before: `state.role !== "writer" && isComplete(state, message);`,
    after: `state.role !== "writer" && (isComplete(state, message) || message.flag === 1);`,
    sights: [script(SCRIPTS, "a hand-over that comes late")],
  },
  {
    name: "belief-in-a-dead-term",
    breaks: "P4: a shard with a majority has a writer",
    file: ELECTION,
    before: `if (role !== "writer" && (state.writer === from || message.term > term + 1)) state.writer = 0;`,
    after: "",
    sights: [oneShard(), seeds("network", 40)],
  },
  {
    name: "fresh-without-the-round",
    breaks: "P2: a fresh read is confirmed by a majority",
    file: "runtime/replication/fresh_reads.ts",
    before: "if (!isConfirmed) return;",
    after: "",
    sights: [seeds("reads", 40), oneShard()],
  },
  {
    name: "incarnation-kept",
    breaks: "P1: RAM forgets, so a restarted process is nobody's member",
    // The simulator's boot stands for `runtime/node/start_node.ts`, which does the same.
    file: "tests/simulation/cluster.ts",
    before: "incarnation: mintIncarnation(world)",
    after: "incarnation: 1 + this.names.indexOf(name)",
    sights: [seeds("crashes", 40)],
  },
  {
    name: "group-made-where-none-was-found",
    breaks: "P2: a shard is born once",
    file: "runtime/replication/replication.ts",
    before: "if (replica) this.#ask(replica);",
    after: "if (replica) this.#ask(replica); else this.birth(shard, [this.#options.self.incarnation]);",
    sights: [oneShard(), seeds("crashes", 40)],
  },
  {
    name: "lower-generation-accepted",
    breaks: "P2: what an operator has cut off stays cut off",
    file: "runtime/replication/replication.ts",
    before: "if (generation !== this.generations.of(shard)) return null;",
    after: "if (generation > this.generations.of(shard)) return null;",
    sights: [script("tests/simulation/recovery_test.ts", "a cut, not a death")],
  },
];
