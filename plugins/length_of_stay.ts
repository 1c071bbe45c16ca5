/**
 * length-of-stay: how long a patient has been in, and a reminder after 24 hours unless the patient is discharged before.
 * The smallest handler that waits: it has no clock, it schedules a message to its own actor. It takes JSON messages such
 * as `{"type": "admit"}` and `{"type": "discharge"}`.
 *
 *     waterpark plugin deploy plugins/length_of_stay.ts
 *
 * @module
 */
import { defineHandler, effect } from "@waterpark/waterpark";

const HOUR_MS = 3600 * 1000;

export default defineHandler({
  name: "length-of-stay",
  kind: "patient",
  initial: { admittedAt: null as number | null, hours: 0, reminders: 0 },
  handle(_key, projections, message) {
    const { admittedAt } = projections;
    // rounded down, and 0 while nobody is in
    const hours = admittedAt === null ? 0 : Math.floor((message.at - admittedAt) / HOUR_MS);
    switch (message.type) {
      case "admit": {
        // a second admission replaces the timer: it has the same name
        const reminder = effect.schedule("day", { afterMs: 24 * HOUR_MS }, { type: "stay/day" });
        return ["ok", { admittedAt: message.at, hours: 0, reminders: 0 }, [reminder]];
      }
      case "discharge":
        return ["ok", { ...projections, admittedAt: null, hours }, [effect.cancel("day")]];
      case "stay/day": {
        // a cancel that is decided, but not in the log yet, comes too late: so look again
        if (admittedAt === null) return ["ok", projections, []];
        const text = "a patient has been in for another day";
        return ["ok", { ...projections, hours, reminders: projections.reminders + 1 }, [
          effect.alert("length-of-stay/day", text),
          effect.schedule("day", { afterMs: 24 * HOUR_MS }, { type: "stay/day" }),
        ]];
      }
      default:
        return ["ok", projections, []];
    }
  },
});
