/**
 * MLLP's frames, as a sender needs them: VT, message, FS, CR. Answers are small, so what is not yet whole is kept joined.
 *
 * @module
 */

const VT = 0x0b;
const FS = 0x1c;
const CR = 0x0d;

/** A message in its frame. */
export function framed(message: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(message.length + 3);
  frame[0] = VT;
  frame.set(message, 1);
  frame[message.length + 1] = FS;
  frame[message.length + 2] = CR;
  return frame;
}

/** True when a message holds the byte that would end its frame. */
export function cannotBeFramed(message: Uint8Array): boolean {
  return message.includes(FS);
}

/** Cuts what comes back into answers. */
export class AnswerReader {
  readonly #bytesMax: number;
  #kept = new Uint8Array(0);

  /** @param bytesMax the longest answer that is taken */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /**
   * Takes the next bytes; answers what is whole with them.
   *
   * @throws {RangeError} when an answer, or what stands between two, is longer than allowed
   */
  push(chunk: Uint8Array): Uint8Array[] {
    const answers: Uint8Array[] = [];
    const all = new Uint8Array(this.#kept.length + chunk.length);
    all.set(this.#kept);
    all.set(chunk, this.#kept.length);
    let at = 0;
    for (;;) {
      const end = all.indexOf(FS, at);
      if (end < 0) break;
      // what stands before the frame is passed over, and so is a frame that lost its end
      const start = all.lastIndexOf(VT, end);
      if (start >= at) answers.push(all.subarray(start + 1, end));
      at = end + 1;
    }
    this.#kept = all.slice(at);
    if (this.#kept.length > this.#bytesMax) {
      throw new RangeError(`Cannot read the answer as it may have ${this.#bytesMax} bytes`);
    }
    return answers;
  }
}
