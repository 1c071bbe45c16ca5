import assert from "node:assert/strict";
import { SeededRandom, SimulatedTime, simulatedWorld } from "../world/mod.ts";
import type { Carrier, Connection, DialHandlers } from "./carrier.ts";
import { Dialling } from "./dialling.ts";
import { unreachable } from "./errors.ts";

Deno.test("dialling: the other carriers are tried at each third failed call of an address, and begin anew after a link", () => {
  const called: string[] = [];
  let isUp = false;
  const carrier = (name: "websocket" | "quic"): Carrier => ({
    name,
    dial(address: string, { onOpen, onFail }: DialHandlers) {
      called.push(name);
      if (isUp) onOpen({} as Connection);
      else onFail(unreachable(address, "nobody"));
    },
    listen: () => Promise.reject(new Error("not here")),
    close() {},
  });
  const time = new SimulatedTime();
  const dialling = new Dialling({
    world: simulatedWorld({ time, random: new SeededRandom(1), isAlive: () => true }),
    self: 1,
    carriers: [carrier("websocket"), carrier("quic")],
    linkTo: () => "none",
    greet: () => {},
    onFail: () => {},
  });
  const call = () => {
    called.length = 0;
    dialling.dial("there:1", { onOpen() {}, onFail() {} });
    return called.join(" ");
  };
  assert.deepEqual([call(), call(), call()], ["websocket", "websocket", "websocket quic"]);
  assert.deepEqual([call(), call(), call()], ["websocket", "websocket", "websocket quic"]);
  call();
  isUp = true;
  assert.equal(call(), "websocket");
  isUp = false;
  assert.deepEqual([call(), call()], ["websocket", "websocket"]);
});
