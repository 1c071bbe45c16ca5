/**
 * The operating system's doors. No decisions here: a gate only renames. What a node can do to the outside is this list.
 *
 * @module
 */

/** QUIC: see the platform notes in ARCHITECTURE.md for what its close and its timeouts really do. */
export const quic = { Endpoint: Deno.QuicEndpoint, connect: Deno.connectQuic };

/** TCP and TLS. */
export const tcp = {
  listen: Deno.listen,
  listenTls: Deno.listenTls,
  connect: Deno.connect,
  connectTls: Deno.connectTls,
};

/** HTTP and WebSocket. */
export const http = {
  serve: Deno.serve,
  upgradeWebSocket: Deno.upgradeWebSocket,
  createClient: Deno.createHttpClient,
  WebSocket: globalThis.WebSocket,
};

/** Child processes. */
export const process = { Command: Deno.Command, execPath: Deno.execPath, pid: Deno.pid };

/** Files. */
export const files = {
  readFile: Deno.readFile,
  readTextFile: Deno.readTextFile,
  writeFile: Deno.writeFile,
  mkdir: Deno.mkdir,
};

/** Keys, certificates, HKDF. */
export const webCrypto = globalThis.crypto;
