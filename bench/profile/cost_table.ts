/**
 * Microseconds of CPU a message, room by room and role by role, as a table, beside what the roles may cost.
 */

/** What a message may cost each who touches it, microseconds of CPU: the sum for five copies is 12. */
export const BUDGET_US: Record<string, number> = { "client": 2, "writer": 4, "each follower": 1.5 };

/** Rooms in the order in which a message meets them, then what works for all of them. */
const ROOMS = [
  "client",
  "gateway",
  "mailroom",
  "replication",
  "storage",
  "wire",
  "transport",
  "actors",
  "effects",
  "plugin_host",
  "node",
  "membership",
  "topology",
  "base",
  "bench",
  "deno",
  "native",
  "gc",
  "other",
];

/** Threads that do not run JavaScript; below the rooms. */
const OTHER_THREADS = { "V8 DefaultWorke": "V8's threads", "tokio-runtime-w": "I/O threads" } as Record<string, string>;

/** One who touches a message. */
export interface Role {
  name: string;
  /** microseconds of CPU a message, by room and by thread */
  costs: Map<string, number>;
}

/**
 * What a process's CPU went to: its main thread's by the shares of the profile, the others' by their names.
 *
 * @param threads seconds of CPU by thread
 * @param rooms microseconds by room, of which only the shares count
 * @returns microseconds a message
 */
export function costsOf(
  threads: ReadonlyMap<string, number>,
  rooms: ReadonlyMap<string, number>,
  messages: number,
): Map<string, number> {
  const costs = new Map<string, number>();
  const add = (name: string, us: number) => costs.set(name, (costs.get(name) ?? 0) + us);
  const whole = [...rooms.values()].reduce((sum, us) => sum + us, 0);
  for (const [thread, seconds] of threads) {
    const us = seconds * 1e6 / messages;
    if (thread !== "main") add(OTHER_THREADS[thread] ?? "other threads", us);
    else if (whole === 0) add("other", us);
    else for (const [room, its] of rooms) add(ROOMS.includes(room) ? room : "other", us * its / whole);
  }
  return costs;
}

/** The mean of the costs of several that play one role. */
export function meanCosts(all: readonly ReadonlyMap<string, number>[]): Map<string, number> {
  const names = new Set(all.flatMap((costs) => [...costs.keys()]));
  return new Map(
    [...names].map((name) => [name, all.reduce((sum, costs) => sum + (costs.get(name) ?? 0), 0) / all.length]),
  );
}

/** The sum of a role's costs. */
export function totalOf({ costs }: Role): number {
  return [...costs.values()].reduce((sum, us) => sum + us, 0);
}

/** The roles side by side; a line for each room that cost anything, their sums, and the budget. */
export function costTable(roles: readonly Role[]): string {
  const threads = [...new Set(Object.values(OTHER_THREADS)), "other threads"];
  const lines = [...ROOMS, ...threads].filter((room) => roles.some(({ costs }) => (costs.get(room) ?? 0) >= 0.005));
  const shown = (us: number | undefined) => us === undefined ? "" : us.toFixed(2);
  const rows = [
    ["us of CPU a message", ...roles.map(({ name }) => name)],
    ...lines.map((room) => [room, ...roles.map(({ costs }) => shown(costs.get(room)))]),
    ["sum", ...roles.map((role) => shown(totalOf(role)))],
    ["budget", ...roles.map(({ name }) => shown(BUDGET_US[name]))],
  ];
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  return rows.map((row) =>
    row.map((cell, i) => i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i] + 2)).join("").trimEnd()
  ).join("\n");
}
