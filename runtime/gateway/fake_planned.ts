import type { PlannedService } from "./planned.ts";

/** Planned work of a cluster in which nothing needs to be done. */
export function fakePlanned(asked: string[]): PlannedService {
  const nothing = { copies: 0, writers: 0 };
  return {
    drain(name, { fast = false } = {}) {
      asked.push(`drain ${name}${fast ? " fast" : ""}`);
      return Promise.resolve({ name, draining: true, moving: !fast, note: "" });
    },
    whole: () => Promise.resolve({ whole: true, version: 1, copies: 5, shards: 1025, short: 0, some: [], nodes: [] }),
    plan(changes) {
      asked.push(`plan ${changes.map(({ type, what }) => `${type} ${what}`).join(", ")}`);
      const names = changes.map(({ what }) => what);
      return Promise.resolve({
        version: 1,
        ack: { copies: 3, dataCenters: 2 },
        nodes: names.map((name) => ({
          name,
          change: null,
          status: null,
          before: nothing,
          after: nothing,
          gains: 0,
          gainsBytes: 0,
        })),
        moves: [],
        total: { shards: 0, copies: 0, writers: 0, bytes: 0 },
        atOnce: { writable: 1024, waiting: [], standing: [], belowThree: [] },
        bytesKnown: true,
      });
    },
  };
}
