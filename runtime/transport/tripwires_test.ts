import assert from "node:assert/strict";
import { SeededRandom, SimulatedTime, simulatedWorld } from "../world/mod.ts";
import { type LayTripwire, Tripwires } from "./tripwires.ts";

const PEER = { name: "TX-A-1", incarnation: 7, address: "10.0.0.1:4600" };

function ground() {
  const time = new SimulatedTime();
  const laid: { address: string; handlers: Parameters<LayTripwire>[1]; isCut: boolean }[] = [];
  const tripped: string[] = [];
  const wires = new Tripwires({
    world: simulatedWorld({ time, random: new SeededRandom(1) }),
    lay: (address, handlers) => {
      const wire = { address, handlers, isCut: false };
      laid.push(wire);
      return { cut: () => void (wire.isCut = true) };
    },
    onTripped: ({ name }) => tripped.push(name),
  });
  return { time, laid, tripped, wires };
}

Deno.test("tripwires: one that held and closes is told at once, and laid again", () => {
  const { time, laid, tripped, wires } = ground();
  wires.lay(PEER);
  laid[0].handlers.onHeld();
  assert.equal(wires.held, 1);
  laid[0].handlers.onClosed();
  assert.deepEqual([tripped, wires.held], [["TX-A-1"], 0]);
  time.runUntil(1000);
  assert.equal(laid.length, 2);
  laid[1].handlers.onHeld();
  assert.equal(wires.held, 1);
});

Deno.test("tripwires: one that never held says nothing, and is tried less and less often", () => {
  const { time, laid, tripped, wires } = ground();
  wires.lay(PEER);
  for (let tries = 1; tries <= 10; tries++) {
    laid.at(-1)!.handlers.onClosed();
    time.runUntil(time.nowMs + 60_000);
    assert.equal(laid.length, tries + 1);
  }
  laid.at(-1)!.handlers.onClosed();
  time.runUntil(time.nowMs + 59_999);
  assert.equal(laid.length, 11);
  assert.deepEqual(tripped, []);
});

Deno.test("tripwires: a link that is gone takes its tripwire along, and no late word counts", () => {
  const { time, laid, tripped, wires } = ground();
  wires.lay(PEER);
  laid[0].handlers.onHeld();
  wires.lay(PEER);
  assert.ok(laid[0].isCut);
  laid[1].handlers.onHeld();
  laid[0].handlers.onClosed();
  assert.deepEqual([tripped, wires.held], [[], 1]);
  wires.close();
  laid[1].handlers.onClosed();
  time.runUntil(5000);
  assert.deepEqual([tripped, laid.length, laid[1].isCut], [[], 2, true]);
});
