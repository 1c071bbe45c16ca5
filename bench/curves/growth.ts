/**
 * How does a cost grow? A curve is CPU per message over something that there is more and more of. On logarithmic axes a
 * power is a slope: cost that grows as x^e has slope e, so the slopes between neighbours say where it bends.
 */

/** One measurement. */
export interface Point {
  x: number;
  /** microseconds of CPU a message */
  us: number;
}

/** One line in a picture. */
export interface Series {
  name: string;
  points: Point[];
}

/** What was measured over one thing. */
export interface Curve {
  /** also its file's name */
  name: string;
  title: string;
  /** what x counts */
  unit: string;
  /**
   * The slope that is linear: 1 where a message has to do with all of x (bytes, copies); 0 where only the whole may
   * grow with x (twice the actors send twice the messages), so that a message's cost must stay.
   */
  linear: 0 | 1;
  series: Series[];
}

/** Slopes below this are noise. */
const NOISE = 0.15;

/** The slope of the straight line between two points on logarithmic axes. */
export function slope(a: Point, b: Point): number {
  return Math.log(b.us / a.us) / Math.log(b.x / a.x);
}

/** Neighbours between which a series grows faster than linear. */
export function worseThanLinear({ linear }: Pick<Curve, "linear">, { points }: Series): [Point, Point][] {
  const pairs = points.slice(1).map((point, i): [Point, Point] => [points[i], point]);
  return pairs.filter(([a, b]) => slope(a, b) > linear + NOISE);
}

/** What there is to say about a curve, a line for each series. */
export function toldOf(curve: Curve): string {
  return curve.series.map((series) => {
    const { points } = series;
    const first = points[0];
    const last = points[points.length - 1];
    const values = points.map(({ x, us }) => `${shown(x)}: ${us.toFixed(1)}`).join(", ");
    const growth = points.length < 2 ? "" : `; from ${shown(first.x)} to ${shown(last.x)} ${curve.unit} the cost is ` +
      `x${(last.us / first.us).toFixed(2)}, as x^${slope(first, last).toFixed(2)}`;
    const worse = worseThanLinear(curve, series).map(([a, b]) =>
      `${shown(a.x)} to ${shown(b.x)} (x^${slope(a, b).toFixed(2)})`
    );
    const linear = curve.linear === 1 ? "linear" : "linear (a message's cost must not grow)";
    const verdict = worse.length === 0 ? `nowhere worse than ${linear}` : `WORSE than ${linear}: ${worse.join(", ")}`;
    return `${curve.name}, ${series.name} [us by ${curve.unit}]: ${values}${growth}; ${verdict}`;
  }).join("\n");
}

/** A count as people write it: 1, 300, 10k, 1M. */
export function shown(x: number): string {
  if (x >= 1e6) return `${Number((x / 1e6).toFixed(1))}M`;
  return x >= 1e4 ? `${Number((x / 1e3).toFixed(1))}k` : String(x);
}
