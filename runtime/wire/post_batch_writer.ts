/**
 * The client's side of `post_batch.ts`, where the layout stands.
 */
import { WIRE, WIRE_CONTENT_TYPES_MAX } from "./client_protocol.ts";
import { type OutgoingPost, POST_LAYOUT } from "./post_batch.ts";

const { headBytes: HEAD_BYTES, postBytes: POST_BYTES, forget: FORGET, handled: HANDLED } = POST_LAYOUT;
const { lookInside: LOOK_INSIDE, noIfMatch: NO_IF_MATCH } = POST_LAYOUT;
/** A buffer that grew beyond this for one batch is not kept. */
const KEPT_BYTES_MAX = 1 << 20;
const ENCODER = new TextEncoder();

/** Lays out batches for one connection: remembers which media types the node knows by number. */
export class PostBatchWriter {
  readonly #room: number;
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #view = new DataView(this.#bytes.buffer);
  #numbers = new Map<string, number>();

  /** @param room bytes that stay free in front of a batch, for whoever frames it */
  constructor(room = 0) {
    this.#room = room;
  }

  /** Most bytes that a post can take. */
  static bytesAtMost({ key, id, type, contentType, payload }: OutgoingPost): number {
    const units = key.length + id.length + (type === null ? 0 : type.length) + contentType.length;
    return POST_BYTES + 3 * units + (typeof payload === "string" ? 3 * payload.length : payload.length);
  }

  /**
   * The batch of `posts[from, to)`: the bytes from `room` on of the returned buffer, which is void with the next call.
   */
  encode(
    posts: readonly OutgoingPost[],
    { from, to, epoch }: { from: number; to: number; epoch: number },
  ): Uint8Array<ArrayBuffer> {
    let most = this.#room + HEAD_BYTES + WIRE_CONTENT_TYPES_MAX;
    for (let i = from; i < to; i++) most += PostBatchWriter.bytesAtMost(posts[i]);
    if (most > this.#bytes.length || this.#bytes.length > KEPT_BYTES_MAX && most < KEPT_BYTES_MAX) {
      this.#bytes = new Uint8Array(Math.max(most, Math.min(2 * this.#bytes.length, KEPT_BYTES_MAX)));
      this.#view = new DataView(this.#bytes.buffer);
    }
    const bytes = this.#bytes;
    const view = this.#view;
    const head = this.#room;
    const news = this.#newTypes(posts, from, to);
    bytes[head] = WIRE.POSTS;
    bytes[head + 1] = epoch;
    view.setUint16(head + 2, to - from, true);
    bytes[head + 8] = news.types.length;
    bytes[head + 9] = news.isForgetting ? FORGET : 0;
    view.setUint16(head + 10, 0, true);
    let at = head + HEAD_BYTES;
    let texts = "";
    for (const type of news.types) {
      bytes[at++] = type.length;
      texts += type;
    }
    const postsAt = at;
    let lastType = "";
    let lastNumber = 0;
    for (let i = from; i < to; i++) {
      const { key, id, type, contentType, ifMatch, handled, sender, requestId } = posts[i];
      if (contentType !== lastType) {
        lastType = contentType;
        lastNumber = this.#numbers.get(contentType)!;
      }
      texts += key + id;
      if (type !== null) texts += type;
      view.setUint32(at, requestId, true);
      view.setUint32(at + 4, ifMatch < 0 ? NO_IF_MATCH : Math.min(ifMatch, NO_IF_MATCH - 1), true);
      view.setUint16(at + 12, key.length, true);
      view.setUint16(at + 14, id.length, true);
      view.setUint16(at + 16, type === null ? 0 : type.length, true);
      view.setUint16(at + 18, sender, true);
      bytes[at + 20] = (handled ? HANDLED : 0) | (type === null ? LOOK_INSIDE : 0);
      bytes[at + 21] = lastNumber;
      view.setUint16(at + 22, 0, true);
      at += POST_BYTES;
    }
    const { written } = ENCODER.encodeInto(texts, bytes.subarray(at));
    view.setUint32(head + 4, written, true);
    at += written;
    for (let i = from, postAt = postsAt; i < to; i++, postAt += POST_BYTES) {
      const { payload } = posts[i];
      let length: number;
      if (typeof payload === "string") length = ENCODER.encodeInto(payload, bytes.subarray(at)).written;
      else {
        bytes.set(payload, at);
        length = payload.length;
      }
      view.setUint32(postAt + 8, length, true);
      at += length;
    }
    return bytes.subarray(0, at);
  }

  /** The posts whose media types a batch from `from` on can carry: at most {@linkcode WIRE_CONTENT_TYPES_MAX} of them. */
  static typesEnd(posts: readonly OutgoingPost[], from: number, to: number): number {
    const types = new Set<string>();
    let last = "";
    for (let i = from; i < to; i++) {
      const { contentType } = posts[i];
      if (contentType === last) continue;
      last = contentType;
      types.add(contentType);
      if (types.size > WIRE_CONTENT_TYPES_MAX) return i;
    }
    return to;
  }

  #newTypes(
    posts: readonly OutgoingPost[],
    from: number,
    to: number,
    isForgetting = false,
  ): { types: string[]; isForgetting: boolean } {
    const types: string[] = [];
    let last = "";
    for (let i = from; i < to; i++) {
      const { contentType } = posts[i];
      if (contentType === last || this.#numbers.has(contentType)) {
        last = contentType;
        continue;
      }
      if (this.#numbers.size === WIRE_CONTENT_TYPES_MAX) {
        this.#numbers = new Map();
        return this.#newTypes(posts, from, to, true);
      }
      this.#numbers.set(contentType, this.#numbers.size);
      types.push(contentType);
      last = contentType;
    }
    return { types, isForgetting };
  }
}
