/**
 * What a message may cost. Each figure is what was measured when it was last changed; `MARGIN` is how much more is let
 * pass, wide enough for another machine's caches, a newer V8 and a busy neighbour, narrow enough to see a map entry more
 * per message and copy grow into a habit.
 *
 * To change them: `deno task guard` prints what it measures, in this file's words. Put in what three runs agree on, and
 * say in the commit what the message now does more, or no longer. Lower them whenever something was gained: a figure
 * that is far above the truth guards nothing.
 */

/** What a message costs a whole cluster. */
export interface Cost {
  /** bytes allocated on the JavaScript heap, all nodes together, without what stands in for the world */
  heapBytes: number;
  /** CPU of one message on all nodes, in rounds of the calibration loop: some 190 ns each on the machine of the figures */
  cpuRounds: number;
}

/** One way to load a cluster of five nodes. */
export interface Scenario {
  name: string;
  shardsPerSet: number;
  route: "any" | "writer";
  measured: Cost;
}

/** How many times its figure a cost may be. */
export const MARGIN = 1.6;

/** Few shards: most of the cost is in messages. As many as a real cluster has: most of it is in shards that wake up. */
export const SCENARIOS: readonly Scenario[] = [
  { name: "full batches", shardsPerSet: 4, route: "writer", measured: { heapBytes: 3700, cpuRounds: 78 } },
  { name: "thin batches", shardsPerSet: 64, route: "any", measured: { heapBytes: 7400, cpuRounds: 270 } },
];

/** What is wrong with a cost, in words; nothing: all is well. */
export function complaintsAbout(cost: Cost, { name, measured }: Pick<Scenario, "name" | "measured">): string[] {
  const units = { heapBytes: "bytes on the heap", cpuRounds: "rounds of CPU" } as const;
  return (Object.keys(units) as (keyof Cost)[]).filter((kind) => !(cost[kind] <= measured[kind] * MARGIN)).map((kind) =>
    `${name}: a message costs ${cost[kind].toFixed(0)} ${units[kind]}, more than ${MARGIN} times the ${
      measured[kind]
    } ` +
    `in bench/guard/figures.ts`
  );
}
