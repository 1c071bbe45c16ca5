/**
 * Payloads as they cross into a plugin's context: as strings, since a string is a primitive and opens no way from the
 * context to its host. Characters are decoded outside, where there is a decoder; structure inside, when it is touched.
 *
 * @module
 */

/** What a payload's `raw` string is. */
export type ContentForm = "json" | "hl7" | "text" | "bytes";

/** How a media type is read. */
export function formOf(contentType: string): ContentForm {
  const semicolon = contentType.indexOf(";");
  const type = (semicolon < 0 ? contentType : contentType.slice(0, semicolon)).trim().toLowerCase();
  if (type === "application/json" || type.endsWith("+json")) return "json";
  if (type === "x-application/hl7-v2+er7" || type === "application/hl7-v2") return "hl7";
  return type.startsWith("text/") ? "text" : "bytes";
}
