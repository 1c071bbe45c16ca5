/**
 * Frames: the envelope around everything that one node says to another.
 *
 * An image: a postcard with sender, addressee and the edition of the map that the sender had. Whoever gets a postcard
 * for somebody who lived here before throws it away, and so a restarted node can never speak for its earlier self.
 *
 *     u32 length of the rest | u8 layout | u8 type | u16 zero | u32 topology version
 *     | u32 cluster, upper half | u32 cluster, lower half | f64 from | f64 to | payload
 *
 * All little-endian. A frame costs 36 bytes, one allocation and one copy to write, none to read where it lies whole in
 * one chunk: the payload is then a view that keeps the chunk alive, so whoever stores a payload copies it.
 */
import { type Digest64, digest64, WaterparkError } from "../base/mod.ts";
import { borrow } from "./slab.ts";

/** The version of the layout above, whatever is in the payload; a node closes a connection on which it reads another. */
export const FRAME_LAYOUT = 1;
/** Bytes of a frame before its payload. */
export const FRAME_HEADER_BYTES = 36;
/** Bytes that an encoded frame leaves free in front of itself, for what a carrier puts around it. */
export const FRAME_ROOM_BYTES = 16;
/** The largest frame, header included: larger things are split by their room. */
export const FRAME_BYTES_MAX = 16 * 1024 * 1024;

const LENGTH_BYTES = 4;
const INCARNATION_MAX = 2 ** 52;
/** One header is laid out, or read, at a time. */
const HEADER = new Uint8Array(FRAME_HEADER_BYTES);
const HEADER_VIEW = new DataView(HEADER.buffer);
/** What a frame that comes in parts gets at first; it grows by doubling, so a claimed length alone costs nothing. */
const JOIN_BYTES_AT_FIRST = 64 * 1024;

/** One thing said by one node to another. */
export interface Frame {
  /** one of `FRAME`; 0 to 255 */
  type: number;
  /** {@linkcode clusterTag} of the sender's cluster; both halves 0 while it has none */
  cluster: Digest64;
  /** the sender's incarnation */
  from: number;
  /** the addressee's incarnation; 0 while the sender does not know it */
  to: number;
  /** version of the topology that the sender stands at; u32 */
  topologyVersion: number;
  /** what is said; when read, a view that is valid for as long as it is held */
  payload: Uint8Array;
}

/** What stands for a cluster id in frames; `null` (none yet) is 0, 0. */
export function clusterTag(clusterId: string | null): Digest64 {
  return clusterId === null ? { hi: 0, lo: 0 } : digest64(new TextEncoder().encode(clusterId));
}

/**
 * A frame's bytes. Small frames share a buffer with others; in front of each, {@linkcode FRAME_ROOM_BYTES} are nobody's.
 *
 * @throws {WaterparkError} `wire/frame-too-large` when header and payload pass {@linkcode FRAME_BYTES_MAX}
 */
export function encodeFrame(frame: Frame): Uint8Array<ArrayBuffer> {
  const { payload } = frame;
  const length = FRAME_HEADER_BYTES + payload.length;
  if (length > FRAME_BYTES_MAX) throw tooLarge(length, FRAME_BYTES_MAX);
  HEADER_VIEW.setUint32(0, length - LENGTH_BYTES, true);
  HEADER[4] = FRAME_LAYOUT;
  HEADER[5] = frame.type;
  HEADER_VIEW.setUint32(8, frame.topologyVersion, true);
  HEADER_VIEW.setUint32(12, frame.cluster.hi, true);
  HEADER_VIEW.setUint32(16, frame.cluster.lo, true);
  HEADER_VIEW.setFloat64(20, frame.from, true);
  HEADER_VIEW.setFloat64(28, frame.to, true);
  const bytes = borrow(FRAME_ROOM_BYTES + length).subarray(FRAME_ROOM_BYTES);
  bytes.set(HEADER);
  bytes.set(payload, FRAME_HEADER_BYTES);
  return bytes;
}

/**
 * The frame that is all of `bytes`, for carriers that keep frames apart.
 *
 * @throws {WaterparkError} as {@linkcode FrameReader.push}
 */
export function decodeFrame(bytes: Uint8Array, frameBytesMax: number = FRAME_BYTES_MAX): Frame {
  if (bytes.length < LENGTH_BYTES) throw badFrame(`${bytes.length} bytes`);
  const length = lengthAt(bytes, 0, frameBytesMax);
  if (length !== bytes.length) throw badFrame(`${bytes.length} bytes of ${length}`);
  return frameAt(bytes, 0, length);
}

/**
 * Finds the frames in a stream of bytes, however it was cut into chunks. One reader reads one lane of one connection;
 * after it has thrown it throws for ever, since nobody can say where the next frame would begin.
 *
 * @example
 * ```ts
 * import { encodeFrame, FrameReader } from "./frame.ts";
 * const bytes = encodeFrame({
 *   type: 10, cluster: { hi: 1, lo: 2 }, from: 3, to: 4, topologyVersion: 5, payload: new Uint8Array([6]),
 * });
 * const reader = new FrameReader();
 * const early = reader.push(bytes.subarray(0, 7));
 * const [frame] = reader.push(bytes.subarray(7));
 * if (early.length !== 0 || frame.from !== 3) throw new Error("unreachable");
 * ```
 */
export class FrameReader {
  /** The largest frame that is read, header included; small until the peer has proved who it is. */
  frameBytesMax: number;
  /** The first `#held` bytes of a frame that is not whole yet. */
  #joint: Uint8Array = new Uint8Array(LENGTH_BYTES);
  #held = 0;
  #broken: WaterparkError | null = null;

  /** A reader at the beginning of a stream; `frameBytesMax` defaults to {@linkcode FRAME_BYTES_MAX}. */
  constructor(options: { frameBytesMax?: number } = {}) {
    this.frameBytesMax = options.frameBytesMax ?? FRAME_BYTES_MAX;
  }

  /** Bytes of a frame that is not whole yet. */
  get heldBytes(): number {
    return this.#held;
  }

  /**
   * The frames that `chunk` completes, in order. The chunk must not be written to afterwards.
   *
   * @throws {WaterparkError} `wire/frame-too-large`, `wire/bad-frame`; frames before the bad one are lost too
   */
  push(chunk: Uint8Array): Frame[] {
    if (this.#broken !== null) throw this.#broken;
    try {
      return this.#read(chunk);
    } catch (error) {
      this.#broken = error as WaterparkError;
      this.#joint = new Uint8Array(0);
      this.#held = 0;
      throw error;
    }
  }

  #read(chunk: Uint8Array): Frame[] {
    const frames: Frame[] = [];
    let at = 0;
    if (this.#held > 0) {
      at = this.#join(chunk, 0, LENGTH_BYTES);
      if (this.#held < LENGTH_BYTES) return frames;
      const length = lengthAt(this.#joint, 0, this.frameBytesMax);
      at = this.#join(chunk, at, length);
      if (this.#held < length) return frames;
      frames.push(frameAt(this.#joint, 0, length));
      this.#joint = new Uint8Array(LENGTH_BYTES);
      this.#held = 0;
    }
    while (chunk.length - at >= LENGTH_BYTES) {
      const length = lengthAt(chunk, at, this.frameBytesMax);
      if (chunk.length - at < length) break;
      frames.push(frameAt(chunk, at, length));
      at += length;
    }
    if (at < chunk.length) {
      const left = chunk.length - at;
      this.#join(chunk, at, left < LENGTH_BYTES ? LENGTH_BYTES : lengthAt(chunk, at, this.frameBytesMax));
    }
    return frames;
  }

  /** Moves bytes of `chunk` to the joint until it holds `wanted`; the answer is where the rest of the chunk begins. */
  #join(chunk: Uint8Array, at: number, wanted: number): number {
    const take = Math.min(wanted - this.#held, chunk.length - at);
    if (take <= 0) return at;
    const held = this.#held + take;
    if (held > this.#joint.length) {
      const larger = new Uint8Array(Math.min(wanted, Math.max(held, 2 * this.#joint.length, JOIN_BYTES_AT_FIRST)));
      larger.set(this.#joint.subarray(0, this.#held));
      this.#joint = larger;
    }
    this.#joint.set(chunk.subarray(at, at + take), this.#held);
    this.#held = held;
    return at + take;
  }
}

function lengthAt(bytes: Uint8Array, at: number, frameBytesMax: number): number {
  const rest = (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
  const length = rest + LENGTH_BYTES;
  if (length > frameBytesMax) throw tooLarge(length, frameBytesMax);
  if (length < FRAME_HEADER_BYTES) throw badFrame(`${length} bytes`);
  return length;
}

function frameAt(bytes: Uint8Array, at: number, length: number): Frame {
  for (let i = 0; i < FRAME_HEADER_BYTES; i++) HEADER[i] = bytes[at + i];
  const layout = HEADER[4];
  if (layout !== FRAME_LAYOUT) throw badFrame(`layout ${layout}`);
  return {
    type: HEADER[5],
    topologyVersion: HEADER_VIEW.getUint32(8, true),
    cluster: { hi: HEADER_VIEW.getUint32(12, true), lo: HEADER_VIEW.getUint32(16, true) },
    from: incarnationAt(HEADER_VIEW, 20),
    to: incarnationAt(HEADER_VIEW, 28),
    payload: bytes.subarray(at + FRAME_HEADER_BYTES, at + length),
  };
}

function incarnationAt(view: DataView, at: number): number {
  const value = view.getFloat64(at, true);
  if (!Number.isInteger(value) || value < 0 || value > INCARNATION_MAX) throw badFrame("not an incarnation");
  return value;
}

function badFrame(state: string): WaterparkError {
  return new WaterparkError(`Cannot read the frame as it must be of layout ${FRAME_LAYOUT} and whole: ${state}`, {
    code: "wire/bad-frame",
    outcome: "not-applied",
  });
}

function tooLarge(bytes: number, bytesMax: number): WaterparkError {
  return new WaterparkError(`Cannot take the frame as at most ${bytesMax} bytes are allowed: ${bytes} bytes`, {
    code: "wire/frame-too-large",
    outcome: "not-applied",
  });
}
