/**
 * Lines in, lines out, in order: a conveyor belt. Each line is worked on while later ones come in; answers leave in the
 * order of the lines. At most so many are on the belt, and where the client does not fetch its answers, nothing more is
 * read: the back-pressure reaches through to its socket.
 *
 * All lines of a chunk are handed on in one turn, and all answers that are there when one is fetched leave as one chunk:
 * no promise and no timer for each line.
 */
import type { World } from "../world/mod.ts";
import type { Line, LineReader } from "./body.ts";
import type { OpenStream } from "./open_streams.ts";

/** How much is on the belt at most. */
export interface LineStreamOptions {
  world: World;
  inFlightMax: number;
  inFlightBytesMax: number;
  /** a line has its answer within this time, or {@linkcode late} for one */
  deadlineMs: number;
  /** the answer to a line that has none in time */
  late: (number: number) => string;
  /** the stream's place among the open ones */
  stream: OpenStream;
}

/** A line on the belt. */
export class Place {
  /** from 1 */
  readonly number: number;
  readonly bytes: number;
  readonly sinceMs: number;
  readonly #belt: Belt;
  text: string | null = null;

  constructor(belt: Belt, { number, bytes, sinceMs }: { number: number; bytes: number; sinceMs: number }) {
    this.#belt = belt;
    this.number = number;
    this.bytes = bytes;
    this.sinceMs = sinceMs;
  }

  /** Gives the line its answer; only the first one counts. */
  finish(text: string): void {
    if (this.text !== null) return;
    this.text = text;
    this.#belt.finished(this);
  }
}

/** Deadlines are looked at so often within one. */
const LOOKS = 8;
const ENCODER = new TextEncoder();

/**
 * The answers to the lines, one each.
 *
 * @param lines where they come from; when it ends, breaks, or the gateway goes down, what is on the belt is answered and
 * the stream ends
 * @param work is called line by line, in order, and finishes the line's place, at once or later; must not throw
 */
export function answerLines(
  lines: LineReader,
  work: (line: Line, place: Place) => void,
  options: LineStreamOptions,
): ReadableStream<Uint8Array> {
  const belt = new Belt(lines, work, options);
  return new ReadableStream<Uint8Array>({
    start: () => void belt.fill(),
    async pull(controller) {
      const text = await belt.take();
      if (text !== null) return controller.enqueue(ENCODER.encode(text));
      options.stream.end();
      controller.close();
    },
    cancel() {
      options.stream.end();
      belt.end();
    },
  });
}

class Belt {
  readonly #lines: LineReader;
  readonly #work: (line: Line, place: Place) => void;
  readonly #options: LineStreamOptions;
  /** from `#first` on; before are gaps, cut off now and then */
  #places: (Place | null)[] = [];
  #first = 0;
  #bytes = 0;
  #isEnded = false;
  #isWatched = false;
  /** whoever waits for room, or for the first answer */
  #waiting: (() => void)[] = [];

  constructor(lines: LineReader, work: (line: Line, place: Place) => void, options: LineStreamOptions) {
    this.#lines = lines;
    this.#work = work;
    this.#options = options;
    options.stream.closing.then(() => this.end());
  }

  /** Reads on while there is room. */
  async fill(): Promise<void> {
    const { world } = this.#options;
    let number = 0;
    try {
      while (!this.#isEnded) {
        const sinceMs = world.nowMonoMs();
        for (;;) {
          while (this.#isFull && !this.#isEnded) await this.#changed();
          const line = this.#isEnded ? null : this.#lines.take();
          if (line === null) return this.end();
          if (line === undefined) break;
          const bytes = line.state === "line" ? line.bytes.length : 0;
          const place = new Place(this, { number: ++number, bytes, sinceMs });
          this.#places.push(place);
          this.#bytes += bytes;
          this.#watch();
          this.#work(line, place);
        }
        await this.#lines.more();
      }
    } catch {
      // the client broke off: what is on the belt may still find it
    }
    this.end();
  }

  /** The answers that are there, once the first one is; null: there are no more. */
  async take(): Promise<string | null> {
    while (this.#count > 0 ? this.#places[this.#first]!.text === null : !this.#isEnded) await this.#changed();
    if (this.#count === 0) return null;
    let text = "";
    for (let place = this.#places[this.#first]; place != null && place.text !== null;) {
      text += place.text + "\n";
      this.#bytes -= place.bytes;
      this.#places[this.#first++] = null;
      place = this.#places[this.#first];
    }
    if (2 * this.#first >= this.#places.length) {
      this.#places.splice(0, this.#first);
      this.#first = 0;
    }
    this.#wake();
    return text;
  }

  /** Takes in no more. */
  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#lines.cancel();
    this.#wake();
  }

  /** A line has its answer. */
  finished(place: Place): void {
    if (place === this.#places[this.#first]) this.#wake();
  }

  get #count(): number {
    return this.#places.length - this.#first;
  }

  get #isFull(): boolean {
    return this.#count >= this.#options.inFlightMax || this.#bytes >= this.#options.inFlightBytesMax;
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const go of waiting) go();
  }

  /** One timer for all lines, while there are any. */
  #watch(): void {
    if (this.#isWatched) return;
    this.#isWatched = true;
    const { world, deadlineMs, late } = this.#options;
    world.after(deadlineMs / LOOKS, () => {
      this.#isWatched = false;
      const sinceMs = world.nowMonoMs() - deadlineMs;
      for (let i = this.#first; i < this.#places.length; i++) {
        const place = this.#places[i]!;
        // They stand in the order in which they came.
        if (place.sinceMs > sinceMs) break;
        place.finish(late(place.number));
      }
      if (this.#count > 0) this.#watch();
    });
  }
}
