import { parseHl7 } from "../wire/hl7.ts";
import { decodeHl7 } from "../wire/hl7_charset.ts";
import { formOf } from "./content.ts";

const UTF8 = new TextDecoder();

/**
 * A payload as the string that crosses into a context: characters where it is text, one unit a byte where it is not.
 * Total: bytes that are not what their media type says give some string, and the handler that touches the body learns.
 */
export function rawOf(contentType: string, payload: Uint8Array): string {
  switch (formOf(contentType)) {
    case "json":
    case "text":
      return UTF8.decode(payload);
    case "hl7":
      try {
        return parseHl7(payload, { charset: charsetIn(contentType) }).text;
      } catch {
        return decodeHl7(payload, charsetIn(contentType));
      }
    case "bytes":
      return unitsOf(payload);
  }
}

// what an HL7 listener was told of its feed, for messages that say nothing themselves
function charsetIn(contentType: string): string {
  return contentType.length > HL7_TYPE_UNITS ? /;\s*charset=([\w/ .-]{1,40})/.exec(contentType)?.[1].trim() ?? "" : "";
}

const HL7_TYPE_UNITS = "x-application/hl7-v2+er7".length;

function unitsOf(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) {
    text += String.fromCharCode.apply(null, bytes.subarray(at, at + 8192) as unknown as number[]);
  }
  return text;
}
