/**
 * One client's connection over `GET /v1/wire`: posts come in by the batch, answers go out by the batch. Like a counter
 * with a pneumatic tube: a capsule holds what gathered while the last one was on its way, and nobody waits for it to fill.
 *
 * All posts of a batch are handed to the node within one turn, and all answers of a turn leave as one message: no promise,
 * timer or map entry for each. One connection is one sender: its messages to one actor stay in order. So a refusal at
 * this door must not let later ones pass: whoever is refused as too much comes in raises the connection's *epoch*, and
 * what the client sent before it knew of that (its batches carry the older epoch) is refused, too.
 *
 * Bounds: messages and bytes under way, as the hello says; who exceeds them is cut off. What the client does not fetch is
 * bounded by the same: an answer is at most some hundred bytes, and without answers no more is let in.
 */
import { parseKey, WaterparkError } from "../base/mod.ts";
import {
  AnswerBatchWriter,
  encodeHello,
  encodeNames,
  PostBatchReader,
  WIRE,
  WIRE_CLOSE,
  WIRE_NAMES_MAX,
  type WireName,
} from "../wire/mod.ts";
import { CONTENT_TYPE_UNITS_MAX, essenceOf, typeInside } from "./content.ts";
import { busy, closing, tooLarge } from "./errors.ts";
import type { OpenStream } from "./open_streams.ts";
import { type Failure, failureOf, problemOf } from "./problem.ts";
import { canonicalKey, checkedName, type Gateway } from "./routing.ts";
import type { CheckedPost, PostAnswer } from "./service.ts";

/** What a session needs of a socket. */
export interface WireSocket {
  /** Queues one binary message; the bytes may change as soon as this returns. */
  send(bytes: Uint8Array<ArrayBuffer>): void;
  /** Ends the connection. */
  close(code: number, reason: string): void;
  /** bytes queued and not yet given to the system */
  readonly bufferedAmount: number;
}

/** Bytes of texts and heads in a batch beside the greatest payload. */
const BATCH_ROOM_BYTES = 256 << 10;
/** Answers wait while the system has not taken so much of those before. */
const BUFFERED_BYTES_MAX = 1 << 20;

/** A connection's node side; pure but for the gateway and the socket that it is given. */
export class WireSession {
  readonly #gateway: Gateway;
  readonly #socket: WireSocket;
  readonly #stream: OpenStream;
  readonly #sender: string;
  readonly #reader = new PostBatchReader();
  readonly #answers: AnswerBatchWriter;
  readonly #names = new Map<string, number>();
  #newNames: WireName[] = [];
  /** media types that have been looked at, with their essence; null: no media type */
  #essences = new Map<string, string | null>();
  #open = 0;
  #openBytes = 0;
  #epoch = 0;
  #isFlushing = false;
  #isLeaving = false;
  #isClosed = false;

  /** @param options the gateway, the open socket, the connection's place among the streams */
  constructor({ gateway, socket, stream }: { gateway: Gateway; socket: WireSocket; stream: OpenStream }) {
    this.#gateway = gateway;
    this.#socket = socket;
    this.#stream = stream;
    this.#sender = `wire-${gateway.service.newId()}`;
    this.#answers = new AnswerBatchWriter((name) => this.#numberOf(name));
    stream.closing.then(() => this.leave());
  }

  /** posts without an answer */
  get open(): number {
    return this.#open;
  }

  /** The socket is open: says hello. */
  start(): void {
    const { service, limits } = this.#gateway;
    this.#send(encodeHello({
      node: service.name,
      windowMessages: limits.wireInFlightMax,
      windowBytes: limits.wireInFlightBytesMax,
      batchBytesMax: limits.bodyBytesMax + BATCH_ROOM_BYTES,
      messageBytesMax: limits.bodyBytesMax,
    }));
  }

  /** Takes one WebSocket message in; whatever it is, nothing is thrown. */
  receive(data: unknown): void {
    if (this.#isClosed) return;
    try {
      const kind = data instanceof ArrayBuffer && data.byteLength > 0 ? new Uint8Array(data, 0, 1)[0] : -1;
      if (kind === WIRE.POSTS) return this.#receivePosts(data as ArrayBuffer);
      if (kind === WIRE.BEAT) return this.#send(new Uint8Array([WIRE.BEAT]));
      this.#end(WIRE_CLOSE.BAD_MESSAGE, "not a message of this protocol");
    } catch (error) {
      const isTheirs = error instanceof WaterparkError && error.code === "wire/bad-payload";
      if (isTheirs) this.#end(WIRE_CLOSE.BAD_MESSAGE, "a malformed batch");
      else {
        this.#gateway.onBug?.(error);
        this.#end(WIRE_CLOSE.BUG, "a defect of the node");
      }
    }
  }

  /** Says goodbye; once what is under way is answered, and the gateway goes down, the connection ends. */
  leave(): void {
    if (!this.#isLeaving) {
      this.#isLeaving = true;
      this.#flush();
      this.#send(new Uint8Array([WIRE.GOODBYE]));
    }
    if (this.#stream.isClosing && this.#open === 0) this.#end(WIRE_CLOSE.GONE, "the node is going down");
  }

  /** The socket is closed. */
  closed(): void {
    this.#isClosed = true;
    this.#stream.end();
  }

  #receivePosts(batch: ArrayBuffer): void {
    const { limits, service } = this.#gateway;
    const reader = this.#reader;
    if (batch.byteLength > limits.bodyBytesMax + BATCH_ROOM_BYTES) {
      return this.#end(WIRE_CLOSE.BAD_MESSAGE, "a batch over the limit of the hello");
    }
    const posts = reader.open(batch);
    if (this.#open + posts > limits.wireInFlightMax) return this.#end(WIRE_CLOSE.WINDOW, "more posts than the window");
    const atMs = service.nowWallMs();
    while (reader.next()) {
      this.#open++;
      this.#openBytes += reader.payload.length;
      if (this.#openBytes > limits.wireInFlightBytesMax) {
        return this.#end(WIRE_CLOSE.WINDOW, "more bytes than the window");
      }
      this.#post(atMs);
    }
  }

  #post(atMs: number): void {
    const { service, admission } = this.#gateway;
    const { requestId, epoch, handled } = this.#reader;
    const { length } = this.#reader.payload;
    const refusal = this.#refusal();
    if (refusal !== null) return this.#refuse(requestId, length, refusal);
    let request: CheckedPost;
    try {
      request = this.#checked(atMs);
    } catch (error) {
      return this.#refuse(requestId, length, failureOf(error));
    }
    if (epoch !== this.#epoch || !admission.enter()) {
      if (epoch === this.#epoch) this.#epoch = this.#epoch + 1 & 0xff;
      return this.#refuse(requestId, length, busy());
    }
    const done = (answer: PostAnswer) => {
      admission.leave(answer.state === "recorded");
      this.#answer(requestId, length, answer);
    };
    if (!handled) return service.postNow(request, done);
    const { key, ...rest } = request;
    service.post({ ...rest, key: parseKey(key), wait: "handled" }).then(
      done,
      (error) => done({ state: "refused", ...plainFailure(failureOf(error)) }),
    );
  }

  #refusal(): Failure | null {
    const { payload } = this.#reader;
    const { bodyBytesMax } = this.#gateway.limits;
    if (payload.length > bodyBytesMax) return tooLarge("message", bodyBytesMax);
    return this.#isLeaving ? closing() : null;
  }

  /** @throws {WaterparkError} when a part is not what it must be */
  #checked(atMs: number): CheckedPost {
    const { service, limits } = this.#gateway;
    const { key, id, type, contentType, payload, ifMatch, sender } = this.#reader;
    const essence = this.#essenceOf(contentType);
    return {
      key: canonicalKey(key),
      id: id === "" ? service.newId() : checkedName("message id", id),
      type: type === "" ? type : checkedName("message type", type ?? typeInside(essence, payload, limits.jsonDepthMax)),
      contentType,
      payload,
      atMs,
      sender: sender === 0 ? this.#sender : `${this.#sender}.${sender}`,
      ifMatch: ifMatch < 0 ? undefined : ifMatch,
    };
  }

  /** Looked at once for each type that a connection uses. */
  #essenceOf(contentType: string): string {
    const known = this.#essences.get(contentType);
    if (known != null) return known;
    const essence = essenceOf(contentType);
    if (this.#essences.size >= CONTENT_TYPE_UNITS_MAX) this.#essences.clear();
    this.#essences.set(contentType, essence);
    return essence;
  }

  #answer(requestId: number, bytes: number, answer: PostAnswer): void {
    if (answer.state === "refused") return this.#refuse(requestId, bytes, answer);
    this.#open--;
    this.#openBytes -= bytes;
    if (this.#isClosed) return;
    const { receipt, duplicate, projections, reply } = answer;
    const handled = projections === undefined && reply === undefined
      ? undefined
      : JSON.stringify({ projections, reply });
    this.#answers.recorded(requestId, receipt, { duplicate, handled });
    this.#flushSoon();
  }

  #refuse(requestId: number, bytes: number, failure: Failure): void {
    this.#open--;
    this.#openBytes -= bytes;
    if (this.#isClosed) return;
    const { code, outcome, detail, status, retryAfterMs, seq } = problemOf(failure);
    this.#answers.refused(requestId, { code, outcome, message: detail, status, retryAfterMs, seq });
    this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.#answers.isFull) return this.#flush();
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    this.#gateway.world.soon(() => {
      this.#isFlushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#answers.count === 0 || this.#isClosed) return;
    if (this.#socket.bufferedAmount > BUFFERED_BYTES_MAX) return this.#flushLater();
    if (this.#newNames.length > 0) {
      this.#send(encodeNames(this.#newNames));
      this.#newNames = [];
    }
    this.#send(this.#answers.take(this.#epoch));
    if (this.#isLeaving) this.leave();
  }

  /** No event tells when a socket has taken what was queued. */
  #flushLater(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    this.#gateway.world.after(1, () => {
      this.#isFlushing = false;
      this.#flush();
    });
  }

  #numberOf(name: string): number {
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    const number = this.#names.size;
    // A cluster that has seen so many nodes come: the client connects anew and begins with an empty table.
    if (number >= WIRE_NAMES_MAX) this.#end(WIRE_CLOSE.GONE, "too many names");
    this.#names.set(name, number);
    this.#newNames.push({ name, http: this.#gateway.service.httpOf(name) ?? "" });
    return number;
  }

  #send(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#isClosed) return;
    try {
      this.#socket.send(bytes);
    } catch {
      // it is closing: `closed` will be called
    }
  }

  #end(code: number, reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // A server that shuts down waits for the places of sockets: what was sent last must have left.
    if (code !== WIRE_CLOSE.GONE) this.#stream.end();
    try {
      this.#socket.close(code, reason);
    } catch {
      // it is closed already
    }
  }
}

function plainFailure({ code, outcome, message, retryAfterMs }: Failure) {
  return { code, outcome, message, retryAfterMs };
}
