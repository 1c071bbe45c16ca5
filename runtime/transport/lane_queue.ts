import { borrow, giveBack } from "../wire/mod.ts";

const NOTHING = new Uint8Array(0);

/** Frames of one lane that wait for the system to take them, gathered into few large writes. Its owner bounds it. */
export class LaneQueue {
  #parts: Uint8Array[] = [];
  #first = 0;
  #firstAt = 0;
  #bytes = 0;

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Puts one frame at the end, as `encodeFrame` made it. */
  push(part: Uint8Array): void {
    this.#parts.push(part);
    this.#bytes += part.length;
  }

  /**
   * Takes up to `bytesMax` bytes from the front, cutting a frame where it must: a lane is a stream. One small write
   * for each frame is three times as slow as one write for ten (measured), hence the copy.
   *
   * What is answered belongs to the caller, who gives it back (`giveBack`) when he has no use for it any more.
   *
   * @param headroom bytes left free at the front, for what the carrier writes there; at most `FRAME_ROOM_BYTES`
   */
  take(bytesMax: number, headroom = 0): Uint8Array<ArrayBuffer> {
    const only = (this.#parts[this.#first] ?? NOTHING) as Uint8Array<ArrayBuffer>;
    if (this.#firstAt === 0 && this.#bytes > 0 && only.length === this.#bytes && only.length <= bytesMax) {
      // One frame for this turn, as nearly always: it goes as it is, its room in front with it.
      this.#bytes = 0;
      this.#dropFirst();
      return headroom === 0 ? only : new Uint8Array(only.buffer, only.byteOffset - headroom, headroom + only.length);
    }
    const bytes = borrow(headroom + Math.min(bytesMax, this.#bytes));
    let at = headroom;
    while (at < bytes.length) {
      const part = this.#parts[this.#first];
      const taken = Math.min(part.length - this.#firstAt, bytes.length - at);
      bytes.set(part.subarray(this.#firstAt, this.#firstAt + taken), at);
      at += taken;
      this.#firstAt += taken;
      if (this.#firstAt < part.length) continue;
      giveBack(part as Uint8Array<ArrayBuffer>);
      this.#dropFirst();
    }
    this.#bytes -= at - headroom;
    return bytes;
  }

  /** Forgets everything. */
  clear(): void {
    this.#parts = [];
    this.#first = this.#firstAt = this.#bytes = 0;
  }

  #dropFirst(): void {
    this.#firstAt = 0;
    this.#first++;
    if (this.#first === this.#parts.length) {
      this.#parts = [];
      this.#first = 0;
    } else if (this.#first > 1024 && this.#first * 2 > this.#parts.length) {
      this.#parts = this.#parts.slice(this.#first);
      this.#first = 0;
    }
  }
}
