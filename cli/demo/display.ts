/**
 * Where the demo's picture goes: a terminal gets one screen that moves; a pipe, or who set NO_COLOR, gets plain lines.
 */
import type { Output } from "../output.ts";
import { picture } from "./picture.ts";
import type { DemoEvent, Tally } from "./tally.ts";

/** Shows a tally while it changes. */
export interface Display {
  /** told of each event when it happens */
  event(event: DemoEvent): void;
  /** shows from now on */
  show(tally: Tally): void;
  /** gives the terminal back; more than once does no harm */
  end(): void;
}

const FRAME_MS = 100;
const LINE_MS = 2000;

/** The display that suits standard output. */
export function displayOn(out: Output): Display {
  return out.isTerminal && out.paint("bold", "") !== "" ? new Screen(out) : new Lines(out);
}

/** One screen, drawn anew ten times a second, each line over the one before: clearing first would flicker. */
class Screen implements Display {
  readonly #out: Output;
  #timer: ReturnType<typeof setInterval> | undefined;
  #tally: Tally | null = null;

  constructor(out: Output) {
    this.#out = out;
  }

  event(): void {}

  show(tally: Tally): void {
    this.#tally = tally;
    // the other screen, no cursor
    write("\x1b[?1049h\x1b[?25l");
    this.#timer = setInterval(() => this.#draw(tally), FRAME_MS);
  }

  end(): void {
    if (this.#tally === null) return;
    clearInterval(this.#timer);
    write("\x1b[?25h\x1b[?1049l");
    const { columns } = Deno.consoleSize();
    const paint = this.#out.paint.bind(this.#out);
    // the last picture stays, with the whole log
    for (const line of picture(this.#tally, { columns, rows: 1000, paint })) this.#out.data(line);
    this.#tally = null;
  }

  #draw(tally: Tally): void {
    const { columns, rows } = Deno.consoleSize();
    const lines = picture(tally, { columns, rows, paint: this.#out.paint.bind(this.#out) }).slice(0, rows - 1);
    write("\x1b[H" + lines.map((line) => `${line}\x1b[K\n`).join("") + "\x1b[J");
  }
}

class Lines implements Display {
  readonly #out: Output;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(out: Output) {
    this.#out = out;
  }

  event({ atMs, text }: DemoEvent): void {
    this.#line(atMs, text);
  }

  show(tally: Tally): void {
    let before = 0;
    this.#timer = setInterval(() => {
      if (tally.acknowledged === before) return;
      before = tally.acknowledged;
      const { p50, p99 } = tally.waits();
      const waits = `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`;
      this.#line(tally.nowMs, `  ${before} of ${tally.messages} acknowledged, ${tally.rate} messages/s, ${waits}`);
    }, LINE_MS);
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #line(atMs: number, text: string): void {
    this.#out.data(`${(atMs / 1000).toFixed(1).padStart(5)}  ${text}`);
  }
}

function write(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}
