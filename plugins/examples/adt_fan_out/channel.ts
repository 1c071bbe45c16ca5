/**
 * adt-fan-out: admissions, transfers and discharges go to three places, to each in its own words: to the laboratory as HL7
 * with another header and without what it must not see, to a bed board as JSON, and onto a Kafka topic as events.
 *
 *     for sink in to_lab to_board to_topic; do waterpark plugin deploy plugins/examples/adt_fan_out/$sink.ts; done
 *     waterpark plugin deploy plugins/examples/adt_fan_out/channel.ts
 *
 * @module
 */
import { defineChannel, editHl7, HL7_CONTENT_TYPE } from "@waterpark/waterpark";

const MOVES: Record<string, string> = {
  "ADT^A01": "admitted",
  "ADT^A02": "transferred",
  "ADT^A03": "discharged",
};

export default defineChannel({
  name: "adt-fan-out",
  filter: ({ type }) => type in MOVES,
  destinations: [
    {
      name: "laboratory",
      sink: "to-lab",
      // what it has done with it is part of the patient's history
      answerAs: "laboratory-answer",
      transform: ({ body, type }) => {
        const { text } = editHl7(body)
          .set("MSH-5", "LAB")
          .remove("NK1")
          .remove("IN1")
          .remove("GT1")
          .done();
        return { type, contentType: HL7_CONTENT_TYPE, body: text };
      },
    },
    {
      name: "board",
      sink: "to-board",
      transform: ({ body, type }, { id }) => ({
        type: MOVES[type],
        body: { patient: id, what: MOVES[type], ward: body.get("PV1-3.1"), bed: body.get("PV1-3.3") },
      }),
    },
    {
      name: "topic",
      sink: "to-topic",
      transform: ({ body, type, at }, { facility, id }) => ({
        type: MOVES[type],
        body: { facility, patient: id, what: MOVES[type], at: new Date(at).toISOString(), control: body.controlId },
      }),
    },
  ],
});
