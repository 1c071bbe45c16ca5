// Not through wire's door: see host_protocol.ts.
import type { ByteReader } from "../wire/bytes.ts";

const DECODER = new TextDecoder();
const SLOTS = 256;
/** Longer ones are hardly ever the same. */
const BYTES_MAX = 200;

/**
 * Texts that come again and again (versions, types, media types), read once and kept as one string: comparing bytes
 * takes a tenth of decoding them, and ten thousand messages hold one text and not ten thousand. A table of fixed size in
 * which the later text takes the place of the former.
 */
export class InternedTexts {
  readonly #bytes = new Array<Uint8Array | undefined>(SLOTS).fill(undefined);
  readonly #texts = new Array<string>(SLOTS).fill("");

  /** The text that stands next, as a writer's `text()` laid it out. */
  read(reader: ByteReader): string {
    const bytes = reader.bytes();
    const { length } = bytes;
    if (length === 0) return "";
    const slot = (length * 31 + bytes[0] * 7 + bytes[length >> 1] * 13 + bytes[length - 1] * 17) % SLOTS;
    const known = this.#bytes[slot];
    if (known !== undefined && isSame(known, bytes)) return this.#texts[slot];
    const text = DECODER.decode(bytes);
    if (length <= BYTES_MAX) {
      this.#bytes[slot] = bytes.slice();
      this.#texts[slot] = text;
    }
    return text;
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
