import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { badPayload, ByteReader, type ByteWriter, FRAME_BYTES_MAX } from "../wire/mod.ts";

/**
 * The shape that deliver and answer frames share: u8 form, then the body: f64 frame number, u32 count, items.
 * Form 0 is plain; form 1 has u32 body length and the body as zstd.
 */
const PLAIN = 0;
const ZSTD = 1;
/** form, frame number */
const COUNT_AT = 9;

const COMPRESSION = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** Begins a frame; its items are then written behind. */
export function beginBundle(writer: ByteWriter, frameNumber: number): void {
  writer.u8(PLAIN).f64(frameNumber).u32(0);
}

/** Ends a frame of `count` items. */
export function endBundle(writer: ByteWriter, count: number): Uint8Array {
  return writer.patchU32(COUNT_AT, count).take();
}

/** The same frame, compressed if it is worth it: pays between data centers only, where bytes cost more than time. */
export function compressBundle(frame: Uint8Array): Uint8Array {
  const body = frame.subarray(1);
  const packed = zstdCompressSync(body, COMPRESSION);
  if (packed.length + 5 > body.length * 0.9) return frame;
  const out = new Uint8Array(packed.length + 5);
  out[0] = ZSTD;
  new DataView(out.buffer).setUint32(1, body.length, true);
  out.set(packed, 5);
  return out;
}

/**
 * Opens a frame: its number, its count, and a reader that stands at the first item.
 *
 * @throws {WaterparkError} `wire/bad-payload` for anything that is not such a frame, or would be larger than a frame may
 *   be once it is unpacked
 */
export function openBundle(frame: Uint8Array): { frameNumber: number; count: number; reader: ByteReader } {
  const head = new ByteReader(frame);
  const form = head.u8();
  let reader = head;
  if (form === ZSTD) reader = new ByteReader(decompress(head.raw(head.left)));
  else if (form !== PLAIN) throw badPayload(`bundle form ${form}`);
  const frameNumber = reader.f64();
  const count = reader.u32();
  if (!Number.isSafeInteger(frameNumber) || frameNumber < 0) throw badPayload("frame number");
  // an item has at least its request id and one more byte
  if (count * 5 > reader.left) throw badPayload(`${count} items in ${reader.left} bytes`);
  return { frameNumber, count, reader };
}

function decompress(bytes: Uint8Array): Uint8Array {
  const reader = new ByteReader(bytes);
  const length = reader.u32();
  if (length > FRAME_BYTES_MAX) throw badPayload(`${length} bytes when unpacked`);
  let body: Uint8Array;
  try {
    const buffer = zstdDecompressSync(reader.raw(reader.left), { maxOutputLength: Math.max(1, length) });
    // Not a Buffer: its slice() would be a view where everybody else's is a copy.
    body = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
  } catch (cause) {
    throw badPayload("not zstd, or larger than it says", cause);
  }
  // A cut-off zstd frame is no error for the decoder; its length is.
  if (body.length !== length) throw badPayload(`${body.length} bytes unpacked of ${length}`);
  return body;
}
