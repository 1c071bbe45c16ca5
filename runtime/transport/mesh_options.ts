import type { WaterparkError } from "../base/mod.ts";
import type { ProtocolRange } from "../wire/mod.ts";
import type { World } from "../world/mod.ts";
import type { Carrier } from "./carrier.ts";
import type { Hello, Peer } from "./handshake.ts";
import type { LayTripwire } from "./tripwires.ts";

/** Bounds of a {@linkcode Mesh}; each has a default. */
export interface MeshLimits {
  /** Bytes queued to one peer, default 64 MiB; messages may fill 0.9 of it, bulk half, the rest is for control. */
  queueBytesMax: number;
  /** Connections that have not proved themselves, default 256; more are turned away. */
  strangersMax: number;
  /** A link on which nothing came in for so long is closed, in ms; default 10 000; `Infinity` where nobody pings. */
  silentMs: number;
  /** How long to wait for the answers to a goodbye, in ms; default 1000. */
  goodbyeMs: number;
}

/** What a {@linkcode Mesh} needs. */
export interface MeshOptions {
  /** time and chance */
  world: World;
  /** this node */
  self: Peer;
  /** the cluster's id; `null` until this node has joined */
  clusterId: () => string | null;
  /** the cluster's secret; `null` only for development on loopback */
  secret: Uint8Array | null;
  /** in order of preference */
  carriers: Carrier[];
  /** what stands in each frame's header */
  topologyVersion: () => number;
  /**
   * A frame for a room above; the payload may be kept, but for that of a `FRAME.RAFT`. A `WaterparkError` closes the link.
   */
  onFrame: (from: Peer, type: number, payload: Uint8Array, topologyVersion: number) => void;
  /** a link has come up or gone; once for each change */
  onPeer: (peer: Peer, isUp: boolean) => void;
  /** how a tripwire is laid beside a QUIC link; left out: none is, and a dead peer is only silent */
  layTripwire?: LayTripwire;
  /** the tripwire to a linked peer has closed: its process may have ended */
  onTripped?: (peer: Peer) => void;
  /** somebody was refused, or has refused us: to be shown */
  onRefused?: (error: WaterparkError) => void;
  /** versions of the protocol that it speaks; default those of `wire` */
  protocol?: ProtocolRange;
  /** bounds */
  limits?: Partial<MeshLimits>;
}

/** Frames that were thrown away, by reason; for metrics. */
export interface MeshCounts {
  /** of another cluster */
  wrongCluster: number;
  /** not from whom the link is to */
  wrongFrom: number;
  /** for another incarnation, an earlier life of this node perhaps */
  wrongTo: number;
  /** that a room could not read */
  unreadable: number;
  /** not sent as the queue was full */
  queueFull: number;
  /** strangers turned away */
  refused: number;
}

/** What {@linkcode Mesh.dialOnce} ends in. */
export type DialResult = { peer: Hello } | { error: WaterparkError };

/** The defaults of {@linkcode MeshLimits}. */
export const MESH_LIMITS: MeshLimits = {
  queueBytesMax: 64 * 1024 * 1024,
  strangersMax: 256,
  silentMs: 10_000,
  goodbyeMs: 1_000,
};
