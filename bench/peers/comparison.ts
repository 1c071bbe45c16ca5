/** Rounds of measurements, laid side by side: medians of each who took part, and how we compare. */

/** One measured run of one who took part. */
export interface Measurement {
  /** who */
  name: string;
  inFlight: number;
  messagesPerSecond: number;
  p50Us: number;
  p99Us: number;
  /** servers and client together */
  cpuUsPerMessage: number;
}

/** The medians of a name's runs at one depth. */
export interface Median extends Measurement {
  runs: number;
}

/** Medians in the order in which names and depths came up. */
export function medians(measurements: readonly Measurement[]): Median[] {
  const groups = Map.groupBy(measurements, ({ name, inFlight }) => `${name}\n${inFlight}`);
  return [...groups.values()].map((group) => ({
    name: group[0].name,
    inFlight: group[0].inFlight,
    runs: group.length,
    messagesPerSecond: median(group.map((each) => each.messagesPerSecond)),
    p50Us: median(group.map((each) => each.p50Us)),
    p99Us: median(group.map((each) => each.p99Us)),
    cpuUsPerMessage: median(group.map((each) => each.cpuUsPerMessage)),
  }));
}

/** The middle one; of two in the middle their mean. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The table. A ratio above 1 is in favour of `ours`: more messages, less waiting, less CPU. */
export function comparisonTable(rows: readonly Median[], ours: string): string {
  const head = ["", "in flight", "messages/s", "ratio", "p50", "ratio", "p99", "ratio", "CPU/message", "ratio"];
  const lines = rows.map((row) => {
    const mine = rows.find(({ name, inFlight }) => name === ours && inFlight === row.inFlight);
    const ratio = (better: number | undefined, worse: number) =>
      row.name === ours || better === undefined || worse === 0 ? "" : `x${(better / worse).toFixed(2)}`;
    return [
      row.name,
      row.inFlight.toLocaleString("en-US"),
      Math.round(row.messagesPerSecond).toLocaleString("en-US"),
      ratio(mine?.messagesPerSecond, row.messagesPerSecond),
      time(row.p50Us),
      ratio(row.p50Us, mine?.p50Us ?? 0),
      time(row.p99Us),
      ratio(row.p99Us, mine?.p99Us ?? 0),
      `${row.cpuUsPerMessage.toFixed(1)} us`,
      ratio(row.cpuUsPerMessage, mine?.cpuUsPerMessage ?? 0),
    ];
  });
  const widths = head.map((_, i) => Math.max(...[head, ...lines].map((line) => line[i].length)));
  return [head, ...lines].map((line) =>
    line.map((cell, i) => i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i] + 2)).join("").trimEnd()
  ).join("\n");
}

function time(us: number): string {
  return us < 1000 ? `${us.toFixed(0)} us` : `${(us / 1000).toFixed(us < 10_000 ? 2 : 1)} ms`;
}
