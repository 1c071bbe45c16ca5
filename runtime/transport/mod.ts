/**
 * Transport: links between nodes, whatever carries them.
 *
 * A `Carrier` (QUIC, WebSocket, memory) brings frames from one address to another, three lanes wide; all pass one
 * conformance suite. The `Mesh` makes of them one proved link to every peer. TLS and proofs are derived from the one
 * cluster secret. Nothing here promises that a frame arrives: the rooms above send again.
 *
 * Reading order: carrier, mesh, handshake, dialling; then the carriers.
 *
 * @module
 */
export { formatAddress, type HostPort, isLoopback, isUnspecified, parseAddress } from "./address.ts";
export {
  type Carrier,
  type CarrierName,
  type Connection,
  DIAL_TIMEOUT_MS,
  type DialHandlers,
  type ListenHandlers,
  type Listening,
} from "./carrier.ts";
export { isRefusal, type RefusalCode, REFUSALS } from "./errors.ts";
export type { Hello, Peer } from "./handshake.ts";
export type { LinkReport } from "./link.ts";
export { type FrameFate, MemoryNetwork, type MemoryNetworkOptions } from "./memory.ts";
export { Mesh } from "./mesh.ts";
export { type DialResult, MESH_LIMITS, type MeshCounts, type MeshLimits, type MeshOptions } from "./mesh_options.ts";
export { type CarrierMode, openCarriers, type OpenCarriersOptions } from "./open_carriers.ts";
export { SECRET_BYTES_MIN } from "./secret.ts";
export { layTcpTripwire, type LayTripwire } from "./tripwires.ts";
