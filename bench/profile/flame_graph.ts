/**
 * A flame graph as an SVG file that needs nothing else: what had the thread from left to right, who called it above it.
 * Each box says in its title what it is when the pointer rests on it. (Brendan Gregg's picture, upside down.)
 */
import type { Call } from "./cpu_profile.ts";

const WIDTH = 1600;
const ROW = 17;
const TOP = 56;
/** Narrower than this is not drawn. */
const LEAST = 0.6;
/** Pixels of a letter. */
const LETTER = 6.2;
const LEVELS_MAX = 120;

const COLOURS: Record<string, string> = {
  client: "#8ecae6",
  gateway: "#f4a261",
  mailroom: "#e9c46a",
  replication: "#e76f51",
  storage: "#90be6d",
  transport: "#b08bd9",
  wire: "#f28482",
  actors: "#43aa8b",
  plugin_host: "#5fa8a0",
  effects: "#7cc6b5",
  node: "#d4a373",
  base: "#c9ada7",
  bench: "#dddddd",
  deno: "#9fb8ad",
  native: "#adb5bd",
  gc: "#6c757d",
};
const OTHER_COLOUR = "#c7c7d4";

/** The picture. `unit` turns microseconds of a box into what its title says. */
export function flameGraph(root: Call, options: { title: string; unit: (us: number) => string }): string {
  const { title, unit } = options;
  const boxes: string[] = [];
  const rooms = new Set<string>();
  let deepest = 0;
  const draw = (call: Call, x: number, level: number) => {
    const width = call.totalUs / root.totalUs * WIDTH;
    if (width < LEAST || level > LEVELS_MAX) return;
    deepest = Math.max(deepest, level);
    rooms.add(call.room);
    const share = (call.totalUs / root.totalUs * 100).toFixed(1);
    const y = TOP + level * ROW;
    const letters = Math.floor((width - 4) / LETTER);
    const label = letters < 3
      ? ""
      : `<text x="${round(x + 3)}" y="${y + 12}">${escaped(call.name.slice(0, letters))}</text>`;
    boxes.push(
      `<g><title>${escaped(call.name)} (${escaped(call.room)}): ${unit(call.totalUs)}, ${share} %; itself ${
        unit(call.selfUs)
      }</title><rect x="${round(x)}" y="${y}" width="${round(width)}" height="${ROW - 1}" fill="${
        COLOURS[call.room] ?? OTHER_COLOUR
      }"/>${label}</g>`,
    );
    let childX = x;
    for (const child of call.calls.toSorted((a, b) => b.totalUs - a.totalUs)) {
      draw(child, childX, level + 1);
      childX += child.totalUs / root.totalUs * WIDTH;
    }
  };
  if (root.totalUs > 0) draw(root, 0, 0);
  const height = TOP + (deepest + 1) * ROW + 10;
  const legend = [...rooms].sort().map((room, i) =>
    `<rect x="${10 + i * 90}" y="32" width="10" height="10" fill="${COLOURS[room] ?? OTHER_COLOUR}"/>` +
    `<text x="${24 + i * 90}" y="41">${escaped(room.slice(0, 12))}</text>`
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="monospace" font-size="10.5">`,
    "<style>svg{background:#fff} text{fill:#222;pointer-events:none} g:hover rect{stroke:#000}</style>",
    `<text x="10" y="20" font-size="14">${escaped(title)}</text>`,
    ...legend,
    ...boxes,
    "</svg>",
  ].join("\n") + "\n";
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
