/**
 * The demo's one screen, as lines of text: data centers as boxes with their nodes, the flow below, the log at the
 * bottom. A pure function of the tally.
 */
import type { Style } from "../output.ts";
import type { NodeFigure, Tally } from "./tally.ts";

/** How it is drawn. */
export interface PictureOptions {
  columns: number;
  rows: number;
  paint: (style: Style, text: string) => string;
}

const STATES: Record<NodeFigure["state"], { mark: string; style: Style; word: string }> = {
  starting: { mark: "○", style: "dim", word: "starting" },
  alive: { mark: "●", style: "green", word: "" },
  dead: { mark: "✖", style: "red", word: "killed" },
  asked: { mark: "◉", style: "cyan", word: "asked alone" },
  frozen: { mark: "◌", style: "blue", word: "frozen" },
};
const BARS = "▁▂▃▄▅▆▇█";
const BOX_COLUMNS = 18;

/** The lines, none wider than the screen where that has at least 79 columns. */
export function picture(tally: Tally, { columns, rows, paint }: PictureOptions): string[] {
  const width = Math.min(columns, 4 * (BOX_COLUMNS + 3) + 3);
  const { p50, p99, longest } = tally.waits();
  const done = tally.acknowledged / tally.messages;
  const gauge = Math.max(10, width - 46);
  const full = Math.round(gauge * done);
  const number = (value: number) => value.toLocaleString("en-US");
  const ms = (value: number) => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
  const clock = `${(tally.nowMs / 1000).toFixed(1)} s`;
  const title = "Waterpark: four data centers, one hospital region, one kill -9";
  const lines = [
    "",
    ` ${paint("bold", title)}${paint("dim", clock.padStart(width - title.length - 2))}`,
    "",
    ...boxes(tally, paint),
    "",
    ` acknowledged ${number(tally.acknowledged).padStart(6)} of ${number(tally.messages)}  ${
      paint("cyan", "█".repeat(full))
    }${paint("dim", "░".repeat(gauge - full))} ${String(Math.floor(done * 100)).padStart(3)} %`,
    ` messages/s   ${number(tally.rate).padStart(6)}  ${paint("cyan", sparkline(tally.bars, width - 24))}`,
    ` waited       p50 ${ms(p50)}   p99 ${ms(p99)}   longest ${ms(longest)}   sent again ${tally.repeated}`,
    "",
  ];
  const room = Math.max(3, rows - lines.length - 1);
  const styles = { plain: undefined, good: "green", bad: "red" } as const;
  for (const { atMs, text, tone } of tally.events.slice(-room)) {
    const at = (atMs / 1000).toFixed(1).padStart(5);
    const shown = text.length > width - 8 ? text.slice(0, width - 9) + "…" : text;
    const style = styles[tone];
    lines.push(` ${paint("dim", at)}  ${style === undefined ? shown : paint(style, shown)}`);
  }
  return lines;
}

/** The last values as a curve of at most `columns` bars; the highest is full. */
export function sparkline(values: readonly number[], columns: number): string {
  const shown = values.slice(-columns);
  const top = Math.max(1, ...shown);
  return shown.map((value) => value === 0 ? "_" : BARS[Math.ceil(value / top * BARS.length) - 1]).join("");
}

function boxes(tally: Tally, paint: PictureOptions["paint"]): string[] {
  const most = Math.max(1, ...tally.nodes.map((node) => node.written));
  const dataCenters = Map.groupBy(tally.nodes, (node) => node.name.split("-")[0]);
  const columns = [...dataCenters].map(([dataCenter, nodes]) => {
    const homeOf = [...tally.homes].filter(([, home]) => home === dataCenter).map(([facility]) => facility);
    const head = `─ ${dataCenter} `;
    return [
      paint("dim", "╭") + paint("bold", head) + paint("dim", "─".repeat(BOX_COLUMNS - head.length) + "╮"),
      ...nodes.flatMap((node) => nodeRows(node, most, paint)),
      row(homeOf.length === 0 ? "" : `home of ${homeOf.join(", ")}`, "dim", paint),
      paint("dim", `╰${"─".repeat(BOX_COLUMNS)}╯`),
    ];
  });
  return columns[0].map((_, i) => " " + columns.map((column) => column[i]).join(" "));
}

function nodeRows(node: NodeFigure, most: number, paint: PictureOptions["paint"]): string[] {
  const { mark, style, word } = STATES[node.state];
  const said = word || `${node.shards} shards`;
  const bar = "▇".repeat(Math.round(node.written / most * 9));
  const isGone = node.state === "dead";
  const first = ` ${mark} ${node.name}`;
  const second = `   ${bar} ${node.written === 0 ? "" : node.written.toLocaleString("en-US")}`;
  const rest = BOX_COLUMNS - first.length;
  return [
    paint("dim", "│") + paint(style, first) + paint(isGone ? "red" : "dim", said.slice(0, rest - 1).padStart(rest)) +
    paint("dim", "│"),
    row(second, isGone ? "dim" : "cyan", paint),
  ];
}

function row(text: string, style: Style, paint: PictureOptions["paint"]): string {
  const shown = text.length > BOX_COLUMNS ? text.slice(0, BOX_COLUMNS - 1) + "…" : text;
  return paint("dim", "│") + paint(style, shown.padEnd(BOX_COLUMNS)) + paint("dim", "│");
}
