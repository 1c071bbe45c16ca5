import type { World } from "../world/mod.ts";
import { isLoopback } from "./address.ts";
import { transportError } from "./errors.ts";
import type { ClusterTls } from "./secret.ts";

/** What the carriers with real sockets need. */
export interface SocketCarrierOptions {
  /** time */
  world: World;
  /** certificates of the cluster */
  tls: ClusterTls;
  /** Lets diallers in at the WebSocket door. */
  admission: string;
  /** true: there is no secret, so only loopback may be listened on */
  isLoopbackOnly: boolean;
}

/** Without a secret a node is open to everyone who reaches it, so nobody else may reach it. */
export function checkListenHost(host: string, isLoopbackOnly: boolean): void {
  if (!isLoopbackOnly || isLoopback(host)) return;
  throw transportError(
    "secret-needed",
    `Cannot listen at "${host}" as without a cluster secret only loopback is allowed: no secret is set`,
  );
}

/** The error of a port that could not be had. */
export function listenError(address: string, cause: unknown): Error {
  const text = cause instanceof Error ? cause.message : String(cause);
  // QUIC's error for a port in use carries no class of its own, hence the text.
  const code = /AddrInUse|in use|os error 98\b/i.test(`${cause instanceof Error ? cause.name : ""} ${text}`)
    ? "address-in-use"
    : "bad-address";
  return transportError(code, `Cannot listen at "${address}" as the port must be free and here: ${text}`, cause);
}
