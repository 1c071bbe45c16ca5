/** The table of mutants: in Markdown for the documentation, in columns for the terminal. */
import type { Caught, Mutant, Sight } from "./mutant.ts";

/** One mutant and what became of it. */
export interface Result {
  mutant: Mutant;
  /** number of the broken line */
  line: number;
  before: string;
  after: string;
  /** null: nobody saw it */
  caught: (Caught & { sight: Sight }) | null;
  seconds: number;
}

/** The first line in which two texts differ: its number, and how it stands in each. */
export function differingLine(text: string, broken: string): { line: number; before: string; after: string } {
  const [before, after] = [text.split("\n"), broken.split("\n")];
  const at = before.findIndex((line, i) => line !== after[i]);
  const end = (lines: string[]) => lines.slice(at + 1).join("\n");
  // A line that was taken out leaves the next one in its place.
  const isGone = end(before) === after.slice(at).join("\n");
  if (at < 0 || (!isGone && end(before) !== end(after))) {
    throw new Error("a mutant breaks one line, no more and no less");
  }
  return { line: at + 1, before: before[at].trim(), after: isGone ? "" : after[at].trim() };
}

/** A line for the terminal. */
export function lineOf({ mutant, caught, seconds }: Result): string {
  const verdict = caught === null ? "NOT CAUGHT" : `${caught.by}  after ${caught.seeds}`;
  return `${mutant.name.padEnd(34)} ${seconds.toFixed(1).padStart(6)} s  ${verdict}`;
}

/**
 * The table as it stands in README.md.
 *
 * @param before the table as it stood: rows of mutants that were not tried now stay
 * @param order names of all mutants; a row of another is dropped
 */
export function markdown(results: readonly Result[], before: string, order: readonly string[]): string {
  const rows = new Map<string, string>();
  for (const line of before.split("\n")) {
    const name = /^\| (\S+) +\|/.exec(line)?.[1];
    if (name !== undefined) rows.set(name, line);
  }
  for (const row of rowsOf(results)) rows.set(row[0], line(row));
  const head = ["mutant", "what it breaks", "line", "caught by", "seeds", "s"];
  const kept = order.flatMap((name) => rows.get(name) ?? []);
  return [line(head), line(head.map(() => "---")), ...kept].join("\n");
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function rowsOf(results: readonly Result[]): string[][] {
  return results.map(({ mutant, line, before, after, caught, seconds }) => [
    mutant.name,
    mutant.breaks,
    `${mutant.file}:${line}<br>${code(before)}<br>→ ${after === "" ? "(nothing)" : code(after)}`,
    caught === null ? "**nobody**" : `${caught.by}: ${escaped(caught.finding).slice(0, 160)}`,
    caught === null ? "" : String(caught.seeds),
    seconds.toFixed(0),
  ]);
}

function code(text: string): string {
  return `\`${text.replaceAll("|", "\\|")}\``;
}

function escaped(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;").replaceAll("`", "'");
}
