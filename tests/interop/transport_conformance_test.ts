/** The carriers' conformance suite over real sockets on loopback. */
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { type Carrier, openCarriers } from "../../runtime/transport/mod.ts";
import { CARRIER_CONFORMANCE, type ConformanceGround } from "../../runtime/transport/carrier_conformance.ts";
import { systemWorld } from "../../runtime/world/mod.ts";

const SECRET = new TextEncoder().encode("the secret of the interop cluster");
const ANOTHER = new TextEncoder().encode("the secret of another cluster");

for (const mode of ["quic", "websocket"] as const) {
  for (const { name, run } of CARRIER_CONFORMANCE) {
    Deno.test(`${mode} carrier: ${name}`, async () => {
      const ground = await openGround(mode);
      try {
        await run(ground);
      } finally {
        await ground.close();
      }
    });
  }
}

async function openGround(mode: "quic" | "websocket"): Promise<ConformanceGround> {
  const world = systemWorld();
  const carriers: Carrier[] = [];
  for (const secret of [SECRET, SECRET, ANOTHER]) {
    carriers.push(...await openCarriers({ world, mode, secret, addresses: ["127.0.0.1:0"] }));
  }
  const [a, b, stranger] = carriers;
  const listens: { close(): Promise<void> }[] = [];
  return {
    a: {
      name: a.name,
      async listen(address, handlers) {
        const listening = await a.listen(address, handlers);
        listens.push(listening);
        return listening;
      },
      dial: (address, handlers) => a.dial(address, handlers),
      close: () => a.close(),
    },
    b,
    stranger,
    listenAt: "127.0.0.1:0",
    nobodyAt: "127.0.0.1:9",
    throwGarbage: mode === "quic" ? throwAtUdp : throwAtTcp,
    async waitFor(what, condition, limitMs = 5_000) {
      const untilMs = performance.now() + limitMs;
      while (!condition() && performance.now() < untilMs) await pause(1);
      assert.ok(condition(), `waited in vain for ${what}`);
    },
    async close() {
      for (const listening of listens) await listening.close();
      for (const carrier of carriers) carrier.close();
    },
  };
}

async function throwAtUdp(address: string): Promise<void> {
  const [hostname, port] = address.split(":");
  const socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
  for (let i = 0; i < 50; i++) {
    const bytes = crypto.getRandomValues(new Uint8Array(1 + i * 20));
    await socket.send(bytes, { transport: "udp", hostname, port: Number(port) });
  }
  socket.close();
}

async function throwAtTcp(address: string): Promise<void> {
  const [hostname, port] = address.split(":");
  for (const bytes of [new Uint8Array(3_000).fill(0x16), new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n")]) {
    const socket = await Deno.connect({ hostname, port: Number(port) });
    await socket.write(bytes);
    await socket.read(new Uint8Array(100)).catch(() => {});
    socket.close();
  }
}
