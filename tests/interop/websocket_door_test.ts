/** The door of the WebSocket carrier, to whoever knocks: real TLS, and heads that no node would send. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { connect } from "node:tls";
import { openDoor } from "../../runtime/transport/websocket_door.ts";
import { systemWorld } from "../../runtime/world/mod.ts";
import { selfSigned } from "./self_signed.ts";

const UPGRADE = "GET /in HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

async function withDoor(body: (knock: (...said: string[]) => Promise<string>, letIn: string[]) => Promise<void>) {
  const { cert, key } = await selfSigned();
  const letIn: string[] = [];
  const door = await openDoor({
    world: systemWorld(),
    hostname: "127.0.0.1",
    port: 0,
    cert,
    key,
    onRequest: ({ path }) => path === "/in" ? { upgrade: { "x-said": "yes" } } : path === "/told" ? 204 : 404,
    onPipe: (pipe, { path }) => {
      letIn.push(path);
      pipe.close();
    },
  });
  /** What is answered, to the end of the connection. */
  const knock = (...said: string[]) =>
    new Promise<string>((resolve) => {
      const socket = connect({ host: "127.0.0.1", port: door.port, ca: cert, servername: "localhost" });
      const heard: Uint8Array[] = [];
      socket.on("secureConnect", async () => {
        for (const piece of said) {
          socket.write(piece);
          await new Promise((next) => setTimeout(next, 20));
        }
      });
      socket.on("data", (chunk: Uint8Array) => heard.push(chunk));
      socket.on("error", () => {});
      socket.on("close", () => resolve(Buffer.concat(heard).toString("latin1")));
    });
  try {
    await body(knock, letIn);
  } finally {
    await door.close();
  }
}

Deno.test("websocket door: who asks rightly is let in, in one piece or in several, with RFC 6455's answer", async () => {
  await withDoor(async (knock, letIn) => {
    for (const said of [[UPGRADE + "\r\n"], [UPGRADE.slice(0, 30), UPGRADE.slice(30) + "\r", "\n"]]) {
      const answer = await knock(...said);
      assert.match(
        answer,
        /^HTTP\/1\.1 101 [^]*x-said: yes\r\n[^]*Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/,
      );
    }
    assert.deepEqual(letIn, ["/in", "/in"]);
  });
});

Deno.test("websocket door: everybody else gets a status, or nothing, and is not let in", async () => {
  await withDoor(async (knock, letIn) => {
    const cases: [string, RegExp][] = [
      ["POST /told HTTP/1.1\r\nHost: x\r\n\r\n", /^HTTP\/1\.1 204 /],
      ["GET /elsewhere HTTP/1.1\r\nHost: x\r\n\r\n", /^HTTP\/1\.1 404 /],
      ["GET /in HTTP/1.1\r\nHost: x\r\n\r\n", /^HTTP\/1\.1 400 /],
      [UPGRADE.replace("websocket", "h2c") + "\r\n", /^HTTP\/1\.1 400 /],
      [UPGRADE + "\r\nspeaks before it is asked", /^HTTP\/1\.1 400 /],
      ["GET /in HTTP/1.0\r\n\r\n", /^HTTP\/1\.1 400 /],
      ["GET /in\r\n\r\n", /^HTTP\/1\.1 400 /],
      ["nonsense\r\n\r\n", /^HTTP\/1\.1 400 /],
      ["GET /in HTTP/1.1\r\nno colon\r\n\r\n", /^HTTP\/1\.1 400 /],
      ["GET /in HTTP/1.1\r\n" + "x: y\r\n".repeat(2000), /^HTTP\/1\.1 400 /],
    ];
    for (const [said, expected] of cases) assert.match(await knock(said), expected, said.slice(0, 60));
    assert.deepEqual(letIn, []);
    assert.match(await knock(UPGRADE + "\r\n"), /^HTTP\/1\.1 101 /, "it still opens");
  });
});

Deno.test("websocket door: who says nothing is sent away", async () => {
  await withDoor(async (knock, letIn) => {
    assert.deepEqual(await Promise.all([knock(), knock("GET /in HTTP/1.1\r\n")]), ["", ""]);
    assert.deepEqual(letIn, []);
  });
});
