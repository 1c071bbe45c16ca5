/**
 * `deno task guard`: has a message become dearer? Whole nodes in one process, in virtual time, on a network in memory; what is
 * counted depends on the code and hardly on the machine: bytes allocated on the heap, and CPU in rounds of a loop that
 * is run before and after. Part of CI. Exits 1 when a cost is beyond what `figures.ts` allows.
 */
import { type CoreBenchOptions, sendThrough, Town } from "../core_bench.ts";
import { allocatedBytes } from "../heap_sampling.ts";
import { threadCpuNs } from "../processes.ts";
import { Calibration } from "./calibration.ts";
import { complaintsAbout, type Cost, type Scenario, SCENARIOS } from "./figures.ts";

const LOAD = { nodes: 5, inFlight: 1024, actors: 10_000, messageBytes: 300 };
const WARM_UP_MESSAGES = 20_000;
const MESSAGES = 10_000;
/** The least of so many runs counts: what a neighbour does to a run can only make it slower. */
const RUNS = 5;
/** Rooms that are not the product: what sends here, and what stands in for the world. */
const APART = ["bench", "simulated"];

/** What a message costs in this scenario. */
export async function costOf({ shardsPerSet, route }: Scenario, calibration: Calibration): Promise<Cost> {
  const options: CoreBenchOptions = { ...LOAD, shardsPerSet, route, messages: MESSAGES };
  const town = new Town(options);
  sendThrough(town, { ...options, messages: WARM_UP_MESSAGES });
  let cpuRounds = Infinity;
  let roundNs = calibration.roundNs();
  for (let i = 0; i < RUNS; i++) {
    const from = threadCpuNs();
    sendThrough(town, options);
    const messageNs = (threadCpuNs() - from) / MESSAGES;
    const nextNs = calibration.roundNs();
    cpuRounds = Math.min(cpuRounds, messageNs * 2 / (roundNs + nextNs));
    roundNs = nextNs;
  }
  const rooms = await allocatedBytes(() => void sendThrough(town, options));
  let bytes = 0;
  for (const [room, its] of rooms) if (!APART.includes(room)) bytes += its;
  return { heapBytes: Math.round(bytes / MESSAGES), cpuRounds: Math.round(cpuRounds) };
}

if (import.meta.main) {
  const calibration = new Calibration();
  calibration.roundNs();
  const complaints: string[] = [];
  for (const scenario of SCENARIOS) {
    const cost = await costOf(scenario, calibration);
    console.log(`${scenario.name}: heapBytes: ${cost.heapBytes}, cpuRounds: ${cost.cpuRounds}`);
    complaints.push(...complaintsAbout(cost, scenario));
  }
  for (const complaint of complaints) console.error(complaint);
  Deno.exit(complaints.length === 0 ? 0 : 1);
}
