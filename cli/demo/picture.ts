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
  asked: { mark: "◉", style: "cyan", word: "asked" },
  frozen: { mark: "◌", style: "blue", word: "frozen" },
};
const BARS = "▁▂▃▄▅▆▇█";
const INNER_MIN = 17;
const INNER_MAX = 22;

/** The lines, none wider than the screen where that has at least 80 columns. */
export function picture(tally: Tally, { columns, rows, paint }: PictureOptions): string[] {
  // four boxes with their edges, a space before each
  const inner = Math.max(INNER_MIN, Math.min(INNER_MAX, Math.floor(columns / 4) - 3));
  const width = 4 * (inner + 3);
  const { p50, p99, longest } = tally.waits();
  const done = tally.acknowledged / tally.messages;
  const gauge = Math.max(10, width - 46);
  const full = Math.round(gauge * done);
  const ms = (value: number) => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
  const clock = `${(tally.nowMs / 1000).toFixed(1)} s`;
  const title = "Waterpark: four data centers, one hospital region, one kill -9";
  const lines = [
    "",
    ` ${paint("bold", title)}${paint("dim", clock.padStart(width - title.length - 2))}`,
    "",
    ...boxes(tally, inner, paint),
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

function boxes(tally: Tally, inner: number, paint: PictureOptions["paint"]): string[] {
  const most = Math.max(1, ...tally.nodes.map((node) => node.written));
  const dataCenters = Map.groupBy(tally.nodes, (node) => node.name.split("-")[0]);
  const columns = [...dataCenters].map(([dataCenter, nodes]) => {
    const homeOf = [...tally.homes].filter(([, home]) => home === dataCenter).map(([facility]) => facility);
    const head = `─ ${dataCenter} `;
    const row = (left: string, right: string, styles: { left: Style; right: Style }) => {
      const shown = left.length > inner ? left.slice(0, inner - 1) + "…" : left;
      const rest = right.slice(0, inner - shown.length).padStart(inner - shown.length);
      return paint("dim", "│") + paint(styles.left, shown) + paint(styles.right, rest) + paint("dim", "│");
    };
    return [
      paint("dim", "╭") + paint("bold", head) + paint("dim", "─".repeat(inner - head.length) + "╮"),
      ...nodes.flatMap((node) => {
        const { mark, style, word } = STATES[node.state];
        const isDead = node.state === "dead";
        const bar = "▇".repeat(Math.round(node.written / most * (inner - 13)));
        return [
          row(` ${mark} ${node.name}`, `${word || number(node.written)} `, {
            left: style,
            right: isDead ? "red" : "bold",
          }),
          isDead
            ? row(`   wrote ${number(node.written)}`, "", { left: "dim", right: "dim" })
            : row(`${node.shards} shards `.padStart(11), bar.padEnd(inner - 11), { left: "dim", right: "cyan" }),
        ];
      }),
      row(homeOf.length === 0 ? "" : ` ⌂ ${homeOf.join(" ")}`, "", { left: "dim", right: "dim" }),
      paint("dim", `╰${"─".repeat(inner)}╯`),
    ];
  });
  return columns[0].map((_, i) => " " + columns.map((column) => column[i]).join(" "));
}

function number(value: number): string {
  return value.toLocaleString("en-US");
}
