/**
 * Reading from strangers: whole bodies and lines, never more of them in memory than allowed.
 */
import type { World } from "../world/mod.ts";
import type { Outcome } from "../base/mod.ts";
import { badContentType, badRequest, pastDeadline, tooLarge } from "./errors.ts";

/**
 * The promise's answer, or an error `gateway/deadline` after `deadlineMs`. The work itself goes on: whoever does it
 * has a deadline of its own.
 */
export function withDeadline<T>(
  promise: Promise<T>,
  { world, deadlineMs, outcome }: { world: World; deadlineMs: number; outcome: Outcome },
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = world.after(deadlineMs, () => reject(pastDeadline(deadlineMs, outcome)));
    promise.then(resolve, reject).finally(() => timer.cancel());
  });
}

/** Refuses bodies that are packed: the bytes are kept as sent, and their type would be a lie. */
export function refuseEncoded(request: Request): void {
  const encoding = request.headers.get("content-encoding");
  if (encoding !== null && encoding.trim().toLowerCase() !== "identity") {
    throw badContentType("Cannot take the body as it must be sent without Content-Encoding");
  }
}

/**
 * The body of a request.
 *
 * @throws {WaterparkError} `gateway/too-large`, mostly before a byte was read; `gateway/bad-request` when the sender
 * broke off
 */
export async function readBody(
  request: Request,
  { what, bytesMax }: { what: string; bytesMax: number },
): Promise<Uint8Array> {
  refuseEncoded(request);
  if (Number(request.headers.get("content-length") ?? 0) > bytesMax) throw tooLarge(what, bytesMax);
  if (request.body === null) return new Uint8Array(0);
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = request.body.getReader();
  for (;;) {
    const { done, value } = await reader.read().catch(() => {
      throw badRequest("Cannot read the body as its sender broke off");
    });
    if (done) break;
    length += value.length;
    if (length > bytesMax) {
      reader.cancel().catch(() => {});
      throw tooLarge(what, bytesMax);
    }
    chunks.push(value);
  }
  return chunks.length === 1 ? chunks[0] : join(chunks, length);
}

function join(chunks: Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/** A line without its end, or the news that it was too long and has been skipped. */
export type Line = { state: "line"; bytes: Uint8Array } | { state: "too-long" };

const NOTHING = new Uint8Array(0);
const LF = 0x0a;
const CR = 0x0d;

/** Cuts a byte stream into lines that end by LF or CRLF, the last one also by the stream's end. Empty ones are left out. */
export class LineReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #lineBytesMax: number;
  #chunk: Uint8Array = NOTHING;
  #at = 0;
  #parts: Uint8Array[] = [];
  #held = 0;
  #isSkipping = false;
  #isDone = false;

  constructor(stream: ReadableStream<Uint8Array>, options: { lineBytesMax: number }) {
    this.#reader = stream.getReader();
    this.#lineBytesMax = options.lineBytesMax;
  }

  /** The next line; null at the end. Rejects when the stream breaks; what was not yet a line is then lost. */
  async next(): Promise<Line | null> {
    for (;;) {
      const line = this.take();
      if (line !== undefined) return line;
      await this.more();
    }
  }

  /** The next line of what has been read already; null at the end; undefined: more must be read first. */
  take(): Line | null | undefined {
    for (;;) {
      const end = this.#chunk.indexOf(LF, this.#at);
      if (end < 0) break;
      this.#hold(this.#chunk.subarray(this.#at, end));
      this.#at = end + 1;
      const line = this.#take();
      if (line !== null) return line;
    }
    this.#hold(this.#chunk.subarray(this.#at));
    this.#chunk = NOTHING;
    this.#at = 0;
    return this.#isDone ? this.#take() : undefined;
  }

  /** Reads on. Rejects when the stream breaks. */
  async more(): Promise<void> {
    const { done, value } = await this.#reader.read();
    if (done) this.#isDone = true;
    else this.#chunk = value;
  }

  /** Reads no more. */
  cancel(): void {
    this.#reader.cancel().catch(() => {});
  }

  #hold(part: Uint8Array): void {
    if (part.length === 0) return;
    // one more for a CR that may end it
    if (this.#isSkipping || this.#held + part.length > this.#lineBytesMax + 1) {
      this.#isSkipping = true;
      this.#parts = [];
      this.#held = 0;
    } else {
      this.#parts.push(part);
      this.#held += part.length;
    }
  }

  #take(): Line | null {
    const wasTooLong = this.#isSkipping;
    let bytes = this.#parts.length === 1 ? this.#parts[0] : join(this.#parts, this.#held);
    this.#parts = [];
    this.#held = 0;
    this.#isSkipping = false;
    if (bytes.length > 0 && bytes[bytes.length - 1] === CR) bytes = bytes.subarray(0, -1);
    if (wasTooLong || bytes.length > this.#lineBytesMax) return { state: "too-long" };
    return bytes.length === 0 ? null : { state: "line", bytes };
  }
}
