/**
 * The outside: a desk that takes what sinks hand in. It is slow now and then, refuses some of it at first, and sometimes
 * has taken what it is not known to have taken. How it behaves follows from the delivery, so no draw is spent on it.
 */
import type { SinkDoor } from "../../runtime/effects/mod.ts";
import type { World } from "../../runtime/world/mod.ts";
import type { Delivered } from "./journal.ts";

/** Name of the sink. */
export const DESK = "desk";

/** True for messages whose handling has something delivered. */
export function goesToDesk(messageId: string): boolean {
  return numberOf(messageId) % 4 === 0;
}

/** The desk as one node has it. */
export function simulatedDesk(world: World, take: (delivered: Omit<Delivered, "atMs">) => void): SinkDoor {
  return {
    // Whatever it refuses it takes in the end: a dead letter would be a fault. Sinks of somebody's own are the same desk.
    policyOf: () => ({ hash: "1", attempts: 1_000_000, firstMs: 20, mostMs: 400, whenDead: "skip", isPaused: false }),
    deliver(sink, { id, key, seq, attempt, bytes }, done) {
      const number = numberOf(`${id} ${attempt}`);
      const source = `${key.kind}/${key.facility}/${key.id}`;
      world.after(number % 30, () => {
        if (number % 5 === 0) return done({ state: "retry", code: "desk/busy", text: "not now" });
        if (sink === DESK) take({ id, source, seq, body: new TextDecoder().decode(bytes) });
        // taken, and the answer is lost
        if (number % 7 === 0) return done({ state: "retry", code: "desk/silent", text: "no answer" });
        world.after(number % 3, () => done({ state: "done" }));
      });
    },
  };
}

function numberOf(text: string): number {
  let value = 7;
  for (let i = 0; i < text.length; i++) value = (value * 31 + text.charCodeAt(i)) % 0x7fffffff;
  return value;
}
