/**
 * Logs: what an operator reads. Keys of actors, ids and payloads never go in here; shards, nodes, codes and counts do.
 */
import { configure, getConsoleSink, getLogger, type Logger } from "@logtape/logtape";

/** A room's log: `log("replication").info("writer of {shard}", { shard })`. */
export function log(room: string): Logger {
  return getLogger(["waterpark", room]);
}

/** Where logs go: `"stderr"` prints from `level` on, `"none"` drops them, which is the default until this is called. */
export async function configureLog(
  options: { to: "stderr" | "none"; level?: "debug" | "info" | "warning" | "error" },
): Promise<void> {
  const { to, level = "info" } = options;
  await configure({
    reset: true,
    // Talk goes to stderr, data to stdout: every level prints through console.error.
    sinks: to === "stderr"
      ? {
        out: getConsoleSink({
          levelMap: { trace: "error", debug: "error", info: "error", warning: "error", error: "error", fatal: "error" },
        }),
      }
      : { out: () => {} },
    loggers: [
      { category: ["waterpark"], sinks: ["out"], lowestLevel: level },
      { category: ["logtape", "meta"], sinks: [], lowestLevel: "error" },
    ],
  });
}
