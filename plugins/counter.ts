/**
 * counter: how many messages an actor has had, by type. The smallest handler there is; read it first. A handler is given
 * what it kept and the next message, and answers with what it keeps now: no clock, no files, nothing that waits.
 *
 *     waterpark plugin test plugins/counter.ts
 *     waterpark plugin deploy plugins/counter.ts
 *     waterpark actor send HOSPX/1001 '{"type":"admit"}' && waterpark actor show HOSPX/1001
 *
 * @module
 */
import { defineHandler } from "@waterpark/waterpark";

/** What is kept has a bound: who sends a new type with every message fills no memory. */
const TYPES_MAX = 50;
const OTHERS = "others";

export default defineHandler({
  name: "counter",
  kind: "patient",
  initial: { total: 0, byType: {} as Record<string, number> },
  handle(_key, { total, byType }, message) {
    const hasRoom = Object.hasOwn(byType, message.type) || Object.keys(byType).length < TYPES_MAX;
    const type = hasRoom ? message.type : OTHERS;
    // a type may be called "constructor", which every object has
    const before = Object.hasOwn(byType, type) ? byType[type] : 0;
    return ["ok", { total: total + 1, byType: { ...byType, [type]: before + 1 } }, []];
  },
});

/** What `waterpark plugin test` holds against it, beside the rules that all handlers have. */
export const checks = {
  invariants: {
    "every message is counted once": (
      { total, byType }: { total: number; byType: Record<string, number> },
      history: readonly unknown[],
    ) => {
      const sum = Object.values(byType).reduce((sum, count) => sum + count, 0);
      return (total === history.length && sum === total) || `${total} and ${sum} of ${history.length}`;
    },
  },
};
