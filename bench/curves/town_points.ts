/**
 * One curve's points in virtual time, in a process of its own, so that no curve pays for another's memory: prints a JSON
 * line for each as it is measured.
 *
 *     deno run -A bench/curves/town_points.ts actors|history|size|shards|nodes [SMALLEST_FIRST_COUNT]
 */
import { type CoreBenchOptions, sendThrough, Town } from "../core_bench.ts";
import type { Point } from "./growth.ts";

/** Five nodes, 256 shards, batches of some four messages: between a quiet cluster and a full one. */
const BASE: CoreBenchOptions = {
  nodes: 5,
  shardsPerSet: 16,
  inFlight: 1024,
  messages: 20_000,
  actors: 10_000,
  messageBytes: 300,
  route: "writer",
};
/** Compilers have seen everything after so many. */
const WARM_UP_MESSAGES = 20_000;
/** The least of so many runs counts. */
const RUNS = 3;
/** As many actors have long histories. */
const LONG_LIVED = 64;
const HISTORY_SUM = 20_000;
/** Bytes under way at once, and in one run: large messages go fewer at a time. */
const FLIGHT_BYTES = 8 << 20;
const RUN_BYTES = 64 << 20;

const CURVES: Record<string, { xs: number[]; measure: (x: number) => number }> = {
  nodes: { xs: [1, 3, 5, 8, 16], measure: (nodes) => settled({ ...BASE, nodes }) },
  shards: { xs: [1, 4, 16, 64], measure: (shardsPerSet) => settled({ ...BASE, shardsPerSet }) },
  actors: {
    xs: [1e3, 1e4, 1e5, 1e6],
    measure(actors) {
      const options = { ...BASE, actors, messageBytes: 100 };
      const town = new Town(options);
      sendThrough(town, { ...options, messages: Math.max(actors, WARM_UP_MESSAGES) });
      return least(town, options);
    },
  },
  history: {
    xs: [1, 10, 100, 1000, 1e4],
    measure(history) {
      const actors = Math.max(LONG_LIVED, Math.min(10_000, Math.round(HISTORY_SUM / history)));
      const options = { ...BASE, actors, inFlight: LONG_LIVED, messageBytes: 100, messages: 10_000 };
      const town = new Town(options);
      // Others make all points' tables equally long, and warm up the compilers, so that a history of 1 is one.
      const others = Math.max(1000, 10_000 - actors);
      sendThrough(town, { ...options, actors: others, messages: WARM_UP_MESSAGES, keyPrefix: "other" });
      sendThrough(town, { ...options, messages: actors * history });
      return history === 1 ? sendThrough(town, options).cpuUs : least(town, options);
    },
  },
  size: {
    xs: [100, 1000, 1e4, 1e5, 2 ** 20],
    measure(messageBytes) {
      const inFlight = Math.max(4, Math.min(BASE.inFlight, Math.floor(FLIGHT_BYTES / messageBytes)));
      const messages = Math.max(64, Math.min(BASE.messages, Math.floor(RUN_BYTES / messageBytes)));
      const town = new Town(BASE);
      sendThrough(town, { ...BASE, messages: WARM_UP_MESSAGES });
      return least(town, { ...BASE, messageBytes, inFlight, messages });
    },
  },
};

function settled(options: CoreBenchOptions): number {
  const town = new Town(options);
  sendThrough(town, { ...options, messages: WARM_UP_MESSAGES });
  return least(town, options);
}

function least(town: Town, options: CoreBenchOptions): number {
  return Math.min(...Array.from({ length: RUNS }, () => sendThrough(town, options).cpuUs));
}

if (import.meta.main) {
  const [name, count] = Deno.args;
  const { xs, measure } = CURVES[name];
  for (const x of xs.slice(0, Number(count ?? xs.length))) {
    console.log(JSON.stringify({ x: name === "shards" ? x * 16 : x, us: measure(x) } satisfies Point));
  }
}
