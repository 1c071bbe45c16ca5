import { command } from "../command.ts";
import { requireWhole } from "../bounds.ts";
import { VerdictError } from "../errors.ts";

const MIB = 1024 * 1024;
/** What must be left of the best throughput while several times as much comes. */
const KEPT_LEAST = 0.8;

/** `waterpark bench overload` */
export const benchOverload = command({
  description: "sends several times what the cluster can take, and shows what becomes of it",
  args: {
    nodes: { type: "number", default: 5, description: "node processes, over four data centers, 5 to 32" },
    times: { type: "number", default: 3, description: "times the load that it sustains" },
    seconds: { type: "number", default: 60, description: "how long" },
    actors: { type: "number", default: 2000, description: "actors that the messages go to" },
    "message-bytes": { type: "number", default: 300, description: "size of a message's body" },
  },
  examples: ["bench overload", "bench overload --times 10 --seconds 20"],
  async run({ values, out }) {
    const { nodes, times, seconds, actors } = values;
    requireWhole(values, {
      nodes: [5, 32],
      times: [1, 100],
      seconds: [1, 3600],
      actors: [1, 1_000_000],
      "message-bytes": [1, 1_000_000],
    });
    // node processes and all: no other command should wait for them
    const { measureOverload } = await import("../../bench/overload/run.ts");
    const result = await measureOverload({
      ...{ nodes, times, seconds, actors, messageBytes: values["message-bytes"] },
      talk: (text) => out.talk(text),
    });
    const { overload, residentBytes, bestPerSecond, recordedPerSecond } = result;
    if (out.isJson) out.json({ bench: "overload", nodes, times, ...result });
    else {
      const codes = (counts: Record<string, number>) =>
        Object.entries(counts).map(([code, count]) => `${count} ${code}`).join(", ") || "none";
      const mib = (bytes: number) => `${Math.round(bytes / MIB)} MiB`;
      const ms = (us: number) => `${(us / 1000).toFixed(0)} ms`;
      out.data(`sustained              ${bestPerSecond} messages/s, 256 under way at a time`);
      out.data(`asked for              ${result.duePerSecond} messages/s for ${seconds} s`);
      const share = `${Math.round(recordedPerSecond / bestPerSecond * 100)} %`;
      out.data(`recorded meanwhile     ${recordedPerSecond} messages/s, ${share} of the best`);
      out.data(`  waited               p50 ${ms(overload.recordedP50Us)}, p99 ${ms(overload.recordedP99Us)}`);
      out.data(`refused, nothing done  ${codes(overload.refused)}; p99 ${ms(overload.refusedP99Us)}`);
      out.data(`  without Retry-After  ${overload.withoutRetryAfter}`);
      out.data(`of unknown outcome     ${codes(overload.unknown)}`);
      const { came, recordedP99Us, refusedP99Us, slowestUs, ...ends } = result.newcomers;
      out.data(
        `connected anew         ${came}: ${ends.recorded} recorded, ${ends.refused} refused, ${ends.other} neither`,
      );
      out.data(
        `  waited               recorded p99 ${ms(recordedP99Us)}, refused p99 ${ms(refusedP99Us)}, slowest ${
          ms(slowestUs)
        }`,
      );
      out.data(`not even sent          ${overload.outside}`);
      out.data(`sustained afterwards   ${result.afterPerSecond} messages/s`);
      const { before, most, after } = residentBytes;
      out.data(`memory of all nodes    ${mib(before)} before, ${mib(most)} at most, ${mib(after)} after`);
      out.data(
        `writers that moved     ${result.writersMoved}; nodes called absent: ${result.absent.join(" ") || "none"}`,
      );
      if (result.notProven === null) out.data("every receipt is proven by the copies");
    }
    const wrong = [
      result.notProven ?? "",
      result.absent.length > 0 ? `${result.absent.join(", ")} called absent` : "",
      recordedPerSecond < KEPT_LEAST * bestPerSecond ? "throughput fell under 80 % of the best" : "",
    ].filter((text) => text !== "");
    if (wrong.length > 0) throw new VerdictError(`Cannot call it sound: ${wrong.join("; ")}`, ["wrong"]);
  },
});
