/**
 * What a client and a node say to each other over `GET /v1/wire`: the words, their numbers, and the small messages. The
 * two that carry the load are laid out in `post_batch.ts` and `answer_batch.ts`.
 *
 * One binary WebSocket message is one of ours; its first byte says which. All numbers are little-endian. Whatever a side
 * cannot read ends the connection with a code of {@linkcode WIRE_CLOSE}; what was under way is then sent again under the
 * same ids, elsewhere.
 */
import { ByteReader, ByteWriter } from "./bytes.ts";

/** What a client offers as WebSocket subprotocol, and a node picks. Another layout gets another number. */
export const WIRE_PROTOCOL = "waterpark.1";

/** First bytes. */
export const WIRE = {
  /** client to node: messages to be recorded */
  POSTS: 1,
  /** client to node: are you there? Answered by the same at once */
  BEAT: 2,
  /** node to client, before all else: {@linkcode WireHello} */
  HELLO: 16,
  /** node to client: {@linkcode WireName}s, before an answer uses them */
  NAMES: 17,
  /** node to client: how posts ended */
  ANSWERS: 18,
  /** node to client: post nothing more here; what is under way is still answered */
  GOODBYE: 19,
} as const;

/** Why a connection was closed: WebSocket close codes. */
export const WIRE_CLOSE = {
  /** the node goes down, or the client is done */
  GONE: 1001,
  /** bytes that are no message of this protocol */
  BAD_MESSAGE: 4400,
  /** more under way than the node's hello allows */
  WINDOW: 4408,
  /** a peer that was silent for too long */
  SILENT: 4410,
  /** the node met a defect of its own */
  BUG: 4500,
} as const;

/** Media types that a connection knows by number at a time. */
export const WIRE_CONTENT_TYPES_MAX = 255;
/** Node names that a connection knows by number. */
export const WIRE_NAMES_MAX = 65_535;

/** A node's first words. */
export interface WireHello {
  /** the node's name */
  node: string;
  /** posts without an answer that a client may have on this connection */
  windowMessages: number;
  /** the same in bytes of payloads */
  windowBytes: number;
  /** bytes of one WebSocket message */
  batchBytesMax: number;
  /** bytes of one payload */
  messageBytesMax: number;
}

/** A node, as answers call it by number. Numbers are given from 0 on, in the order told. */
export interface WireName {
  /** `TN-B-2` */
  name: string;
  /** where its gateway listens, `""` where it has none or this is not known */
  http: string;
}

/** The bytes of a hello. */
export function encodeHello(hello: WireHello): Uint8Array<ArrayBuffer> {
  return new ByteWriter(128).u8(WIRE.HELLO).text(hello.node).u32(hello.windowMessages).u32(hello.windowBytes)
    .u32(hello.batchBytesMax).u32(hello.messageBytesMax).take();
}

/** @throws {WaterparkError} `wire/bad-payload` */
export function decodeHello(bytes: Uint8Array): WireHello {
  const reader = new ByteReader(bytes, 1);
  return {
    node: reader.text(),
    windowMessages: reader.u32(),
    windowBytes: reader.u32(),
    batchBytesMax: reader.u32(),
    messageBytesMax: reader.u32(),
  };
}

/** The bytes of a message that names nodes. */
export function encodeNames(names: readonly WireName[]): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(256).u8(WIRE.NAMES).u16(names.length);
  for (const { name, http } of names) writer.text(name).text(http);
  return writer.take();
}

/** @throws {WaterparkError} `wire/bad-payload` */
export function decodeNames(bytes: Uint8Array): WireName[] {
  const reader = new ByteReader(bytes, 1);
  const names: WireName[] = [];
  for (let count = reader.u16(); count > 0; count--) names.push({ name: reader.text(), http: reader.text() });
  return names;
}
