import { command } from "../command.ts";
import { MisuseError, VerdictError } from "../errors.ts";
import { type FaultKind, FAULTS } from "../../bench/availability/schedule.ts";
import { requireWhole } from "../bounds.ts";

const KINDS = Object.keys(FAULTS) as FaultKind[];

/** `waterpark bench availability` */
export const benchAvailability = command({
  description: "kills, freezes and restarts nodes under a steady load, and shows what clients saw of it",
  args: {
    nodes: { type: "number", default: 8, description: "node processes, over four data centers, 5 to 32" },
    rate: { type: "number", default: 300, description: "messages due a second, whatever became of those before" },
    faults: { type: "string", default: KINDS.join(","), metavar: "KIND,...", description: "what is done, in order" },
    every: { type: "number", default: 6, description: "seconds that a fault lasts, and pause after its repair" },
    actors: { type: "number", default: 500, description: "actors that the messages go to" },
    clients: { type: "number", default: 16, description: "clients, each with another node that it prefers" },
    "message-bytes": { type: "number", default: 300, description: "size of a message's body" },
    svg: { type: "string", metavar: "FILE", description: "the timeline as a picture" },
  },
  examples: [
    "bench availability",
    "bench availability --faults kill,kill --every 40 --svg availability.svg",
  ],
  async run({ values, out }) {
    const { nodes, rate, every, actors, clients, svg } = values;
    const faults = String(values.faults).split(",").map((kind) => kind.trim());
    const unknown = faults.find((kind) => !KINDS.includes(kind as FaultKind));
    if (unknown !== undefined) {
      throw new MisuseError(`Cannot use "${unknown}" for --faults as it must be one of ${KINDS.join(", ")}`);
    }
    requireWhole(values, {
      nodes: [5, 32],
      rate: [1, 20_000],
      actors: [1, 1_000_000],
      clients: [1, 1000],
      every: [1, 3600],
      "message-bytes": [1, 1_000_000],
    });
    // node processes and all: no other command should wait for them
    const { measureAvailability } = await import("../../bench/availability/run.ts");
    const { svgPicture, terminalPicture, toldOf } = await import("../../bench/availability/picture.ts");
    const result = await measureAvailability({
      ...{ nodes, rate, actors, clients, everySeconds: every, faults: faults as FaultKind[] },
      messageBytes: values["message-bytes"],
      talk: (text) => out.talk(text),
    });
    const { bins, reports, recorded, failed, failures, notProven, seconds } = result;
    const slowestMs = Math.max(...reports.map((report) => report.slowestMs));
    const title = `${nodes} nodes, ${rate} messages/s: ${recorded} recorded, ${failed} failed, slowest ${slowestMs} ms`;
    if (svg !== undefined) await Deno.writeTextFile(svg, svgPicture(bins, reports, title));
    if (out.isJson) {
      for (const report of reports) out.json({ bench: "availability", nodes, rate, ...report });
      out.json({ bench: "availability", nodes, rate, recorded, failed, failures, slowestMs, notProven, seconds });
    } else {
      for (const line of terminalPicture(bins, reports, out.columns)) out.data(line);
      out.data("");
      for (const report of reports) out.data(toldOf(report));
      out.data("");
      out.data(title);
      for (const [why, count] of Object.entries(failures)) out.data(`  ${count} x ${why}`);
      if (notProven === null) out.data("every receipt is proven by the copies");
    }
    const faultsSeen = [failed > 0 ? `${failed} messages failed` : "", notProven ?? ""].filter((text) => text !== "");
    if (faultsSeen.length > 0) {
      throw new VerdictError(`Cannot call it available as no message may fail: ${faultsSeen.join("; ")}`, ["wrong"]);
    }
  },
});
