/**
 * A carrier brings frames from one address to another. Three implement this interface (QUIC, WebSocket, memory) and
 * pass one conformance suite; nothing above can tell them apart.
 *
 * What every carrier promises: frames of one lane of one connection arrive in order, each once, whole, or the
 * connection closes. What none promises: that a frame given to `send` arrives. Only an answer proves that; a close can
 * lose what was queued (QUIC drops it, measured), which is why the mesh says goodbye before it closes.
 */
import type { WaterparkError } from "../base/mod.ts";
import type { Frame, Lane } from "../wire/mod.ts";

/** How bytes travel. */
export type CarrierName = "quic" | "websocket" | "memory";

/** Largest frame that is read before the peer has proved who it is: bounds what strangers can make a node hold. */
export const HELLO_FRAME_BYTES_MAX = 16 * 1024;

/** One connection between two nodes, three lanes wide. */
export interface Connection {
  /** by what it travels */
  readonly carrier: CarrierName;
  /** the address dialled, or where the dialler came from */
  readonly remote: string;
  /** Largest frame that is read; {@linkcode HELLO_FRAME_BYTES_MAX} until the owner raises it. */
  frameBytesMax: number;
  /**
   * Queues one whole frame that `encodeFrame` made, and that nobody else has: its memory, and its room in front, belong to
   * the connection now. Does nothing once closed.
   */
  send(lane: Lane, bytes: Uint8Array): void;
  /** Bytes queued here and not yet taken by the system. */
  queuedBytes(): number;
  /** Bytes of this lane among them, and those that the system is taking just now. */
  waitingBytes(lane: Lane): number;
  /**
   * Called for each frame; set it within `onConnection` or `onOpen`. The payload may be kept, but for that of a
   * `FRAME.RAFT`: its memory may be used again once this has returned.
   */
  onFrame: ((lane: Lane, frame: Frame) => void) | null;
  /** Called once when the connection has ended, whoever ended it, and never within {@linkcode close}. */
  onClose: ((reason: string) => void) | null;
  /** Ends the connection at once; what is queued may be lost. */
  close(reason: string): void;
}

/** Where a carrier listens. */
export interface Listening {
  /** `host:port` with the port that was really given */
  readonly address: string;
  /** Stops listening and closes every connection that came in here. */
  close(): Promise<void>;
}

/** What a listener is told. */
export interface ListenHandlers {
  /** a connection is open; nothing is known about who made it */
  onConnection(connection: Connection): void;
  /** somebody was turned away before there was a connection; a code of `errors.ts` */
  onRefused(error: WaterparkError): void;
}

/** What a dialler is told: exactly one of the two, once, never within `dial`. */
export interface DialHandlers {
  /** the connection is open */
  onOpen(connection: Connection): void;
  /** it could not be made; `transport/unreachable`, `transport/wrong-secret` */
  onFail(error: WaterparkError): void;
}

/** One way to carry frames. */
export interface Carrier {
  /** its name */
  readonly name: CarrierName;
  /**
   * Listens at `host:port`; port 0 takes any.
   *
   * @throws {WaterparkError} `transport/address-in-use`, `transport/bad-address`, `transport/secret-needed`
   */
  listen(address: string, handlers: ListenHandlers): Promise<Listening>;
  /** As {@linkcode listen} but at once; only where no system is asked, so that a simulation needs no await. */
  listenSync?(address: string, handlers: ListenHandlers): Listening;
  /** Dials `host:port`; fails within {@linkcode DIAL_TIMEOUT_MS}. */
  dial(address: string, handlers: DialHandlers): void;
  /** Gives up what dialling holds, after every listener is closed. */
  close(): void;
}

/** A dial that has not succeeded after this has failed: QUIC by itself would try for 30 s (measured). */
export const DIAL_TIMEOUT_MS = 2_000;
