/**
 * Which characters the bytes of an HL7 v2 message mean: MSH-18 by HL7 table 0211.
 *
 * Charsets are the most frequent defect of HL7 interfaces: fields that say ASCII and hold umlauts. So what says nothing
 * or ASCII is read as UTF-8 where it is well-formed UTF-8 (other text hardly ever is, by chance) and as Windows-1252
 * where not; what says more is believed. The bytes themselves are kept and passed on as sent, whatever is read here.
 * UTF-16 and UTF-32 cannot be framed by single bytes and are not read.
 *
 * @module
 */

// WHATWG reads 8859/1 as Windows-1252, which differs only where 8859/1 has control characters
const LABELS: Record<string, string> = {
  "UNICODE": "utf-8",
  "UNICODE UTF-8": "utf-8",
  "UTF-8": "utf-8",
  "UTF8": "utf-8",
  "ISO IR6": "",
  "ISO IR14": "shift_jis",
  "ISO IR87": "iso-2022-jp",
  "GB 18030-2000": "gb18030",
  "KS X 1001": "euc-kr",
  "BIG-5": "big5",
  "WINDOWS-1252": "windows-1252",
};
for (const part of [1, 2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16]) {
  LABELS[`8859/${part}`] = LABELS[`ISO-8859-${part}`] = `iso-8859-${part}`;
}
LABELS["8859/9"] = LABELS["ISO-8859-9"] = "windows-1254";

// made when first used: this file also gets into contexts that have no decoder, and hand in text
let strictUtf8: TextDecoder | null = null;
const decoders = new Map<string, TextDecoder>();

/**
 * The text that the bytes of a message are.
 *
 * @param bytes the message, or a part of it
 * @param charset MSH-18, its first repetition; `""` where it is empty
 */
export function decodeHl7(bytes: Uint8Array, charset: string): string {
  const label = LABELS[charset.trim().toUpperCase()] ?? "";
  if (label !== "") return decoderOf(label).decode(bytes);
  try {
    return (strictUtf8 ??= new TextDecoder("utf-8", { fatal: true })).decode(bytes);
  } catch {
    return decoderOf("windows-1252").decode(bytes);
  }
}

/**
 * The bytes that a text is in a charset: what {@linkcode decodeHl7} reads back as the text.
 *
 * @param text the message, or a part of it
 * @param charset MSH-18, its first repetition; what is empty, ASCII or not known here is written as UTF-8
 * @returns the bytes, or null when the charset has no place for one of the characters, or cannot be written here
 *   (ISO-2022-JP; of GB 18030 its two-byte part)
 */
export function encodeHl7(text: string, charset: string): Uint8Array | null {
  const label = LABELS[charset.trim().toUpperCase()] ?? "";
  if (label === "" || label === "utf-8") return new TextEncoder().encode(text);
  if (label === "iso-2022-jp") return null;
  const table = tableOf(label);
  const bytes = new Uint8Array(text.length * 2);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const unit = code < 0x80 ? code : table.get(code);
    if (unit === undefined) return null;
    if (unit > 0xff) bytes[length++] = unit >> 8;
    bytes[length++] = unit;
  }
  return bytes.subarray(0, length);
}

const tables = new Map<string, Map<number, number>>();

// Read backwards from the decoder that the platform has: no list of characters to keep, and just what reads back.
function tableOf(label: string): Map<number, number> {
  let table = tables.get(label);
  if (table !== undefined) return table;
  tables.set(label, table = new Map());
  const decoder = new TextDecoder(label);
  const add = (bytes: number[], unit: number) => {
    const text = decoder.decode(Uint8Array.from(bytes));
    const code = text.charCodeAt(0);
    if (text.length === 1 && code !== 0xfffd && !table.has(code)) table.set(code, unit);
  };
  for (let byte = 0x80; byte <= 0xff; byte++) add([byte], byte);
  if (/^(?:shift_jis|gb18030|euc-kr|big5)$/.test(label)) {
    for (let lead = 0x81; lead <= 0xfe; lead++) {
      for (let trail = 0x40; trail <= 0xfe; trail++) add([lead, trail], lead << 8 | trail);
    }
  }
  return table;
}

function decoderOf(label: string): TextDecoder {
  let decoder = decoders.get(label);
  if (decoder === undefined) decoders.set(label, decoder = new TextDecoder(label));
  return decoder;
}
