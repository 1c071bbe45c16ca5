/** A curve as an SVG file that needs nothing else: both axes logarithmic, a dashed line where linear would be. */
import { type Curve, type Point, shown } from "./growth.ts";

const WIDTH = 640;
const HEIGHT = 400;
const LEFT = 64;
const RIGHT = 24;
const TOP = 64;
const BOTTOM = 48;
const COLOURS = ["#1f77b4", "#e08a1e", "#2a9d5c", "#b04ad0"];

/** The picture. */
export function curvePicture({ title, unit, linear, series }: Curve): string {
  const points = series.flatMap(({ points }) => points);
  const xs = logarithmic(points.map(({ x }) => x), { from: LEFT, to: WIDTH - RIGHT });
  const ys = logarithmic(points.map(({ us }) => us), { from: HEIGHT - BOTTOM, to: TOP }, [1, 2, 5]);
  const at = ({ x, us }: Point) => `${xs.place(x)},${ys.place(us)}`;
  const first = series[0].points[0];
  const far = Math.max(...points.map(({ x }) => x));
  const straight: Point = { x: far, us: first.us * (far / first.x) ** linear };
  // The line ends at the picture's edge.
  const end = straight.us <= ys.most ? straight : { x: first.x * ys.most / first.us, us: ys.most };
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="11">`,
    "<style>svg{background:#fff} text{fill:#333} .grid{stroke:#e4e4e4} polyline{fill:none;stroke-width:2}</style>",
    `<text x="${LEFT}" y="22" font-size="15">${escaped(title)}</text>`,
    `<text x="${LEFT}" y="${TOP - 8}">microseconds of CPU a message</text>`,
    `<text x="${WIDTH - RIGHT}" y="${HEIGHT - 10}" text-anchor="end">${escaped(unit)}</text>`,
    ...ys.marks.map((us) => {
      const y = ys.place(us);
      return `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}"/>` +
        `<text x="${LEFT - 6}" y="${y + 4}" text-anchor="end">${us < 1 ? us : shown(us)}</text>`;
    }),
    ...[...new Set(points.map(({ x }) => x))].map((x) =>
      `<line class="grid" x1="${xs.place(x)}" x2="${xs.place(x)}" y1="${TOP}" y2="${HEIGHT - BOTTOM}"/>` +
      `<text x="${xs.place(x)}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${shown(x)}</text>`
    ),
    `<polyline points="${at(first)} ${at(end)}" stroke="#999" stroke-dasharray="4 3"><title>linear</title></polyline>`,
    ...series.flatMap(({ name, points }, i) => {
      const colour = COLOURS[i % COLOURS.length];
      return [
        `<polyline points="${points.map(at).join(" ")}" stroke="${colour}"/>`,
        ...points.map((point) =>
          `<circle cx="${xs.place(point.x)}" cy="${ys.place(point.us)}" r="3.5" fill="${colour}"><title>${
            shown(point.x)
          } ${escaped(unit)}: ${point.us.toFixed(1)} us</title></circle>`
        ),
        `<text x="${WIDTH - RIGHT}" y="${22 + i * 14}" text-anchor="end" style="fill:${colour}">${
          escaped(name)
        }</text>`,
      ];
    }),
    `<text x="${WIDTH - RIGHT}" y="${22 + series.length * 14}" text-anchor="end" style="fill:#777">- - linear</text>`,
    "</svg>",
  ].join("\n") + "\n";
}

/** An axis whose ends are marks around the values. */
function logarithmic(values: readonly number[], { from, to }: { from: number; to: number }, steps = [1]) {
  const least = Math.min(...values);
  const most = Math.max(...values);
  const all: number[] = [];
  for (let power = Math.floor(Math.log10(least)); power <= Math.ceil(Math.log10(most)); power++) {
    for (const step of steps) all.push(Number((step * 10 ** power).toPrecision(1)));
  }
  const low = steps.length > 1 ? all.findLast((mark) => mark <= least) ?? least : least;
  const high = steps.length > 1 ? all.find((mark) => mark >= most && mark > low) ?? most : Math.max(most, least * 1.01);
  const span = Math.log(high / low);
  const place = (value: number) => Math.round((from + Math.log(value / low) / span * (to - from)) * 10) / 10;
  return { place, most: high, marks: all.filter((mark) => mark >= low && mark <= high) };
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
