/**
 * One connection to one node. What a turn of the program sends leaves as one batch when the turn ends; while the last
 * batch is still being written, or the node's window is full, the next one grows. Nothing is delayed when all is idle.
 */
import { WaterparkError } from "../../runtime/base/mod.ts";
import { AnswerBatchReader } from "../../runtime/wire/answer_batch.ts";
import { decodeHello, decodeNames, WIRE, type WireHello, type WireName } from "../../runtime/wire/client_protocol.ts";
import { BATCH_POSTS_MAX } from "../../runtime/wire/post_batch.ts";
import { PostBatchWriter } from "../../runtime/wire/post_batch_writer.ts";
import type { Sending } from "./sending.ts";
import type { ClientSocket, OpenSocket, SocketAddress } from "./socket.ts";
import type { Way } from "./way.ts";

/** A batch is closed when it has so many bytes: the node works on it while the next one is written. */
const BATCH_BYTES = 128 << 10;

/** Told of what happens on a connection. */
export interface ConnectionHandlers {
  /** it takes messages */
  onOpen(connection: Connection): void;
  /** an answer: the reader's fields are those of the answer to `sending` */
  onAnswer(connection: Connection, sending: Sending, answer: AnswerBatchReader): void;
  /** all answers of a batch were given */
  onAnswered(connection: Connection): void;
  /** a message that was not sent: it has ended, or its lane waits for one that was refused */
  onSkipped(connection: Connection, sending: Sending): void;
  /** the node has told names */
  onNames(connection: Connection, names: readonly WireName[]): void;
  /** it takes no more messages; those under way are still answered */
  onLeaving(connection: Connection): void;
  /** it is gone; `sent` may have arrived, `unsent` certainly did not */
  onClose(connection: Connection, lost: { sent: Sending[]; unsent: Sending[]; reason: string }): void;
}

/** A connection over `GET /v1/wire`. */
export class Connection implements Way {
  readonly url: string;
  readonly laneMessagesMax = Infinity;
  /** the node's names for nodes, by number */
  readonly names: string[] = [];
  readonly #handlers: ConnectionHandlers;
  readonly #socket: ClientSocket;
  readonly #writer: PostBatchWriter;
  readonly #reader = new AnswerBatchReader();
  #hello: WireHello | null = null;
  #state: "opening" | "open" | "leaving" | "closed" = "opening";
  #slots: (Sending | null)[] = [];
  #free: number[] = [];
  #pendingBytes = 0;
  #outbox: Sending[] = [];
  /** what stands before it in the outbox has gone out */
  #from = 0;
  #epoch = 0;
  #isFlushing = false;
  /** when something was last heard, or sent on a silent connection; set by the switchboard's clock */
  heardMs: number;
  #hasHeard = false;

  constructor(
    address: SocketAddress,
    { open, handlers, nowMs }: { open: OpenSocket; handlers: ConnectionHandlers; nowMs: number },
  ) {
    this.url = address.url;
    this.heardMs = nowMs;
    this.#handlers = handlers;
    this.#socket = open(address, {
      onOpen: () => {},
      onMessage: (bytes) => this.#receive(bytes),
      onDrain: () => this.#flush(),
      onClose: (reason) => this.#closed(reason),
    });
    this.#writer = new PostBatchWriter(this.#socket.room);
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  get isOpening(): boolean {
    return this.#state === "opening";
  }

  /** the node's name; `""` before its hello */
  get node(): string {
    return this.#hello?.node ?? "";
  }

  /** messages without an answer */
  get open(): number {
    return this.#slots.length - this.#free.length + this.#outbox.length - this.#from;
  }

  add(sending: Sending): void {
    this.#outbox.push(sending);
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    queueMicrotask(() => {
      this.#isFlushing = false;
      this.#flush();
    });
  }

  /** Looks whether the node is still there; true: it was silent for `silentMs` though it owes answers. */
  isSilent(nowMs: number, silentMs: number): boolean {
    if (this.#hasHeard || this.open === 0 && !this.isOpening) {
      this.#hasHeard = false;
      this.heardMs = nowMs;
      return false;
    }
    const waitedMs = nowMs - this.heardMs;
    if (waitedMs > silentMs / 4 && !this.isOpening && !this.#socket.isBusy) {
      const beat = new Uint8Array(this.#socket.room + 1);
      beat[this.#socket.room] = WIRE.BEAT;
      this.#socket.send(beat);
    }
    return waitedMs > silentMs;
  }

  close(): void {
    this.#socket.close();
  }

  #receive(bytes: Uint8Array): void {
    this.#hasHeard = true;
    try {
      const kind = bytes[0];
      if (kind === WIRE.ANSWERS && this.#hello !== null) return this.#receiveAnswers(bytes);
      if (kind === WIRE.NAMES) return this.#receiveNames(bytes);
      if (kind === WIRE.HELLO && this.#hello === null) {
        this.#hello = decodeHello(bytes);
        this.#state = "open";
        return this.#handlers.onOpen(this);
      }
      if (kind === WIRE.GOODBYE) {
        if (this.#state === "open") this.#state = "leaving";
        return this.#handlers.onLeaving(this);
      }
      if (kind === WIRE.BEAT) return;
    } catch (error) {
      if (!(error instanceof WaterparkError)) throw error;
    }
    this.close();
  }

  #receiveAnswers(bytes: Uint8Array): void {
    const reader = this.#reader;
    reader.open(bytes);
    this.#epoch = reader.epoch;
    while (reader.next()) {
      const sending = this.#slots[reader.requestId];
      // a node that answers what was not asked
      if (sending == null) return this.close();
      this.#slots[reader.requestId] = null;
      this.#free.push(reader.requestId);
      this.#pendingBytes -= sending.payloadBytesMost;
      this.#handlers.onAnswer(this, sending, reader);
    }
    this.#handlers.onAnswered(this);
    if (this.#outbox.length > this.#from && !this.#isFlushing) this.#flush();
  }

  #receiveNames(bytes: Uint8Array): void {
    const names = decodeNames(bytes);
    for (const { name } of names) this.names.push(name);
    this.#handlers.onNames(this, names);
  }

  /** Sends what the window, and the socket, have room for. */
  #flush(): void {
    const hello = this.#hello;
    while (hello !== null && this.#state !== "closed" && this.#outbox.length > this.#from && !this.#socket.isBusy) {
      const outbox = this.#outbox;
      const from = this.#from;
      let to = from;
      let bytes = 0;
      let room = Math.min(BATCH_POSTS_MAX, hello.windowMessages - (this.#slots.length - this.#free.length));
      while (to < outbox.length && room > 0) {
        const sending = outbox[to];
        // Given up before it went out; or one before it was refused for now, and must not be overtaken.
        if (sending.isDone || sending.lane.again.length > 0) {
          outbox.splice(to, 1);
          this.#handlers.onSkipped(this, sending);
          continue;
        }
        let most = PostBatchWriter.bytesAtMost(sending);
        if (most > hello.messageBytesMax) {
          if (!this.#fits(sending, hello)) continue;
          most = PostBatchWriter.bytesAtMost(sending);
        }
        const payloadBytes = sending.payloadBytesMost;
        const isFirst = to === from;
        if (!isFirst && bytes + most > BATCH_BYTES) break;
        // A message greater than what is left of the window waits; one greater than all of it goes alone.
        if (this.#pendingBytes > 0 && this.#pendingBytes + payloadBytes > hello.windowBytes) break;
        bytes += most;
        this.#pendingBytes += payloadBytes;
        sending.requestId = this.#free.pop() ?? this.#slots.push(null) - 1;
        this.#slots[sending.requestId] = sending;
        to++;
        room--;
      }
      to = this.#typesEnd(from, to);
      if (to === from) return;
      const batch = this.#writer.encode(outbox, { from, to, epoch: this.#epoch });
      this.#from = to;
      // What has gone out is cut off once it is the greater part, so that each entry is moved once at most; in place, as an
      // array that is left behind keeps alive what stands in it until it is found.
      if (2 * to >= outbox.length) {
        outbox.copyWithin(0, to);
        outbox.length -= to;
        this.#from = 0;
      }
      this.#socket.send(batch);
    }
  }

  /** Posts beyond that many media types go with the next batch. */
  #typesEnd(from: number, to: number): number {
    const end = to - from > 255 ? PostBatchWriter.typesEnd(this.#outbox, from, to) : to;
    for (let i = end; i < to; i++) {
      const sending = this.#outbox[i];
      this.#slots[sending.requestId] = null;
      this.#free.push(sending.requestId);
      this.#pendingBytes -= sending.payloadBytesMost;
    }
    return end;
  }

  /** A text's bytes are counted only where its length leaves a doubt. False: the node would take it in no form. */
  #fits(sending: Sending, { messageBytesMax }: WireHello): boolean {
    if (typeof sending.payload === "string") sending.payload = new TextEncoder().encode(sending.payload);
    sending.payloadBytesMost = sending.payload.length;
    if (sending.payload.length <= messageBytesMax) return true;
    sending.fail(
      new WaterparkError(`Cannot take the message as it must have at most ${messageBytesMax} bytes`, {
        code: "gateway/too-large",
        outcome: "not-applied",
      }),
    );
    return false;
  }

  #closed(reason: string): void {
    this.#state = "closed";
    const sent = this.#slots.filter((sending) => sending !== null).sort((a, b) => a.order - b.order);
    const unsent = this.#outbox.slice(this.#from);
    this.#slots = [];
    this.#free = [];
    this.#outbox = [];
    this.#from = 0;
    this.#pendingBytes = 0;
    this.#handlers.onClose(this, { sent, unsent, reason });
  }
}
