/** Broken lines on a message's way from its sender into the log and back: mailroom, proposing, receipts. */
import { type Mutant, oneShard, script, seeds } from "../mutant.ts";

const PROPOSING = "runtime/replication/proposing.ts";
const WAITING = "runtime/replication/waiting.ts";
const REPLICATION = "runtime/replication/replication.ts";

/** See the file's header. */
export const RECORDING: Mutant[] = [
  {
    name: "ack-after-two",
    breaks: "P1: acknowledged means on three copies",
    file: WAITING,
    before: "return copies >= rule.copies && dataCenters.length >= rule.dataCenters;",
    after: "return copies >= 2 && dataCenters.length >= rule.dataCenters;",
    sights: [seeds("small", 20)],
  },
  {
    name: "ack-before-commit",
    breaks: "P1: acknowledged means committed",
    file: WAITING,
    before: "const candidates = [state.commit];",
    after: "const candidates = [state.store.lastIndex];",
    sights: [oneShard(), seeds("network", 20)],
  },
  {
    name: "lost-counts-as-done",
    breaks: "P1: whoever loses the writer's role knows nothing of what was not committed",
    file: REPLICATION,
    before: `waiter.done("lost");`,
    after: `waiter.done("done");`,
    sights: [oneShard(), seeds("network", 20)],
  },
  {
    name: "duplicate-answered-at-once",
    breaks: "P1: a message's second sending waits for the commit like its first",
    file: PROPOSING,
    before: "context.wait(waiterFor(state, context, { proposal, index: found, duplicate: true }, done));",
    after: `waiterFor(state, context, { proposal, index: found, duplicate: true }, done).done("done");`,
    sights: [seeds("network", 40)],
  },
  {
    name: "same-id-same-message",
    breaks: "P2: a message is known by its id and its bytes",
    file: PROPOSING,
    before: "if (!sameDigest(store.digestOf(found), digest64(proposal.payload))) {",
    after: "if (found < 0) {",
    sights: [script("runtime/replication/replication_test.ts", "recorded on three of five")],
  },
  {
    name: "tail-not-searched",
    breaks: "P2: a message stands once, the uncommitted tail included",
    file: PROPOSING,
    before: "if (found !== 0) {",
    after: "if (found !== 0 && found <= state.commit) {",
    sights: [seeds("network", 20)],
  },
  {
    name: "gap-accepted",
    breaks: "P2: a sender's messages stand in the order sent",
    file: WAITING,
    before: "return Math.max(oldest, last + 1);",
    after: "return null;",
    sights: [seeds("network", 20)],
  },
  {
    name: "late-frame-of-a-former-term",
    breaks: "P2: a sender's late frame does not slip in under a new writer",
    file: PROPOSING,
    before: "if (!isMeantForThisTerm) {",
    after: "if (proposal.term > state.term) {",
    sights: [seeds("network", 40)],
  },
  {
    name: "refused-stream-goes-on",
    breaks: "P2: nothing overtakes a message that its sender will send again",
    file: "runtime/mailroom/mailroom.ts",
    before: `if (result.state === "refused" && LATE.has(result.code)) this.#stop(stream, posting);`,
    after: "",
    sights: [seeds("network", 60)],
  },
  {
    name: "frame-let-in-twice",
    breaks: "P2: a doubled frame is let in once",
    file: "runtime/mailroom/inbox.ts",
    before: "if (!this.#windowOf(from).accept(frameNumber)) {",
    after: "if (frameNumber < 0) {",
    sights: [seeds("network", 60)],
  },
  {
    name: "truncated-id-still-found",
    breaks: "P1: what was taken back from the log is not taken for recorded",
    file: "runtime/storage/shard_store.ts",
    before: "this.#ids.remove(field.idHashAt(segment, at), last);",
    after: "",
    sights: [oneShard(), seeds("network", 40)],
  },
];
