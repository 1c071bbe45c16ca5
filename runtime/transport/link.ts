import { encodeFrame, FRAME, type Frame, FRAME_BYTES_MAX, type Lane } from "../wire/mod.ts";
import type { Connection } from "./carrier.ts";
import type { Hello, Peer } from "./handshake.ts";
import { LANES } from "./stream_connection.ts";

const ALL_LANES = 2 ** LANES - 1;
const EMPTY = new Uint8Array(0);

/** What the mesh tells about one link; for metrics. */
export interface LinkReport {
  /** the peer's name */
  name: string;
  /** the peer's incarnation */
  incarnation: number;
  /** where the peer's mesh listens */
  address: string;
  /** by what the link travels */
  carrier: string;
  /** bytes that wait to be sent */
  queuedBytes: number;
  /** frames read since the link is up */
  framesIn: number;
  /** frames sent */
  framesOut: number;
  /** payload bytes read */
  bytesIn: number;
  /** encoded bytes sent */
  bytesOut: number;
}

/** What stands in the header of every frame of this node. */
export interface FrameStamp {
  /** tag of the own cluster */
  cluster: { hi: number; lo: number };
  /** the own incarnation */
  from: number;
  /** version of the own topology */
  topologyVersion: number;
}

/** A connection whose peer has proved who it is. */
export class Link {
  readonly connection: Connection;
  readonly side: "dial" | "accept";
  readonly peer: Hello;
  /** the peer alone, without what its hello said beside */
  readonly who: Peer;
  /** the dialler's count of its calls */
  readonly call: number;
  /** of the protocol: the highest that both speak */
  readonly version: number;
  framesIn = 0;
  framesOut = 0;
  bytesIn = 0;
  bytesOut = 0;
  lastHeardMs: number;
  /** true once the peer has begun to say goodbye: nothing more is sent */
  isLeaving = false;
  /** Called once when the peer has acknowledged our goodbye on every lane. */
  onParted: (() => void) | null = null;
  #goodbyes = 0;
  #goodbyeAcks = 0;

  constructor(options: {
    connection: Connection;
    side: "dial" | "accept";
    call: number;
    version: number;
    peer: Hello;
    nowMs: number;
  }) {
    this.connection = options.connection;
    this.side = options.side;
    this.peer = options.peer;
    this.who = peerOf(options.peer);
    this.call = options.call;
    this.version = options.version;
    this.lastHeardMs = options.nowMs;
    this.connection.frameBytesMax = FRAME_BYTES_MAX;
  }

  /** Encodes and queues one frame. */
  send(lane: Lane, type: number, payload: Uint8Array, stamp: FrameStamp): void {
    const bytes = encodeFrame({
      type,
      cluster: stamp.cluster,
      from: stamp.from,
      to: this.peer.incarnation,
      topologyVersion: stamp.topologyVersion,
      payload,
    });
    this.framesOut++;
    this.bytesOut += bytes.length;
    this.connection.send(lane, bytes);
  }

  /** Queues a frame without payload on every lane: it follows whatever was sent on each. */
  sendOnAllLanes(type: number, stamp: FrameStamp): void {
    for (let lane = 0; lane < LANES; lane++) this.send(lane as Lane, type, EMPTY, stamp);
  }

  /** Counts a frame that came in. */
  heard(frame: Frame, nowMs: number): void {
    this.framesIn++;
    this.bytesIn += frame.payload.length;
    this.lastHeardMs = nowMs;
  }

  /**
   * Takes part in the goodbye: whoever leaves says so on each lane, the other answers when it has read all lanes to
   * their end. True when, with this frame, the peer's goodbye is whole.
   */
  part(type: number, lane: Lane): boolean {
    if (type === FRAME.GOODBYE) {
      const before = this.#goodbyes;
      this.#goodbyes |= 1 << lane;
      return this.#goodbyes === ALL_LANES && before !== ALL_LANES;
    }
    this.#goodbyeAcks |= 1 << lane;
    if (this.#goodbyeAcks === ALL_LANES) {
      this.onParted?.();
      this.onParted = null;
    }
    return false;
  }

  /** The link in numbers. */
  report(): LinkReport {
    const { name, incarnation, address } = this.peer;
    const { framesIn, framesOut, bytesIn, bytesOut } = this;
    const queuedBytes = this.connection.queuedBytes();
    const carrier = this.connection.carrier;
    return { name, incarnation, address, carrier, queuedBytes, framesIn, framesOut, bytesIn, bytesOut };
  }
}

/** The peer alone, without what its hello said beside. */
export function peerOf({ name, incarnation, address }: Peer): Peer {
  return { name, incarnation, address };
}

/**
 * Whether of two links to one peer the newer is kept. Both ends must come to the same answer, in whatever order the two
 * came up there: the one dialled by the lower incarnation stays. If one side has dialled both, its later call stays: it
 * has called again since it knows the earlier one to be gone.
 */
export function isNewerKept(selfIncarnation: number, older: Link, newer: Link): boolean {
  if (older.side === newer.side) return newer.call > older.call;
  const lowerIsSelf = selfIncarnation < newer.peer.incarnation;
  return (newer.side === "dial") === lowerIsSelf;
}
