/**
 * What acknowledgements say, in HL7's tables. Imports nothing, as it also runs inside plugin contexts.
 *
 * @module
 */

/**
 * Table 0008. `AA` recorded; `AE` not now, send again; `AR` never: the application's answer, and the only one in original
 * mode. `CA`, `CE`, `CR` say the same of keeping the message, in enhanced mode.
 */
export type Hl7AckCode = "AA" | "AE" | "AR" | "CA" | "CE" | "CR";

// table 0357
const MEANINGS: Record<number, string> = {
  0: "Message accepted",
  100: "Segment sequence error",
  101: "Required field missing",
  102: "Data type error",
  103: "Table value not found",
  104: "Value too long",
  200: "Unsupported message type",
  201: "Unsupported event code",
  202: "Unsupported processing id",
  203: "Unsupported version id",
  204: "Unknown key identifier",
  205: "Duplicate key identifier",
  206: "Application record locked",
  207: "Application internal error",
};

/** The words of table 0357; of a code that is not in it those of 207. */
export function hl7ErrorMeaning(code: number): string {
  return MEANINGS[code] ?? MEANINGS[207];
}
