import { WaterparkError } from "../base/mod.ts";
import { gates } from "../world/mod.ts";
import type { MllpConnection, MllpDoor } from "./mllp_listener.ts";

/** As whom a listener speaks TLS, and with whom; all of it PEM. */
export interface TlsIdentity {
  /** its certificate, and those of the authorities between it and the root */
  cert: string;
  /** the certificate's private key */
  key: string;
  /** authorities: only those are let in who show a certificate that one of them has signed */
  clientCa?: string;
}

/** Where to listen, and as whom. */
export interface TlsDoorOptions {
  hostname: string;
  port: number;
  tls: TlsIdentity;
  /** told of each handshake that failed */
  onStranger(): void;
}

/** Connections that wait to be taken; more are closed. */
const WAITING_MAX = 64;
/** Read and not yet taken, bytes: beyond, the socket is paused. */
const HELD_BYTES_MAX = 256 * 1024;

/** A door whose identity can be changed while it is open. */
export interface TlsDoor extends MllpDoor {
  /**
   * Whoever connects from now on meets another certificate; who is connected goes on. Whether clients are asked for theirs
   * stays as it was at first.
   *
   * @throws {WaterparkError} `gateway/bad-mllp-settings`: it stays as it was
   */
  renew(tls: TlsIdentity): void;
}

/**
 * Listens over TLS. Deno's own listener asks no client for its certificate and keeps its own for ever, so this is Node's,
 * turned from events into reads.
 *
 * @throws {WaterparkError} `gateway/bad-mllp-settings` when certificate and key cannot be read, or do not belong together
 * @throws {Error} what the operating system says when the address cannot be had
 */
export async function listenOverTls({ hostname, port, tls, onStranger }: TlsDoorOptions): Promise<TlsDoor> {
  const isMutual = tls.clientCa !== undefined;
  const waiting: MllpConnection[] = [];
  const wanting: { resolve(connection: MllpConnection): void; reject(error: Error): void }[] = [];
  let isClosed = false;
  const server = gates.nodeTls.createServer({
    ...contextOf(tls),
    ...isMutual ? { requestCert: true, rejectUnauthorized: true } : {},
  });
  server.on("secureConnection", (socket: gates.TlsSocket) => {
    if (isClosed || waiting.length >= WAITING_MAX) return void socket.destroy();
    const connection = new SocketReader(socket);
    const next = wanting.shift();
    if (next === undefined) waiting.push(connection);
    else next.resolve(connection);
  });
  server.on("tlsClientError", onStranger);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, hostname, resolve);
  });
  server.on("error", (error: Error) => wanting.shift()?.reject(error));
  const address = server.address() as { address: string; port: number };
  return {
    addr: { hostname: address.address, port: address.port },
    renew(tls) {
      if ((tls.clientCa !== undefined) !== isMutual) throw badIdentity("authorities cannot be added or left out");
      server.setSecureContext(contextOf(tls));
    },
    accept() {
      const connection = waiting.shift();
      if (connection !== undefined) return Promise.resolve(connection);
      return new Promise((resolve, reject) => wanting.push({ resolve, reject }));
    },
    close() {
      isClosed = true;
      server.close();
      for (const connection of waiting.splice(0)) connection.close();
      for (const { reject } of wanting.splice(0)) reject(new Error("closed"));
    },
  };
}

/** What Node takes; it would notice a pair that does not fit at the first handshake only. */
function contextOf({ cert, key, clientCa }: TlsIdentity): { cert: string; key: string; ca?: string[] } {
  const { X509Certificate, createPrivateKey } = gates.nodeTls;
  let fits: boolean;
  try {
    if (clientCa !== undefined) new X509Certificate(clientCa);
    fits = new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch {
    // what the parser says may quote a key
    throw badIdentity("one of them cannot be read");
  }
  if (!fits) throw badIdentity("the key is another certificate's");
  return { cert, key, ...clientCa === undefined ? {} : { ca: [clientCa] } };
}

function badIdentity(state: string): WaterparkError {
  return new WaterparkError(`Cannot use the certificate as it must be PEM, with its key: ${state}`, {
    code: "gateway/bad-mllp-settings",
    outcome: "not-applied",
  });
}

/** A socket of Node's that is read when somebody wants to. */
class SocketReader implements MllpConnection {
  readonly #socket: gates.TlsSocket;
  readonly #held: Uint8Array[] = [];
  #heldBytes = 0;
  #isOver = false;
  #error: Error | null = null;
  #woken: () => void = () => {};

  constructor(socket: gates.TlsSocket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (bytes: Uint8Array) => {
      this.#held.push(bytes);
      this.#heldBytes += bytes.length;
      if (this.#heldBytes > HELD_BYTES_MAX) socket.pause();
      this.#woken();
    });
    socket.on("error", (error: Error) => {
      this.#error = error;
      this.#woken();
    });
    for (const event of ["end", "close"]) {
      socket.on(event, () => {
        this.#isOver = true;
        this.#woken();
      });
    }
  }

  async read(into: Uint8Array): Promise<number | null> {
    while (this.#held.length === 0) {
      if (this.#error !== null) throw this.#error;
      if (this.#isOver) return null;
      await new Promise<void>((resolve) => this.#woken = resolve);
    }
    const [bytes] = this.#held;
    const taken = bytes.subarray(0, into.length);
    into.set(taken);
    if (taken.length < bytes.length) this.#held[0] = bytes.subarray(taken.length);
    else this.#held.shift();
    const wasFull = this.#heldBytes > HELD_BYTES_MAX;
    this.#heldBytes -= taken.length;
    if (wasFull && this.#heldBytes <= HELD_BYTES_MAX) this.#socket.resume();
    return taken.length;
  }

  write(bytes: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      if (this.#error !== null || this.#socket.destroyed) return reject(this.#error ?? new Error("closed"));
      this.#socket.write(bytes, (error?: Error | null) => error ? reject(error) : resolve(bytes.length));
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}
