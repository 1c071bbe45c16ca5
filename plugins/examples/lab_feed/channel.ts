/**
 * lab-feed: results (ORU^R01) of a laboratory go to two places: all of them, as they came, to the hospital's record over
 * MLLP, and what is out of range, as JSON, to whoever watches for it.
 *
 *     waterpark plugin deploy plugins/examples/lab_feed/to_record.ts
 *     waterpark plugin deploy plugins/examples/lab_feed/to_watch.ts
 *     waterpark plugin deploy plugins/examples/lab_feed/channel.ts
 *
 * The laboratory sends to any node's MLLP port. Each patient's results leave in their order, on both ways; a patient whose
 * record refuses one holds up nobody else.
 *
 * @module
 */
import { defineChannel, type Hl7View } from "@waterpark/waterpark";

/** A result that somebody should look at. */
export interface Abnormal {
  readonly patient: string;
  readonly code: string;
  readonly name: string;
  readonly value: string;
  readonly unit: string;
  /** OBX-8: `H`, `HH`, `L`, `LL`, `A`, `AA`, ... */
  readonly flag: string;
}

export default defineChannel({
  name: "lab-feed",
  filter: ({ type }) => type === "ORU^R01",
  destinations: [
    { name: "record", sink: "to-record" },
    {
      name: "watch",
      sink: "to-watch",
      filter: ({ body }) => abnormalIn(body, "").length > 0,
      transform: ({ body }, { id }) => ({ type: "abnormal", body: abnormalIn(body, id) }),
    },
  ],
});

/** The observations with a flag other than normal. */
function abnormalIn(message: Hl7View, patient: string): Abnormal[] {
  return message.all("OBX").flatMap((obx) => {
    const flag = obx.get("8");
    if (flag === "" || flag === "N") return [];
    const [code, name, value, unit] = [obx.get("3.1"), obx.get("3.2"), obx.get("5"), obx.get("6.1")];
    return [{ patient, code, name, value, unit, flag }];
  });
}
