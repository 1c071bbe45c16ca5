/**
 * Words and columns that both reports of the audit use.
 */
import type { CopiesNeeded } from "../../client.ts";

/** Who was asked, and when. */
export interface ReportAbout {
  clusterId: string;
  /** node through which all were asked */
  node: string;
  /** wall clock of whoever asked, ms */
  fromMs: number;
  /** wall clock of whoever asked, ms */
  toMs: number;
}

/** `2026-01-01T00:00:00.000Z to 00:00:01.000Z` */
export function periodText({ fromMs, toMs }: ReportAbout): string {
  return `${new Date(fromMs).toISOString()} to ${new Date(toMs).toISOString().slice(11)}`;
}

/** `3 copies in 2 data centers` */
export function needText({ copies, dataCenters }: CopiesNeeded): string {
  return `${counted(copies, "copy", "copies")} in ${counted(dataCenters, "data center", "data centers")}`;
}

/** `1 copy`, `2 copies` */
export function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** `a`, `a and b`, `a, b and c` */
export function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`;
}

/** Rows under their heads; the first column to the left, numbers to the right. */
export function columnsOf(head: string[], rows: string[][]): string[] {
  const all = [head, ...rows];
  const widths = head.map((_, i) => Math.max(...all.map((row) => row[i].length)));
  return all.map((row) => row.map((cell, i) => i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])).join("  "));
}
