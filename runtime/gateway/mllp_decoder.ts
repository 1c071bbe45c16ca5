/**
 * MLLP: how HL7 v2 messages are told apart on a stream. A frame is VT, the message, FS, CR (HL7 v2 transport
 * specification, MLLP release 1).
 *
 * Real senders bend it, and a decoder that waits for what never comes swallows the ward's messages in silence. So here:
 * the CR after FS may be missing; bytes between frames are counted, not obeyed; a frame whose end was lost ends where
 * the next `VT MSH` begins; a frame that is too large is reported with its head, so that it can be refused by its
 * control id, and skipped. A lone VT inside a message stays: word processors write it as a line break.
 *
 * @module
 */

/** Start of a frame. */
export const VT = 0x0b;
/** End of a frame. */
export const FS = 0x1c;
const CR = 0x0d;
const LF = 0x0a;

/** How much of a message that is too large is kept, bytes: enough for its MSH. */
const HEAD_BYTES = 1024;

/** What came out of the stream, in order. */
export type MllpEvent =
  /** a message without its frame; the bytes are the caller's */
  | { state: "message"; bytes: Uint8Array }
  /** a message over the limit; its first kilobyte */
  | { state: "too-large"; head: Uint8Array };

/** Cuts one connection's bytes into messages. Pure; holds at most one message. */
export class MllpDecoder {
  /** bytes seen outside of frames or in frames that were cut off, line ends not counted */
  garbageBytes = 0;
  readonly #bytesMax: number;
  #isInside = false;
  #isTooLarge = false;
  #buffer = new Uint8Array(0);
  #length = 0;

  /** @param messageBytesMax the largest message that is taken, bytes */
  constructor(messageBytesMax: number) {
    this.#bytesMax = messageBytesMax;
  }

  /** bytes of a frame that has begun and not ended, VT counted; 0 between frames */
  get heldBytes(): number {
    return this.#isInside ? this.#length + 1 : 0;
  }

  /** Takes the next bytes of the stream, which may be used again afterwards; answers what is complete with them. */
  push(chunk: Uint8Array): MllpEvent[] {
    const events: MllpEvent[] = [];
    let at = 0;
    while (at < chunk.length) {
      if (!this.#isInside) {
        const start = chunk.indexOf(VT, at);
        this.#countGarbage(chunk.subarray(at, start < 0 ? chunk.length : start));
        if (start < 0) break;
        this.#isInside = true;
        at = start + 1;
        continue;
      }
      const end = chunk.indexOf(FS, at);
      const part = chunk.subarray(at, end < 0 ? chunk.length : end);
      if (end < 0) {
        this.#keep(part);
        break;
      }
      events.push(this.#finish(part));
      at = end + 1;
    }
    return events;
  }

  #finish(last: Uint8Array): MllpEvent {
    this.#isInside = false;
    let bytes: Uint8Array;
    if (this.#length === 0 && !this.#isTooLarge && last.length <= this.#bytesMax) {
      // the common case, a frame in one packet, is copied once
      bytes = last.slice();
    } else {
      this.#keep(last);
      bytes = this.#buffer.slice(0, this.#length);
      this.#length = 0;
      this.#buffer = new Uint8Array(0);
    }
    if (this.#isTooLarge) {
      this.#isTooLarge = false;
      return { state: "too-large", head: bytes };
    }
    const start = startOf(bytes);
    if (start > 0) this.#countGarbage(bytes.subarray(0, start));
    return { state: "message", bytes: start > 0 ? bytes.subarray(start) : bytes };
  }

  #keep(part: Uint8Array): void {
    if (this.#isTooLarge) return;
    let length = this.#length + part.length;
    if (length > this.#bytesMax) {
      this.#isTooLarge = true;
      length = Math.min(length, HEAD_BYTES);
      const head = new Uint8Array(length);
      head.set(this.#buffer.subarray(0, Math.min(this.#length, length)));
      if (this.#length < length) head.set(part.subarray(0, length - this.#length), this.#length);
      this.#buffer = head;
      this.#length = length;
      return;
    }
    if (length > this.#buffer.length) {
      const larger = new Uint8Array(Math.min(this.#bytesMax, Math.max(length, this.#buffer.length * 2)));
      larger.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = larger;
    }
    this.#buffer.set(part, this.#length);
    this.#length = length;
  }

  #countGarbage(bytes: Uint8Array): void {
    for (const byte of bytes) if (byte !== CR && byte !== LF) this.garbageBytes++;
  }
}

/** Puts a message into its frame. */
export function encodeMllp(message: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(message.length + 3);
  frame[0] = VT;
  frame.set(message, 1);
  frame[message.length + 1] = FS;
  frame[message.length + 2] = CR;
  return frame;
}

// where the message begins in what stood between VT and FS: after the last `VT MSH`, or after doubled VTs
function startOf(bytes: Uint8Array): number {
  for (let at = bytes.lastIndexOf(VT); at >= 0; at = at === 0 ? -1 : bytes.lastIndexOf(VT, at - 1)) {
    if (bytes[at + 1] === 0x4d && bytes[at + 2] === 0x53 && bytes[at + 3] === 0x48) return at + 1;
  }
  let start = 0;
  while (bytes[start] === VT) start++;
  return start;
}
