/**
 * What a message typed at a prompt, in a file or in a pipe is.
 */
import { fileState, MisuseError } from "./errors.ts";

const TYPES: [RegExp, string][] = [
  [/\.json$/i, "application/json"],
  [/\.(hl7|er7)$/i, "x-application/hl7-v2+er7"],
  [/\.xml$/i, "application/xml"],
  [/\.(txt|csv|md)$/i, "text/plain; charset=utf-8"],
];

/** A message's bytes and what they are. */
export interface TypedContent {
  bytes: Uint8Array;
  contentType: string;
}

/**
 * Reads `@FILE`, `-` (stdin) or the text itself. The media type is the file's by its name, else by its look: HL7 begins
 * with MSH, JSON parses, the rest is text if it is UTF-8.
 *
 * @throws {MisuseError} when the file cannot be read
 */
export async function readContent(argument: string): Promise<TypedContent> {
  if (argument === "-") return sniffed(new Uint8Array(await new Response(Deno.stdin.readable).arrayBuffer()));
  if (!argument.startsWith("@")) return sniffed(new TextEncoder().encode(argument));
  const path = argument.slice(1);
  try {
    const bytes = await Deno.readFile(path);
    const byName = TYPES.find(([pattern]) => pattern.test(path))?.[1];
    return byName === undefined ? sniffed(bytes) : { bytes, contentType: byName };
  } catch (error) {
    throw new MisuseError(`Cannot read the message from "${path}" as it must be a file: ${fileState(error)}`);
  }
}

function sniffed(bytes: Uint8Array): TypedContent {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return { bytes, contentType: isHl7(bytes) ? "x-application/hl7-v2+er7" : "application/octet-stream" };
  }
  if (isHl7(bytes)) return { bytes, contentType: "x-application/hl7-v2+er7" };
  try {
    JSON.parse(text);
    return { bytes, contentType: "application/json" };
  } catch {
    return { bytes, contentType: "text/plain; charset=utf-8" };
  }
}

function isHl7(bytes: Uint8Array): boolean {
  return bytes.length > 8 && String.fromCharCode(...bytes.subarray(0, 3)) === "MSH";
}

/** One line that gives an idea of a message, at most `width` columns. */
export function glimpse(body: unknown, width: number): string {
  const text = body instanceof Uint8Array
    ? `${body.length} bytes`
    : typeof body === "string"
    ? body.replace(/[\r\n]+/g, " ⏎ ").replace(/\p{Cc}/gu, "·")
    : JSON.stringify(body);
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}
