/**
 * census: on which ward a patient lies, told to the ward as well. The smallest handler that does something: one
 * projection, one effect. It takes JSON messages such as `{"type": "admit", "ward": "5W"}`.
 *
 *     waterpark plugin deploy plugins/census.ts
 *
 * @module
 */
import { defineHandler, effect } from "@waterpark/waterpark";

export default defineHandler({
  name: "census",
  kind: "patient",
  initial: { ward: "", moves: 0 },
  handle(key, projections, message) {
    if (message.type !== "admit") return ["ok", projections, []];
    const ward: unknown = message.body?.ward;
    // an admission that names no ward says nothing about where the patient is
    if (typeof ward !== "string" || ward === "") return ["ok", projections, []];
    const arrived = effect.send({ kind: "ward", facility: key.facility, id: ward }, {
      type: "arrived",
      patient: key.id,
    });
    return ["ok", { ward, moves: projections.moves + 1 }, [arrived]];
  },
});
