/**
 * The HL7 v2 toolkit for handlers, transforms and sinks: reading by path, changing a copy, building messages and
 * acknowledgements, batches. Part of `@waterpark/waterpark`; documented in docs/hl7.md.
 *
 * @module
 */
export type { Hl7AckCode } from "./hl7_ack_codes.ts";
export { type Hl7Batch, joinHl7Batch, splitHl7Batch } from "./hl7_batch.ts";
export {
  acknowledgeHl7,
  type Hl7Acknowledgement,
  type Hl7Header,
  type Hl7Party,
  type Hl7Problem,
  newHl7,
} from "./hl7_build.ts";
export { encodeHl7 } from "./hl7_charset.ts";
export { editHl7, Hl7Draft, type Hl7Where } from "./hl7_draft.ts";
export { escapeHl7, type Hl7Delimiters, unescapeHl7 } from "./hl7_escape.ts";
export { HL7_CONTENT_TYPE, parseHl7 } from "./hl7.ts";
export type { Hl7Path } from "./hl7_path.ts";
export type { Hl7Scalar, Hl7Value } from "./hl7_place.ts";
export { hl7Timestamp, readHl7Number, readHl7Time } from "./hl7_time.ts";
export { Hl7Segment, Hl7View } from "./hl7_view.ts";
