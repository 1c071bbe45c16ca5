import { gates, type World } from "../world/mod.ts";
import { parseAddress } from "./address.ts";
import type { Carrier } from "./carrier.ts";
import { QuicCarrier } from "./quic_carrier.ts";
import { clusterKeys } from "./secret.ts";
import { WebSocketCarrier } from "./websocket_carrier.ts";

/** Which carriers a node uses; `auto`: WebSocket, and QUIC where no TCP gets through. */
export type CarrierMode = "auto" | "quic" | "websocket";

/** What {@linkcode openCarriers} needs. */
export interface OpenCarriersOptions {
  /** time and chance */
  world: World;
  /** which */
  mode: CarrierMode;
  /** the cluster's secret, at least 16 bytes; `null`: development, loopback only */
  secret: Uint8Array | null;
  /** `host:port`s under which this node listens and is dialled; their hosts stand in its certificate */
  addresses: string[];
}

/**
 * The carriers with real sockets, in order of preference, with certificates made from the secret.
 *
 * Nothing is listened on yet: in the modes `auto` and `websocket` a mesh listens on a TCP port, in `auto` and `quic` on
 * a UDP port of the same number.
 *
 * @throws {WaterparkError} `transport/weak-secret`, `transport/bad-address`
 */
export async function openCarriers(options: OpenCarriersOptions): Promise<Carrier[]> {
  const { world, mode, secret, addresses } = options;
  const keys = clusterKeys(secret);
  const hosts = addresses.map((address) => parseAddress(address).host);
  // Loaded here and not above: a simulation needs no certificates.
  const { mintClusterTls } = await import("./certificate.ts");
  const tls = await mintClusterTls(keys, { world, hosts });
  const shared = { world, tls, admission: keys.admission, isLoopbackOnly: keys.isDevelopment };
  const carriers: Carrier[] = [];
  if (mode !== "quic") carriers.push(new WebSocketCarrier(shared));
  // Without --unstable-net the platform has no QUIC at all.
  if (mode === "quic" || (mode === "auto" && gates.quic.Endpoint !== undefined)) carriers.push(new QuicCarrier(shared));
  return carriers;
}
