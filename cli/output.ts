/**
 * The only printer. Data goes to stdout and nothing else does, so that a pipe gets what it asked for; talk goes to
 * stderr. Colours only on a terminal and without `NO_COLOR`; progress only on a terminal.
 */
import Table from "cli-table3";
import { WaterparkError } from "../client.ts";
import { MisuseError } from "./errors.ts";

/** Where output goes. */
export interface OutputOptions {
  /** machine-readable: data as JSON, one value a line; errors as one JSON object on stderr */
  json: boolean;
}

const ENCODER = new TextEncoder();
const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36 } as const;
const OUTCOMES = {
  "not-applied": "nothing was done",
  "applied": "it was done: only the answer was lost",
  "unknown": "it may or may not have been done: send it again under the same id",
};

/** A colour or weight. */
export type Style = keyof typeof CODES;

/** Prints. */
export class Output {
  /** data as JSON */
  readonly isJson: boolean;
  /** a person looks at stdout */
  readonly isTerminal: boolean;
  readonly #hasColor: { out: boolean; err: boolean };
  #progressLength = 0;

  constructor({ json }: OutputOptions) {
    const wantsColor = (Deno.env.get("NO_COLOR") ?? "") === "" && Deno.env.get("TERM") !== "dumb";
    this.isJson = json;
    this.isTerminal = Deno.stdout.isTerminal();
    this.#hasColor = { out: wantsColor && this.isTerminal, err: wantsColor && Deno.stderr.isTerminal() };
  }

  /** columns of the terminal, 120 where there is none */
  get columns(): number {
    return this.isTerminal ? Deno.consoleSize().columns : 120;
  }

  /** Text with a style, where stdout shows it. */
  paint(style: Style, text: string): string {
    return this.#hasColor.out ? `\x1b[${CODES[style]}m${text}\x1b[0m` : text;
  }

  /** Data for people: lines to stdout. */
  data(text: string): void {
    write(Deno.stdout, text + "\n");
  }

  /** Data for programs: one JSON value on one line. */
  json(value: unknown): void {
    this.data(JSON.stringify(value));
  }

  /** A value pretty-printed for people, on one line for programs. */
  value(value: unknown): void {
    this.data(this.isJson ? JSON.stringify(value) : JSON.stringify(value, null, 2));
  }

  /** Rows for people: columns under bold heads, no lines. */
  table(head: string[], rows: (string | number)[][]): void {
    const none = { top: "", "top-mid": "", "top-left": "", "top-right": "", bottom: "", "bottom-mid": "" };
    const lines = { "bottom-left": "", "bottom-right": "", left: "", "left-mid": "", mid: "", "mid-mid": "" };
    const table = new Table({
      head: head.map((text) => this.paint("bold", text)),
      chars: { ...none, ...lines, right: "", "right-mid": "", middle: "  " },
      style: { "padding-left": 0, "padding-right": 0, head: [], border: [] },
      colAligns: head.map((_, i) =>
        rows.length > 0 && rows.every((row) => typeof row[i] === "number") ? "right" : "left"
      ),
    });
    table.push(...rows.map((row) => row.map(String)));
    this.data(table.toString().split("\n").map((line) => line.trimEnd()).join("\n"));
  }

  /** Fills the screen anew. */
  screen(text: string): void {
    write(Deno.stdout, `\x1b[H\x1b[2J${text}\n`);
  }

  /** Talk: a line to stderr; silent where a program listens. */
  talk(text: string): void {
    if (!this.isJson) write(Deno.stderr, this.#overProgress() + text + "\n");
  }

  /** A line that the next one overwrites; only on a terminal. */
  progress(text: string): void {
    if (this.isJson || !Deno.stderr.isTerminal()) return;
    write(Deno.stderr, this.#overProgress() + text);
    this.#progressLength = text.length;
  }

  /** What went wrong, what is now true, what to try. */
  error(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    const known = error instanceof WaterparkError ? error : null;
    if (this.isJson) {
      const { code = error instanceof MisuseError ? "cli/misused" : "cli/failed", outcome = "not-applied" } = known ??
        {};
      write(Deno.stderr, JSON.stringify({ error: { code, outcome, message } }) + "\n");
      return;
    }
    const lines = [`${this.#paintErr("red", "error:")} ${message}`];
    if (known !== null) {
      lines.push(`       ${OUTCOMES[known.outcome]}`);
      lines.push(`${this.#paintErr("cyan", "hint:")}  waterpark explain ${known.code}`);
    } else if (error instanceof MisuseError && error.hint !== undefined) {
      lines.push(`${this.#paintErr("cyan", "hint:")}  ${error.hint}`);
    }
    write(Deno.stderr, this.#overProgress() + lines.join("\n") + "\n");
  }

  #paintErr(style: Style, text: string): string {
    return this.#hasColor.err ? `\x1b[${CODES[style]}m${text}\x1b[0m` : text;
  }

  #overProgress(): string {
    const over = this.#progressLength > 0 ? `\r${" ".repeat(this.#progressLength)}\r` : "";
    this.#progressLength = 0;
    return over;
  }
}

function write(to: { writeSync(bytes: Uint8Array): number }, text: string): void {
  let bytes: Uint8Array = ENCODER.encode(text);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(to.writeSync(bytes));
  } catch (error) {
    // `| head` has had enough
    if (error instanceof Deno.errors.BrokenPipe) Deno.exit(0);
    throw error;
  }
}
