/**
 * A batch of posts, client to node: what one turn of a client brings, in one piece.
 *
 *     u8 kind (POSTS)  u8 epoch  u16 posts  u32 bytes of texts  u8 new media types  u8 flags (1: forget the old ones)  u16 0
 *     u8 units of each new media type
 *     posts x 24 bytes:
 *       u32 request id       u32 If-Match (2^32 - 1: none)   u32 payload bytes
 *       u16 key units        u16 id units                    u16 type units
 *       u16 sender number    u8 flags (1: answer when handled, 2: look for the type inside)   u8 media type, by number
 *     the texts, UTF-8, without a gap: new media types, then each post's key, id, type
 *     the payloads, without a gap
 *
 * All texts of a batch are one text: it is decoded once and cut, so a post costs three slices and one view, no copy and
 * no call of the decoder. Lengths of texts are in UTF-16 units, as that is what is cut. A batch is checked as a whole
 * before its first post is read: one that is malformed posts nothing.
 */
import { badPayload } from "./bytes.ts";
import { WIRE_CONTENT_TYPES_MAX } from "./client_protocol.ts";

/** Where things are; `PostBatchWriter` shares it. */
export const POST_LAYOUT = {
  headBytes: 12,
  postBytes: 24,
  forget: 1,
  handled: 1,
  lookInside: 2,
  noIfMatch: 0xffff_ffff,
} as const;
const { headBytes: HEAD_BYTES, postBytes: POST_BYTES, forget: FORGET, handled: HANDLED } = POST_LAYOUT;
const { lookInside: LOOK_INSIDE, noIfMatch: NO_IF_MATCH } = POST_LAYOUT;
/** UTF-16 units of a media type. */
const CONTENT_TYPE_UNITS_MAX = 200;
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Posts in one batch. */
export const BATCH_POSTS_MAX = 4096;

/** A message on its way out. */
export interface OutgoingPost {
  /** canonical key */
  key: string;
  /** message id */
  id: string;
  /** what happened; null: the node looks inside */
  type: string | null;
  /** media type */
  contentType: string;
  /** a text goes out as UTF-8 */
  payload: string | Uint8Array;
  /** record only if the actor's last seq is this; -1: whatever it is */
  ifMatch: number;
  /** answer when the handlers are through */
  handled: boolean;
  /** posts of one connection to one actor stay in order as long as this is the same */
  sender: number;
  /** given by the connection; comes back with the answer */
  requestId: number;
}

/**
 * Reads batches of one connection, post by post: `open`, then `next` until it is false; in between the fields are those
 * of one post. No object is made but its payload's view.
 */
export class PostBatchReader {
  /** comes back with the answer */
  requestId = 0;
  /** what the client sent; not checked */
  key = "";
  /** message id; `""`: none */
  id = "";
  /** what happened; null: look inside */
  type: string | null = null;
  /** media type */
  contentType = "";
  /** a view of the batch */
  payload: Uint8Array = new Uint8Array(0);
  /** -1: none */
  ifMatch = -1;
  /** answer when the handlers are through */
  handled = false;
  /** the client's number of the stream */
  sender = 0;
  /** of the batch: which refusal for now the client has seen */
  epoch = 0;
  #texts = "";
  #contentTypes: string[] = [];
  #buffer: ArrayBuffer = new ArrayBuffer(0);
  #view = new DataView(this.#buffer);
  #left = 0;
  #at = 0;
  #textAt = 0;
  #payloadAt = 0;

  /**
   * Begins a batch.
   *
   * @returns how many posts it has
   * @throws {WaterparkError} `wire/bad-payload`
   */
  open(buffer: ArrayBuffer): number {
    const size = buffer.byteLength;
    if (size < HEAD_BYTES) throw badPayload("a batch without a head");
    const view = this.#view = new DataView(buffer);
    const posts = view.getUint16(2, true);
    const textBytes = view.getUint32(4, true);
    const news = view.getUint8(8);
    const flags = view.getUint8(9);
    const postsAt = HEAD_BYTES + news;
    const textsAt = postsAt + posts * POST_BYTES;
    if (flags > FORGET || posts > BATCH_POSTS_MAX || textsAt + textBytes > size) throw badPayload("a batch's head");
    let texts: string;
    try {
      texts = DECODER.decode(new Uint8Array(buffer, textsAt, textBytes));
    } catch (cause) {
      throw badPayload("not UTF-8", cause);
    }
    let units = 0;
    for (let i = 0; i < news; i++) units += view.getUint8(HEAD_BYTES + i);
    let payloads = 0;
    for (let at = postsAt; at < textsAt; at += POST_BYTES) {
      payloads += view.getUint32(at + 8, true);
      units += view.getUint16(at + 12, true) + view.getUint16(at + 14, true) + view.getUint16(at + 16, true);
    }
    if (units !== texts.length || textsAt + textBytes + payloads !== size) throw badPayload("a batch's lengths");
    if (flags === FORGET) this.#contentTypes = [];
    if (this.#contentTypes.length + news > WIRE_CONTENT_TYPES_MAX) throw badPayload("too many media types");
    this.#textAt = 0;
    for (let i = 0; i < news; i++) {
      const length = view.getUint8(HEAD_BYTES + i);
      if (length > CONTENT_TYPE_UNITS_MAX) throw badPayload("a long media type");
      this.#contentTypes.push(texts.slice(this.#textAt, this.#textAt += length));
    }
    const known = this.#contentTypes.length;
    for (let at = postsAt; at < textsAt; at += POST_BYTES) {
      if (view.getUint8(at + 21) >= known) throw badPayload("a media type that was not told");
    }
    this.#buffer = buffer;
    this.#texts = texts;
    this.epoch = view.getUint8(1);
    this.#left = posts;
    this.#at = postsAt;
    this.#payloadAt = textsAt + textBytes;
    return posts;
  }

  /** Goes to the next post; false: there is none, and the batch is let go. */
  next(): boolean {
    if (this.#left === 0) {
      this.#buffer = new ArrayBuffer(0);
      this.#texts = "";
      this.payload = new Uint8Array(0);
      return false;
    }
    this.#left--;
    const view = this.#view;
    const at = this.#at;
    const texts = this.#texts;
    this.#at = at + POST_BYTES;
    this.requestId = view.getUint32(at, true);
    const ifMatch = view.getUint32(at + 4, true);
    this.ifMatch = ifMatch === NO_IF_MATCH ? -1 : ifMatch;
    const payloadBytes = view.getUint32(at + 8, true);
    const keyEnd = this.#textAt + view.getUint16(at + 12, true);
    const idEnd = keyEnd + view.getUint16(at + 14, true);
    const typeEnd = idEnd + view.getUint16(at + 16, true);
    const flags = view.getUint8(at + 20);
    this.sender = view.getUint16(at + 18, true);
    this.key = texts.slice(this.#textAt, keyEnd);
    this.id = texts.slice(keyEnd, idEnd);
    this.type = (flags & LOOK_INSIDE) !== 0 ? null : texts.slice(idEnd, typeEnd);
    this.handled = (flags & HANDLED) !== 0;
    this.contentType = this.#contentTypes[view.getUint8(at + 21)];
    this.payload = new Uint8Array(this.#buffer, this.#payloadAt, payloadBytes);
    this.#textAt = typeEnd;
    this.#payloadAt += payloadBytes;
    return true;
  }
}
