/**
 * What node and I/O process say to each other over the process's stdin and stdout: frames of u32 length (of the rest), u8
 * kind, u32 call, a JSON text for what is small and several, and byte strings for what may be large.
 *
 * @module
 */
// Not through wire's door: it draws MessagePack from npm along, and the process runs without any package of ours.
import { ByteReader, ByteWriter } from "../wire/bytes.ts";
import { WaterparkError } from "../base/mod.ts";
import { HOST_FRAME_BYTES_MAX } from "./host_protocol.ts";
import type { Delivery } from "./io_sdk.ts";

/** Kinds of frames. */
export const IO_FRAME = {
  /** to the process: `[bundle]`; once, before anything else */
  load: 1,
  /** to the process: deliveries, of each its bytes */
  deliver: 2,
  /** to the process: `{method, url, headers}`, `[body]` */
  fetch: 3,
  /** to the process: try the target */
  check: 4,
  /** to the process: run the source */
  run: 5,
  /** to the process: the source is to end */
  stop: 6,
  /** to the process: answer to an `ask` */
  told: 7,
  /** from the process: `{about}` or `{code, text}` */
  loaded: 11,
  /** from the process: answer to a call: `{value}` or `{code, text}`, with the bytes that belong to it */
  answer: 12,
  /** from the process: `{verb, value}`, what the plugin asks of the node */
  ask: 13,
} as const;

/** A frame, read. */
export interface IoFrame {
  kind: number;
  /** number that joins question and answer */
  call: number;
  // deno-lint-ignore no-explicit-any -- what it is stands with each kind; whoever reads it checks
  head: any;
  blobs: Uint8Array[];
}

/** Lays a frame out. @throws {WaterparkError} `plugin_host/too-large` above {@linkcode HOST_FRAME_BYTES_MAX} */
export function encodeIo(kind: number, call: number, head: unknown, blobs: readonly Uint8Array[] = []): Uint8Array {
  const writer = new ByteWriter(1_024);
  writer.u32(0).u8(kind).u32(call).text(JSON.stringify(head) ?? "null").u32(blobs.length);
  for (const blob of blobs) writer.bytes(blob);
  const length = writer.length - 4;
  if (length > HOST_FRAME_BYTES_MAX) {
    const text = `Cannot send ${length} bytes to or from a plugin as a frame has at most ${HOST_FRAME_BYTES_MAX}`;
    throw new WaterparkError(text, { code: "plugin_host/too-large", outcome: "not-applied" });
  }
  return writer.patchU32(0, length).take();
}

/** Reads a frame; its byte strings are copies. @throws {WaterparkError} `wire/bad-payload`; SyntaxError */
export function decodeIo(frame: Uint8Array): IoFrame {
  const reader = new ByteReader(frame);
  const kind = reader.u8();
  const call = reader.u32();
  const head = JSON.parse(reader.text());
  const count = Math.min(reader.u32(), reader.left);
  return { kind, call, head, blobs: Array.from({ length: count }, () => reader.bytes().slice()) };
}

/** Deliveries as a frame has them: their bytes apart. */
export function encodeDeliveries(call: number, deliveries: readonly Delivery[]): Uint8Array {
  const heads = deliveries.map(({ bytes: _bytes, ...head }) => head);
  return encodeIo(IO_FRAME.deliver, call, heads, deliveries.map((delivery) => delivery.bytes));
}

/** What {@linkcode encodeDeliveries} laid out. */
export function deliveriesOf({ head, blobs }: IoFrame): Delivery[] {
  return (head as Omit<Delivery, "bytes">[]).map((one, i) => ({ ...one, bytes: blobs[i] }));
}
