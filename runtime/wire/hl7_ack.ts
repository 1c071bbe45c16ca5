import { type Hl7AckCode, hl7ErrorMeaning } from "./hl7_ack_codes.ts";
import { Hl7Cursor } from "./hl7_cursor.ts";
import { escapeHl7 } from "./hl7_escape.ts";
import { parseHl7Path } from "./hl7_path.ts";

/** What an acknowledgement says. */
export interface Hl7AckOptions {
  /** the message acknowledged, or as much of it as there is; need not be HL7 */
  message: Uint8Array;
  /** the verdict */
  code: Hl7AckCode;
  /** for people: MSA-3; printable ASCII, cut at 200 characters; default empty */
  text?: string;
  /** HL7 table 0357, for all but AA and CA; default 207, application internal error */
  errorCode?: number;
  /** now, `YYYYMMDDHHMMSS` */
  now: string;
  /** MSH-10 of the acknowledgement, at most 20 characters */
  id: string;
}

// whole fields: what is echoed must be what was sent, even where a repetition makes no sense
const FIELDS = [3, 4, 5, 6, 10, 11, 12, 18].map(
  (field) => [field, { ...parseHl7Path(`MSH-${field}`), repetition: 0 }] as const,
);
const CODE = parseHl7Path("MSH-9.1");
const EVENT = parseHl7Path("MSH-9.2");
const STRUCTURE = parseHl7Path("MSH-9.3");
const TEXT_UNITS_MAX = 200;
const FIELD_BYTES_MAX = 512;

/**
 * Builds the acknowledgement of a message: in its delimiters, version and charset, from its receiver to its sender,
 * MSA-2 its control id. All but AA and CA carry an ERR segment in the form of the message's version. Fields are copied byte by
 * byte, so that a charset not known here comes back unharmed.
 *
 * @returns the acknowledgement's bytes, without MLLP frame, segments ended by CR
 */
export function buildAck(options: Hl7AckOptions): Uint8Array<ArrayBuffer> {
  const cursor = Hl7Cursor.open(options.message);
  const [field, component, repetition, escape, subcomponent] = cursor?.delimiters ?? "|^~\\&";
  const delimiters = { field, component, repetition, escape, subcomponent };
  const header: Record<number, string> = {};
  for (const [number, path] of FIELDS) header[number] = cursor?.seek(path) ? cursor.binary(FIELD_BYTES_MAX) : "";
  const event = cursor?.seek(EVENT) ? component + cursor.binary(40) : "";
  const structure = event !== "" && cursor?.seek(STRUCTURE) ? component + "ACK" : "";
  const version = header[12] || "2.5";
  const text = escapeHl7(asciiOf(options.text ?? ""), delimiters);

  const msh = ["MSH", component + repetition + escape + subcomponent, header[5], header[6], header[3], header[4]];
  msh.push(options.now, "", "ACK" + event + structure, options.id, header[11] || "P", version);
  if (header[18] !== "") msh.push("", "", "", "", "", header[18]);
  const msa = ["MSA", options.code, header[10]];
  if (text !== "") msa.push(text);
  const segments = [msh, msa];
  if (options.code[1] !== "A") segments.push(errorSegment(version, options.errorCode ?? 207, text, delimiters));
  return bytesOf(segments.map((segment) => segment.join(field) + "\r").join(""));
}

/** True when the message is itself an acknowledgement, which must never be acknowledged. */
export function isAck(message: Uint8Array): boolean {
  const cursor = Hl7Cursor.open(message);
  return cursor !== null && cursor.seek(CODE) && cursor.binary(4) === "ACK";
}

// from 2.5 on ERR-3, 4 and 8; before, all in the components of ERR-1
function errorSegment(
  version: string,
  code: number,
  text: string,
  { component, subcomponent }: { component: string; subcomponent: string },
): string[] {
  const meaning = hl7ErrorMeaning(code);
  const [major, minor] = version.split(/[.^]/, 2).map(Number);
  if (major === 2 && minor < 5) {
    return ["ERR", component.repeat(3) + [String(code), meaning, "HL70357"].join(subcomponent)];
  }
  return ["ERR", "", "", [String(code), meaning, "HL70357"].join(component), "E", "", "", "", text];
}

function asciiOf(text: string): string {
  return text.slice(0, TEXT_UNITS_MAX).replace(/[^\x20-\x7e]/g, "?");
}

function bytesOf(binary: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
