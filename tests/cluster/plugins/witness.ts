/**
 * witness: repeats every HL7 message that it was shown, as it came. A copy that is asked what it keeps (`read=nearest`)
 * lets its own plugin host handle the messages that it holds itself; so this plugin's projection is the copy's bytes.
 */
import { defineHandler } from "@waterpark/waterpark";

export default defineHandler({
  name: "witness",
  kind: "patient",
  initial: { messages: [] as { id: string; seq: number; text: string }[] },
  handle(_key, { messages }, { id, seq, body }) {
    return ["ok", { messages: [...messages, { id, seq, text: body.text }] }, []];
  },
});
