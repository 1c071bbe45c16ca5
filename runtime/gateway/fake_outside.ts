import { notFound } from "./errors.ts";
import type { DeliveryView, OutsideService } from "./outside.ts";

/** One delivery that is held, and a function that says what it was asked. */
export function fakeOutside(asked: string[]): OutsideService {
  const delivery: DeliveryView = {
    ...{ id: "patient/H/1#2#p#0", key: "patient/H/1", seq: 2, plugin: "p", sink: "lab", type: "result", state: "held" },
    ...{ attempts: 3, code: "mllp/rejected", text: "AR", letter: null },
  };
  return {
    effects(query) {
      asked.push(`effects ${JSON.stringify(query)}`);
      return Promise.resolve({ deliveries: [delivery], sinks: [], sources: [], silent: [] });
    },
    retry(id, { body } = {}) {
      asked.push(`retry ${id} ${body === undefined ? "" : new TextDecoder().decode(body)}`);
      return Promise.resolve({ ...delivery, state: "waiting" });
    },
    discard(id) {
      asked.push(`discard ${id}`);
      return Promise.resolve({ ...delivery, state: "discarded" });
    },
    pause(name, isPaused) {
      asked.push(`${isPaused ? "pause" : "resume"} ${name}`);
      return Promise.resolve();
    },
    check(name) {
      asked.push(`check ${name}`);
      return Promise.resolve("it answers");
    },
    call(name, { method, url, headers, body }) {
      if (name !== "echo") return Promise.reject(notFound("Cannot find the function"));
      const { pathname, search } = new URL(url);
      const said = JSON.stringify([
        method,
        pathname + search,
        Object.fromEntries(headers),
        new TextDecoder().decode(body),
      ]);
      return Promise.resolve({
        status: 203,
        headers: [["content-type", "application/json"], ["connection", "close"], ["x-a", "b"]],
        body: new TextEncoder().encode(said),
      });
    },
  };
}
