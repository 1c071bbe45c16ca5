/**
 * The operating system's doors. No decisions here: a gate only renames. What a node can do to the outside is this list.
 *
 * @module
 */

import { request as unverifiedRequest } from "node:https";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { createServer, type TLSSocket } from "node:tls";

/** QUIC: see the platform notes in ARCHITECTURE.md for what its close and its timeouts really do. */
export const quic = { Endpoint: Deno.QuicEndpoint, connect: Deno.connectQuic };

/** One QUIC connection. */
export type QuicConn = Deno.QuicConn;
/** One QUIC endpoint: a UDP port. */
export type QuicEndpoint = Deno.QuicEndpoint;
/** What hands out incoming QUIC connections. */
export type QuicListener = Deno.QuicListener;
/** One two-way QUIC stream. */
export type QuicStream = Deno.QuicBidirectionalStream;

/** TCP and TLS. */
export const tcp = {
  listen: Deno.listen,
  connect: Deno.connect,
  startTls: Deno.startTls,
};

/** TLS that can ask a client for its certificate, and change its own while it listens, which Deno's listener cannot. */
export const nodeTls = { createServer, X509Certificate, createPrivateKey };

/** One connection of it. */
export type TlsSocket = TLSSocket;

/** One TLS connection. */
export type TlsConn = Deno.TlsConn;

/** One TCP connection. */
export type TcpConn = Deno.TcpConn;

/** HTTP and WebSocket. */
export const http = {
  serve: Deno.serve,
  upgradeWebSocket: Deno.upgradeWebSocket,
  fetch: globalThis.fetch,
  /** a request that need not verify its peer (`rejectUnauthorized: false`), for words that prove nothing */
  unverifiedRequest,
};

/** Child processes. */
export const process = {
  Command: Deno.Command,
  execPath: Deno.execPath,
  pid: Deno.pid,
  exit: Deno.exit,
  environment: Deno.env,
  cores: (): number => navigator.hardwareConcurrency,
};

/** The own standard input and output, as bytes: how a child talks to who started it. */
export const stdio = { stdin: Deno.stdin, stdout: Deno.stdout };

/** Files. */
export const files = {
  readFile: Deno.readFile,
  readFileSync: Deno.readFileSync,
  readTextFile: Deno.readTextFile,
  writeFile: Deno.writeFile,
  mkdir: Deno.mkdir,
  makeTempDir: Deno.makeTempDir,
  open: Deno.open,
  readDir: Deno.readDir,
  remove: Deno.remove,
  SeekMode: Deno.SeekMode,
};

/** An open file. */
export type File = Deno.FsFile;

/** Keys, certificates, HKDF. */
export const webCrypto: Crypto = globalThis.crypto;
