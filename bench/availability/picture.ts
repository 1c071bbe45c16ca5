/**
 * The run as a picture: messages a second above, waits below on a logarithmic scale, a line for each thing that was done
 * to nodes. For the terminal, and as an SVG file that needs nothing else.
 */
import type { Bin, EventReport } from "./timeline.ts";

const BARS = "▁▂▃▄▅▆▇█";
const WIDTH = 1000;
const LEFT = 60;
const RIGHT = 20;
const RATE = { top: 60, height: 140 };
const WAIT = { top: 240, height: 200 };
/** The wait axis goes from 0.1 ms to 100 s. */
const WAIT_MS = { least: 0.1, decades: 6 };
const LABEL_STEP = 13;

/** Two curves of bars, and below them where things happened. */
export function terminalPicture(bins: readonly Bin[], reports: readonly EventReport[], columns: number): string[] {
  const width = Math.max(20, Math.min(columns - 14, bins.length));
  const perColumn = bins.length / width;
  const groups = Array.from({ length: width }, (_, i) => {
    const from = Math.floor(i * perColumn);
    return bins.slice(from, Math.max(from + 1, Math.floor((i + 1) * perColumn)));
  });
  const binMs = bins.length > 1 ? bins[1].fromMs : 1000;
  const rates = groups.map((group) => group.reduce((sum, bin) => sum + bin.recorded, 0) / group.length * 1000 / binMs);
  const waits = groups.map((group) => Math.max(...group.map((bin) => bin.p99Us)) / 1000);
  const failed = groups.map((group) => group.reduce((sum, bin) => sum + bin.failed, 0));
  const marks = Array(width).fill(" ");
  reports.slice(1).forEach(({ atMs, isFault }) => {
    marks[Math.min(width - 1, Math.floor(atMs / binMs / perColumn))] = isFault ? "▼" : "▲";
  });
  const top = (values: number[]) => Math.max(...values);
  return [
    `messages/s   ${bars(rates.map((rate) => rate / Math.max(1, top(rates))))} ${Math.round(top(rates))}`,
    `p99 wait     ${bars(waits.map((ms) => height(ms)))} ${shownMs(top(waits))} (logarithmic)`,
    `failed       ${failed.map((count) => count > 0 ? "x" : "·").join("")} ${failed.reduce((a, b) => a + b, 0)}`,
    `             ${marks.join("")} ▼ fault ▲ repair`,
  ];
}

/** The picture as an SVG document. */
export function svgPicture(bins: readonly Bin[], reports: readonly EventReport[], title: string): string {
  const binMs = bins.length > 1 ? bins[1].fromMs : 1000;
  const endMs = Math.max(1, bins.length * binMs);
  const x = (ms: number) => round(LEFT + ms / endMs * (WIDTH - LEFT - RIGHT));
  const rateTop = niceTop(Math.max(1, ...bins.map((bin) => bin.recorded * 1000 / binMs)));
  const rateY = (rate: number) => round(RATE.top + RATE.height * (1 - rate / rateTop));
  const waitY = (ms: number) => round(WAIT.top + WAIT.height * (1 - height(ms)));
  const binWidth = round(Math.max(0.5, (WIDTH - LEFT - RIGHT) / bins.length - 0.5));
  const events = reports.slice(1);
  const bottom = WAIT.top + WAIT.height;
  const tall = bottom + 40 + events.length * LABEL_STEP;
  const line = (pick: (bin: Bin) => number, name: string) => {
    const points = bins.filter((bin) => bin.due > bin.failed).map((bin) =>
      `${x(bin.fromMs + binMs / 2)},${waitY(pick(bin) / 1000)}`
    );
    return `<polyline class="${name}" points="${points.join(" ")}"/>`;
  };
  const out = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${tall}" font-family="sans-serif" font-size="11">`,
    "<style>",
    "svg{background:#fff} text{fill:#333} .grid{stroke:#ddd} .rate{fill:#4c8eda} .failed{fill:#d43a3a}",
    ".p50,.p99,.max{fill:none;stroke-width:1.5} .p50{stroke:#2a9d5c} .p99{stroke:#e08a1e} .max{stroke:#b04ad0;stroke-width:.8}",
    ".fault{stroke:#d43a3a;stroke-dasharray:3 2} .repair{stroke:#2a9d5c;stroke-dasharray:3 2}",
    "</style>",
    `<text x="${LEFT}" y="20" font-size="15">${escaped(title)}</text>`,
    `<text x="${LEFT}" y="${RATE.top - 8}">messages recorded a second</text>`,
    ...[0, 0.5, 1].map((share) => gridLine(rateY(rateTop * share), String(Math.round(rateTop * share)))),
    ...bins.map((bin) => {
      const y = rateY(bin.recorded * 1000 / binMs);
      return `<rect class="rate" x="${x(bin.fromMs)}" y="${y}" width="${binWidth}" height="${
        round(RATE.top + RATE.height - y)
      }"/>`;
    }),
    ...bins.filter((bin) => bin.failed > 0).map((bin) =>
      `<rect class="failed" x="${x(bin.fromMs)}" y="${RATE.top}" width="${binWidth}" height="${RATE.height}"/>`
    ),
    `<text x="${LEFT}" y="${
      WAIT.top - 8
    }">wait from when a message was due: p50 green, p99 orange, longest violet</text>`,
    ...Array.from({ length: WAIT_MS.decades + 1 }, (_, i) => {
      const ms = WAIT_MS.least * 10 ** i;
      return gridLine(waitY(ms), shownMs(ms));
    }),
    line((bin) => bin.maxUs, "max"),
    line((bin) => bin.p99Us, "p99"),
    line((bin) => bin.p50Us, "p50"),
    ...events.flatMap((event, i) => [
      `<line class="${event.isFault ? "fault" : "repair"}" x1="${x(event.atMs)}" x2="${
        x(event.atMs)
      }" y1="${RATE.top}" y2="${bottom}"/>`,
      `<text x="${x(event.atMs)}" y="${RATE.top - 22 + (i % 2) * 10}" text-anchor="middle">${i + 1}</text>`,
      `<text x="${LEFT}" y="${bottom + 34 + i * LABEL_STEP}">${i + 1}  ${escaped(toldOf(event))}</text>`,
    ]),
    ...Array.from(
      { length: Math.floor(endMs / 10_000) + 1 },
      (_, i) => `<text x="${x(i * 10_000)}" y="${bottom + 14}" text-anchor="middle">${i * 10} s</text>`,
    ),
    "</svg>",
  ];
  return out.join("\n") + "\n";
}

/** A line about an event, in words. */
export function toldOf({ atMs, what, due, failed, p99Us, slowestMs, gapMs }: EventReport): string {
  return `${(atMs / 1000).toFixed(1)} s  ${what}: ${due} messages, ${failed} failed, p99 ${
    shownMs(p99Us / 1000)
  }, slowest ${shownMs(slowestMs)}, longest gap ${shownMs(gapMs)}`;
}

function gridLine(y: number, label: string): string {
  return `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}"/>` +
    `<text x="${LEFT - 6}" y="${y + 4}" text-anchor="end">${label}</text>`;
}

/** Where a wait stands on the axis, 0 to 1. */
function height(ms: number): number {
  if (ms <= WAIT_MS.least) return 0;
  return Math.min(1, Math.log10(ms / WAIT_MS.least) / WAIT_MS.decades);
}

function bars(shares: readonly number[]): string {
  return shares.map((share) => share <= 0 ? "_" : BARS[Math.min(BARS.length, Math.ceil(share * BARS.length)) - 1]).join(
    "",
  );
}

function niceTop(value: number): number {
  const step = 10 ** Math.floor(Math.log10(value));
  return Math.ceil(value / step) * step;
}

function shownMs(ms: number): string {
  if (ms >= 1000) return `${round(ms / 1000)} s`;
  return `${ms >= 10 ? Math.round(ms) : round(ms)} ms`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
