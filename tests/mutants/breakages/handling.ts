/** Broken lines in what handlers decide, what is carried out of it, and what is read. */
import { type Mutant, script, seeds } from "../mutant.ts";

const EFFECTS = "runtime/effects/effects.ts";
const TIMERS = "runtime/effects/timers.ts";

/** See the file's header. */
export const HANDLING: Mutant[] = [
  {
    name: "second-outcome-stands",
    breaks: "P5: the first committed outcome stands; what is computed again after a failover is only compared",
    file: "runtime/actors/shard_marks.ts",
    before: `if (item.seq <= this.mark(slot, row)) return { state: "late" };`,
    after: "",
    sights: [seeds("effects", 60)],
  },
  {
    name: "outcome-applied-at-once",
    breaks: "P5: nothing leaves, and nobody is answered, before the outcome is committed",
    file: "runtime/node/handling_rooms.ts",
    before: "proposeOutcomes: (shard, body, done) => replication.proposeEntry(shard, ENTRY.OUTCOMES, body, done),",
    after:
      "proposeOutcomes: (shard, body, done) => (replication.proposeEntry(shard, ENTRY.OUTCOMES, body, done), core.actors.committed(shard, replication.store(shard)!.lastIndex, replication.store(shard)!.lastIndex)),",
    sights: [seeds("effects", 60)],
  },
  {
    name: "handled-when-recorded",
    breaks: "P5: no reply is given before the outcome is committed",
    file: "runtime/actors/actors.ts",
    before: "if (state.marks.mark(slot, row) >= seq) return true;",
    after: "if (state.marks.head(row) >= seq) return true;",
    sights: [seeds("effects", 60)],
  },
  {
    name: "done-when-taken-in-hand",
    breaks: "P5: an effect is marked done after it was carried out, not before",
    file: EFFECTS,
    before: "if (owed.delete(position) && isMeant) {",
    after: "if (owed.delete(position) && isMeant && state.done.push([index, position])) {",
    sights: [seeds("effects", 60)],
  },
  {
    name: "refused-for-now-is-done",
    breaks: "P5: an effect is tried again until its target has it",
    file: EFFECTS,
    before: `if (result.state === "recorded") return this.#finish(lane, task);`,
    after: "if (result.state) return this.#finish(lane, task);",
    sights: [seeds("tight", 60)],
  },
  {
    name: "effect-id-of-the-try",
    breaks: "P5: an effect's id never changes",
    file: EFFECTS,
    before: "id: effectId(item.key, item.seq, item.plugin, n),",
    after: "id: effectId(item.key, item.seq, item.plugin, n + 1000 * state.epoch),",
    sights: [seeds("effects", 60)],
  },
  {
    name: "effects-out-of-order",
    breaks: "P5: effects of one actor to one target keep their order",
    file: EFFECTS,
    before: "if (lane !== undefined) {",
    after: "if (lane !== undefined && lane.tasks.length > 1000) {",
    sights: [seeds("tight", 60)],
  },
  {
    name: "outcome-with-a-gap",
    breaks: "P5: outcomes of one actor are decided in order, each once",
    file: "runtime/actors/handling.ts",
    before: "if (seq !== this.#decided + 1 || seq > limit) return;",
    after: "if (seq > limit) return;",
    sights: [seeds("flicker", 100)],
  },
  {
    name: "timer-fired-early",
    breaks: "P5: a timer's message comes late at worst, never early",
    file: TIMERS,
    before: "if (state.table.firstDueMs > this.#world.nowWallMs()) this.#arm(state);",
    after: "if (state.table.firstDueMs > this.#world.nowWallMs() + 1000) this.#arm(state);",
    sights: [seeds("lives", 40)],
  },
  {
    name: "timer-fired-by-a-wrong-clock",
    breaks: "P5: whose clock is off fires nothing",
    file: TIMERS,
    before:
      "if (this.#ready.length > 0 && Math.abs(this.#options.clockAheadMs()) > clockOffMs) return this.#waitForClock();",
    after: "if (this.#ready.length > 0 && clockOffMs < 0) return this.#waitForClock();",
    sights: [seeds("lives", 40)],
  },
  {
    name: "timer-lost-with-the-writer",
    breaks: "P5: timers are in the log, and the next writer goes on with them",
    file: TIMERS,
    before: "for (const number of state.inHand) state.table.putBack(number);",
    after: "for (const number of state.inHand) state.table.close(number);",
    sights: [script("runtime/effects/timers_test.ts", "a lost role puts everything back")],
  },
  {
    name: "life-ended-behind-a-message",
    breaks: "P2: a life ends only if nothing has come since that was decided",
    file: "runtime/actors/shard_actors.ts",
    before: `if (store.rowSeq(row) !== seq) return done("void");`,
    after: `if (store.rowSeq(row) < seq) return done("void");`,
    sights: [seeds("lives", 40)],
  },
  {
    name: "tombstone-forgets-ids",
    breaks: "P2: a message stands once, and the ends of lives do not bring it back",
    file: "runtime/storage/actor_reader.ts",
    before: "return this.tombstoneOf(this.actors.retired(row)).find(digest64(ID.bytes.subarray(0, ID.length)));",
    after: "return null;",
    sights: [seeds("lives", 40)],
  },
  {
    name: "handled-where-no-plugin-is-known",
    breaks: "P5: nobody is told that a message is handled by who does not know the handlers yet",
    file: "runtime/node/reading.ts",
    before:
      "if (!replication.isWriter(request.shard)) return done(NOT_HERE);\n    if (!this.#options.knowsPlugins()) return done(NOT_YET);",
    after: "if (!replication.isWriter(request.shard)) return done(NOT_HERE);\n",
    sights: [script("runtime/node/reading_test.ts", "who does not know the plugins")],
  },
  {
    name: "read-does-not-wait",
    breaks: "P2: a read after a receipt's seq waits until that is there",
    file: "runtime/node/reading.ts",
    before: "if (seq < request.after) {",
    after: "if (seq < 0) {",
    sights: [seeds("reads", 60)],
  },
  {
    name: "uncommitted-is-read",
    breaks: "P2: what is read is committed",
    file: "runtime/node/reading.ts",
    before: "const indexes = store.history(key, after, request.limit, commit);",
    after: "const indexes = store.history(key, after, request.limit, store.lastIndex);",
    sights: [seeds("reads", 60)],
  },
];
