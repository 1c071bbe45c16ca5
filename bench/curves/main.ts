/**
 * `deno task bench:curves`: how does the CPU that a message costs grow with nodes, actors, history length, message size and
 * shards? Writes one SVG per curve, and what there is to say about them, into this folder; some six minutes.
 *
 *     deno task bench:curves [--only nodes,actors,history,size,shards] [--out bench/curves] [--quick]
 *
 * Nodes are measured twice: as real processes over loopback, their client included, and like everything else as whole
 * nodes in one process, in virtual time. `--quick` leaves out each curve's largest two values.
 */
import { parseArgs } from "node:util";
import { TextLineStream } from "../lines.ts";
import type { Row } from "../report.ts";
import { type Curve, type Point, toldOf } from "./growth.ts";
import { curvePicture } from "./picture.ts";

const HARNESS = new URL("../harness.ts", import.meta.url).pathname;
const TOWN_POINTS = new URL("town_points.ts", import.meta.url).pathname;
/** A curve that is not done by then is ended. */
const CURVE_MS_MAX = 240_000;
const NODES = [1, 3, 5, 8, 16];
const IN_VIRTUAL_TIME = "in virtual time";

const CURVES: Omit<Curve, "series">[] = [
  { name: "nodes", title: "Nodes (up to five of them have a copy)", unit: "nodes", linear: 1 },
  { name: "actors", title: "Actors, five nodes", unit: "actors", linear: 0 },
  { name: "history", title: "Length of the actor's history, five nodes", unit: "messages before", linear: 0 },
  { name: "size", title: "Size of a message, five nodes", unit: "bytes", linear: 1 },
  { name: "shards", title: "Shards, five nodes, 1,024 in flight", unit: "shards", linear: 1 },
];

let running: Deno.ChildProcess | null = null;

/** Points of nodes in virtual time, from a process of their own. */
async function townPoints(name: string, count: number): Promise<Point[]> {
  return await linesOf<Point>([TOWN_POINTS, name, String(count)]);
}

/** One point with real processes: nodes and client together. */
async function processPoint(nodes: number): Promise<Point> {
  const flags = ["--senders", "wire", "--in-flight", "1024", "--actors", "2000", "--seconds", "2", "--json"];
  const rows = await linesOf<Row>([HARNESS, "--nodes", String(nodes), ...flags]);
  const row = rows.find(({ bench }) => bench === "wire")!;
  return { x: nodes, us: row.serverCpuUsPerMessage + row.clientCpuUsPerMessage };
}

/** The lines of a process's output as values. @throws {Error} when it fails, or takes too long */
async function linesOf<T>(args: string[]): Promise<T[]> {
  const process = running = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--quiet", ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const timer = setTimeout(() => process.kill("SIGTERM"), CURVE_MS_MAX);
  const values: T[] = [];
  const lines = process.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  for await (const line of lines) values.push(JSON.parse(line));
  const { success } = await process.status;
  clearTimeout(timer);
  running = null;
  if (!success) throw new Error(`Cannot draw a curve as its measurement failed: ${args.join(" ")}`);
  return values;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: "string" },
      out: { type: "string", default: new URL(".", import.meta.url).pathname },
      quick: { type: "boolean", default: false },
    },
  });
  const stop = () => {
    running?.kill("SIGTERM");
    Deno.exit(130);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, stop);
  const only = values.only?.split(",");
  const told: string[] = [];
  const left = values.quick ? 2 : 0;
  for (const head of CURVES.filter(({ name }) => only === undefined || only.includes(name))) {
    talk(head.name);
    const series = [{
      name: IN_VIRTUAL_TIME,
      points: await townPoints(head.name, head.name === "shards" ? 4 : 5 - left),
    }];
    if (head.name === "nodes") {
      const points: Point[] = [];
      for (const nodes of NODES.slice(0, NODES.length - left)) {
        await processPoint(nodes).then(
          (point) => points.push(point),
          (error) => talk(`${nodes} nodes: ${error.message}`),
        );
      }
      series.unshift({ name: "real processes and their client", points });
    }
    const curve: Curve = { ...head, series };
    await Deno.writeTextFile(`${values.out}/${head.name}.svg`, curvePicture(curve));
    told.push(toldOf(curve));
    console.log(toldOf(curve));
  }
  await Deno.writeTextFile(`${values.out}/growth.txt`, told.join("\n") + "\n");
  return 0;
}

function talk(text: string): void {
  console.error(`curves: ${text}`);
}

if (import.meta.main) Deno.exit(await main());
