/**
 * New HL7 v2 messages, and answers to them. Plain ECMAScript, as it also runs inside plugin contexts: whoever calls gives
 * the time and the control id, as a handler has neither clock nor chance (`message.at`, `message.id`).
 *
 * @module
 */
import { type Hl7AckCode, hl7ErrorMeaning } from "./hl7_ack_codes.ts";
import { Hl7Draft } from "./hl7_draft.ts";
import { DEFAULT_DELIMITERS, type Hl7Delimiters } from "./hl7_escape.ts";
import type { Hl7Value } from "./hl7_place.ts";
import { hl7Timestamp } from "./hl7_time.ts";
import type { Hl7View } from "./hl7_view.ts";

/** An application and where it stands, MSH-3 and 4 or MSH-5 and 6; a text is its first component. */
export interface Hl7Party {
  /** MSH-3 or MSH-5 */
  readonly application?: Hl7Value;
  /** MSH-4 or MSH-6 */
  readonly facility?: Hl7Value;
}

/** The header of a new message. */
export interface Hl7Header {
  /** MSH-9: `ADT^A01`, or with its structure `ADT^A01^ADT_A01` */
  readonly type: string;
  /** MSH-10; old receivers read 20 characters of it */
  readonly id: string;
  /** MSH-7, ms since 1970; written in UTC */
  readonly at: number;
  /** who sends */
  readonly from?: Hl7Party;
  /** for whom it is */
  readonly to?: Hl7Party;
  /** MSH-12; usual: `2.5.1` */
  readonly version?: string;
  /** MSH-11: `P` production, `T` training, `D` debugging; usual: `P` */
  readonly processing?: string;
  /** MSH-18; usual: `UNICODE UTF-8` */
  readonly charset?: string;
  /** usual: `|^~\&` */
  readonly delimiters?: Hl7Delimiters;
}

/**
 * A draft that has its MSH.
 *
 * @throws {TypeError} when the type is not like `ADT^A01`
 *
 * @example
 * ```ts
 * import { newHl7 } from "./hl7_build.ts";
 * const message = newHl7({ type: "ADT^A08^ADT_A01", id: "m1", at: 1767225600000, from: { application: "WP", facility: "DC" } })
 *   .add("EVN", ["", "20260101"])
 *   .add("PID", [1, "", ["1001", "", "", "MRN"], "", ["Doe", "Jane"]])
 *   .done();
 * if (message.get("MSH-7") !== "20260101000000" || message.get("PID-5.2") !== "Jane") throw new Error("unreachable");
 * ```
 */
export function newHl7(header: Hl7Header): Hl7Draft {
  const type = header.type.split("^");
  if (!/^[A-Z0-9]{3}(?:\^[A-Z0-9]{3}(?:\^[A-Z0-9_]{3,7})?)?$/.test(header.type)) {
    throw new TypeError(`Cannot make a message of type ${JSON.stringify(header.type)} as it must be like ADT^A01`);
  }
  const d = header.delimiters ?? DEFAULT_DELIMITERS;
  const msh = "MSH" + d.field + d.component + d.repetition + d.escape + d.subcomponent;
  const draft = new Hl7Draft([msh], d);
  const { from = {}, to = {} } = header;
  draft.set("MSH-3", from.application ?? "").set("MSH-4", from.facility ?? "")
    .set("MSH-5", to.application ?? "").set("MSH-6", to.facility ?? "")
    .set("MSH-7", hl7Timestamp(header.at)).set("MSH-9", type).set("MSH-10", header.id)
    .set("MSH-11", header.processing ?? "P").set("MSH-12", header.version ?? "2.5.1");
  return header.charset === "" ? draft : draft.set("MSH-18", header.charset ?? "UNICODE UTF-8");
}

/** What was wrong with a message: one ERR segment of its acknowledgement. */
export interface Hl7Problem {
  /** HL7 table 0357: 101 required field missing, 102 data type, 103 table value, 204 unknown key, 207 internal, ... */
  readonly code: number;
  /** where: `PID-3.1`, `OBX[2]-5` */
  readonly path?: string;
  /** `E` error, `W` warning, `I` information; usual: `E` */
  readonly severity?: "E" | "W" | "I";
  /** for people */
  readonly text?: string;
}

/** What an acknowledgement says. */
export interface Hl7Acknowledgement {
  /** `AA`, `AE`, `AR` of the application; `CA`, `CE`, `CR` of whoever keeps the message for it */
  readonly code: Hl7AckCode;
  /** MSH-10 of the acknowledgement */
  readonly id: string;
  /** now, ms since 1970 */
  readonly at: number;
  /** MSA-3 */
  readonly text?: string;
  /** what was wrong, an ERR each */
  readonly problems?: readonly Hl7Problem[];
}

/**
 * The acknowledgement of a message, as a draft: from its receiver to its sender, in its delimiters, version and charset,
 * MSA-2 its control id; ERR segments in the form of its version.
 *
 * @example
 * ```ts
 * import { acknowledgeHl7 } from "./hl7_build.ts";
 * import { Hl7View } from "./hl7_view.ts";
 * const message = Hl7View.read("MSH|^~\\&|LAB|HOSPX|EHR|HQ|20260101||ORU^R01|77|P|2.5")!;
 * const ack = acknowledgeHl7(message, { code: "AE", id: "a1", at: 0, problems: [{ code: 101, path: "PID-3.1" }] }).done();
 * if (ack.get("MSA-2") !== "77" || ack.get("ERR-2.3") !== "3") throw new Error("unreachable");
 * ```
 */
export function acknowledgeHl7(message: Hl7View, answer: Hl7Acknowledgement): Hl7Draft {
  const d = message.delimiters;
  const draft = new Hl7Draft(["MSH" + d.field + d.component + d.repetition + d.escape + d.subcomponent], d);
  const event = message.get("MSH-9.2");
  const structure = event !== "" && message.get("MSH-9.3") !== "";
  const copied = (field: number) => fieldOf(message, field);
  draft.setRaw("MSH-3", copied(5)).setRaw("MSH-4", copied(6)).setRaw("MSH-5", copied(3)).setRaw("MSH-6", copied(4))
    .set("MSH-7", hl7Timestamp(answer.at)).set("MSH-9", ["ACK", event, structure ? "ACK" : ""])
    .set("MSH-10", answer.id).setRaw("MSH-11", copied(11) || "P").setRaw("MSH-12", copied(12) || "2.5");
  if (copied(18) !== "") draft.setRaw("MSH-18", copied(18));
  draft.set("MSA-1", answer.code).setRaw("MSA-2", copied(10));
  if (answer.text !== undefined && answer.text !== "") draft.set("MSA-3", answer.text);
  for (const problem of answer.problems ?? []) addError(draft, problem);
  return draft;
}

// whole fields: what is echoed must be what was sent, even where a repetition makes no sense
function fieldOf(message: Hl7View, field: number): string {
  return message.segments()[0].text.split(message.delimiters.field)[field - 1] ?? "";
}

function addError(draft: Hl7Draft, problem: Hl7Problem): void {
  const meaning = [String(problem.code), hl7ErrorMeaning(problem.code), "HL70357"];
  const match = /^(\w{3})(?:\[(\d+)\])?(?:-(\d+)(?:\[(\d+)\])?(?:\.(\d+))?(?:\.(\d+))?)?$/.exec(problem.path ?? "");
  const [, segment = "", occurrence = "1", field = "", repetition = "1", component = "", subcomponent = ""] = match ??
    [];
  const [major, minor] = draft.get("MSH-12.1").split(".", 2).map(Number);
  if (major === 2 && minor < 5) {
    // ELD: segment, its number, field, and the code one level below
    draft.add("ERR", [segment === "" ? ["", "", "", meaning] : [segment, occurrence, field, meaning]]);
    return;
  }
  const location = segment === ""
    ? ""
    : [segment, occurrence, field, field === "" ? "" : repetition, component, subcomponent];
  draft.add("ERR", ["", location, meaning, problem.severity ?? "E", "", "", "", problem.text ?? ""]);
}
