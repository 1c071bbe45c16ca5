/**
 * HL7 v2's delimiters and the escape sequences by which text holds them (HL7 2.7, chapter 2.7). Imports nothing, as it
 * also runs inside plugin contexts.
 *
 * @module
 */

/** The five characters that give a message its structure, from MSH-1 and MSH-2. */
export interface Hl7Delimiters {
  /** between fields, MSH-1 */
  readonly field: string;
  /** between the parts of a repetition */
  readonly component: string;
  /** between the values of a field */
  readonly repetition: string;
  /** around escape sequences */
  readonly escape: string;
  /** between the parts of a component */
  readonly subcomponent: string;
}

/** What nearly everybody uses. */
export const DEFAULT_DELIMITERS: Hl7Delimiters = {
  field: "|",
  component: "^",
  repetition: "~",
  escape: "\\",
  subcomponent: "&",
};

/** True for what may be a delimiter: printable ASCII without letters, digits, space. */
export function isDelimiterCode(code: number): boolean {
  return code > 0x20 && code < 0x7f && !(code >= 0x30 && code <= 0x39) && !(code >= 0x41 && code <= 0x5a) &&
    !(code >= 0x61 && code <= 0x7a);
}

/** Text made fit to stand in a subcomponent; line ends become `\.br\`. */
export function escapeHl7(text: string, delimiters: Hl7Delimiters = DEFAULT_DELIMITERS): string {
  const e = delimiters.escape;
  let out = "";
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === e) out += `${e}E${e}`;
    else if (c === delimiters.field) out += `${e}F${e}`;
    else if (c === delimiters.component) out += `${e}S${e}`;
    else if (c === delimiters.subcomponent) out += `${e}T${e}`;
    else if (c === delimiters.repetition) out += `${e}R${e}`;
    else if (c === "\n") out += `${e}.br${e}`;
    else if (c === "\r") {
      if (text[i + 1] !== "\n") out += `${e}.br${e}`;
    } else out += c;
  }
  return out;
}

/**
 * The text that an escaped text stands for. Sequences for delimiters, hexadecimal bytes (UTF-8 where they are, else
 * Latin-1) and line breaks are replaced, highlighting is dropped; what is no sequence known here (local `\Z..\`,
 * changes of charset, a lone backslash in a Windows path) stays as it is, as feeds that do not escape are common.
 */
export function unescapeHl7(text: string, delimiters: Hl7Delimiters = DEFAULT_DELIMITERS): string {
  const e = delimiters.escape;
  let at = text.indexOf(e);
  if (at < 0) return text;
  let out = text.slice(0, at);
  for (;;) {
    const end = text.indexOf(e, at + 1);
    if (end < 0) return out + text.slice(at);
    const meaning = meaningOf(text.slice(at + 1, end), delimiters);
    if (meaning === null) {
      // the closing character may open the next sequence
      out += text.slice(at, end);
      at = end;
      continue;
    }
    out += meaning;
    at = text.indexOf(e, end + 1);
    if (at < 0) return out + text.slice(end + 1);
    out += text.slice(end + 1, at);
  }
}

function meaningOf(sequence: string, delimiters: Hl7Delimiters): string | null {
  switch (sequence) {
    case "F":
      return delimiters.field;
    case "S":
      return delimiters.component;
    case "T":
      return delimiters.subcomponent;
    case "R":
      return delimiters.repetition;
    case "E":
      return delimiters.escape;
    case "H":
    case "N":
      return "";
    case ".br":
    case ".sp":
      return "\n";
  }
  if (/^X(?:[0-9A-Fa-f]{2})+$/.test(sequence)) return hexText(sequence.slice(1));
  return null;
}

// decodeURIComponent is the one UTF-8 decoder that is part of the language, so there inside a bare vm context too
function hexText(hex: string): string {
  const pairs = hex.match(/../g) as string[];
  try {
    return decodeURIComponent(pairs.map((pair) => "%" + pair).join(""));
  } catch {
    return String.fromCharCode(...pairs.map((pair) => parseInt(pair, 16)));
  }
}
