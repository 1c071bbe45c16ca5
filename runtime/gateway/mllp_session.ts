/**
 * One MLLP connection's conversation, without its socket: bytes in, acknowledgements out, in the order of arrival.
 *
 * Messages of different actors are recorded side by side, up to `inFlightMax` of them (mllp_recorder.ts). A batch (FHS, BHS)
 * is one frame of many messages, taken in one after the other before anything behind it is, and answered by one frame when
 * all are recorded.
 *
 * Payloads, ids and keys appear in acknowledgements to their own sender only, never in logs.
 *
 * @module
 */
import { buildAck, hl7Timestamp, isAck, isHl7Batch, readAckWishes } from "../wire/mod.ts";
import { type IncomingBatch, joined, readBatch } from "./mllp_batch.ts";
import { encodeMllp, MllpDecoder, type MllpEvent } from "./mllp_decoder.ts";
import { MllpRecorder, type MllpRecorderOptions, type Taken } from "./mllp_recorder.ts";
import { acknowledgementsOf, type MllpAcknowledge, never, type Verdict } from "./mllp_verdict.ts";

/** What a session needs. */
export interface MllpSessionOptions extends MllpRecorderOptions {
  /** sends bytes to the peer; resolves when they are taken, rejects when the connection is gone */
  write(bytes: Uint8Array): Promise<void>;
  /** largest message, bytes; also of a batch */
  messageBytesMax: number;
  /** messages taken in and not yet answered; beyond, the peer is not read */
  inFlightMax: number;
  /** how is acknowledged; default `by-message` */
  acknowledge?: MllpAcknowledge;
}

/** A frame's place in the order of answers. */
interface Slot {
  /** its answer; null until it is known, empty where the sender wants none */
  answer: Uint8Array | null;
  readonly taken: readonly Taken[];
}

/** A peer that sent so much that is no MLLP speaks another protocol, bytes. */
const GARBAGE_BYTES_MAX = 64 * 1024;

/** An answer is larger than the smallest message: so the messages of a batch have a bound of their own. */
const BATCH_MESSAGES_MAX = 10_000;

/** One connection's conversation. */
export class MllpSession {
  readonly #options: MllpSessionOptions;
  readonly #decoder: MllpDecoder;
  readonly #sender: string;
  readonly #recorder: MllpRecorder;
  readonly #slots: Slot[] = [];
  #acks = 0;
  #garbageBytes = 0;
  #isWriting = false;
  #isBroken = false;
  #wake: (() => void)[] = [];

  constructor(options: MllpSessionOptions) {
    this.#options = options;
    this.#decoder = new MllpDecoder(options.messageBytesMax);
    this.#sender = `mllp:${options.service.newId()}`;
    this.#recorder = new MllpRecorder(options, this.#sender);
  }

  /** frames taken in and not yet answered */
  get pending(): number {
    return this.#slots.length;
  }

  /**
   * Takes the next bytes of the stream. Resolves when the peer may be read again: while `inFlightMax` messages wait for
   * their answer it may not.
   *
   * @returns false when the connection should end: it is broken, or the peer does not speak MLLP
   */
  async receive(chunk: Uint8Array): Promise<boolean> {
    const { inFlightMax, counters } = this.#options;
    for (const event of this.#decoder.push(chunk)) {
      while (this.#slots.length >= inFlightMax && !this.#isBroken) await this.#change();
      if (this.#isBroken) return false;
      if (event.state === "message" && isHl7Batch(event.bytes)) await this.#takeBatch(readBatch(event.bytes));
      else this.#take(event);
    }
    const garbageBytes = this.#decoder.garbageBytes;
    if (garbageBytes > this.#garbageBytes) {
      counters.garbageBytes += garbageBytes - this.#garbageBytes;
      this.#garbageBytes = garbageBytes;
      this.#options.onOddity?.("bytes outside frames");
    }
    return !this.#isBroken && garbageBytes <= GARBAGE_BYTES_MAX;
  }

  /** The stream has ended: half a frame, if there is one, is counted. */
  ended(): void {
    if (this.#decoder.heldBytes === 0) return;
    this.#options.counters.cutOff++;
    this.#options.onOddity?.("no end");
  }

  /** Resolves when everything taken in is answered, or cannot be any more. */
  async drain(): Promise<void> {
    while (this.#slots.length > 0 && !this.#isBroken) await this.#change();
  }

  #take(event: MllpEvent): void {
    const { counters, messageBytesMax } = this.#options;
    if (event.state === "too-large") {
      counters.messages++;
      counters.tooLarge++;
      this.#options.onOddity?.("too large");
      return this.#refuse(event.head, never(`gateway/too-large: over ${messageBytesMax} bytes`, 102));
    }
    // answering an acknowledgement makes two machines thank each other for ever
    if (isAck(event.bytes)) return void counters.messages++;
    const taken = this.#recorder.begin(event.bytes);
    const slot: Slot = { answer: null, taken: [taken] };
    this.#slots.push(slot);
    const answer = (verdict: Verdict) => {
      const acks = this.#acksOf(taken.message, verdict);
      slot.answer = joined(acks.map(encodeMllp));
      if (!this.#isWriting) this.#flush();
    };
    if (taken.settled !== null) answer(taken.settled);
    else taken.verdict.then(answer);
  }

  /** Feeds a batch's messages, no more at a time than a connection may have under way; resolves when all are on the way. */
  async #takeBatch(batch: IncomingBatch): Promise<void> {
    const { counters, inFlightMax, onOddity } = this.#options;
    counters.batches++;
    // the answer to a batch of ours, which is not answered either
    if (batch.messages.length > 0 && batch.messages.every(isAck)) return;
    if (batch.messages.length > BATCH_MESSAGES_MAX) {
      onOddity?.("too large");
      return this.#refuse(
        new Uint8Array(0),
        never(`gateway/too-large: a batch of over ${BATCH_MESSAGES_MAX} messages`, 102),
      );
    }
    if (batch.problem !== "") onOddity?.("short batch");
    const taken: Taken[] = [];
    const slot: Slot = { answer: null, taken };
    this.#slots.push(slot);
    for (const [i, message] of batch.messages.entries()) {
      if (i >= inFlightMax) await taken[i - inFlightMax].verdict;
      if (this.#isBroken) break;
      taken.push(this.#recorder.begin(message));
    }
    Promise.all(taken.map(({ verdict }) => verdict)).then((verdicts) => {
      const acks = verdicts.map((verdict, i) => joined(this.#acksOf(taken[i].message, verdict)));
      slot.answer = encodeMllp(batch.answer(acks, { id: this.#ackId(), now: this.#now() }));
      if (!this.#isWriting) this.#flush();
    });
  }

  #refuse(message: Uint8Array, verdict: Verdict): void {
    this.#slots.push({
      answer: joined(this.#acksOf(message, verdict).map(encodeMllp)),
      taken: [this.#recorder.refuse(message, verdict)],
    });
    if (!this.#isWriting) this.#flush();
  }

  #acksOf(message: Uint8Array, { code, text, errorCode }: Verdict): Uint8Array<ArrayBuffer>[] {
    const { acknowledge = "by-message" } = this.#options;
    const wishes = acknowledge === "original" ? NO_WISHES : readAckWishes(message);
    const now = this.#now();
    return acknowledgementsOf(code, wishes, acknowledge)
      .map((code) => buildAck({ message, code, text, errorCode, now, id: this.#ackId() }));
  }

  #now(): string {
    return hl7Timestamp(this.#options.service.nowWallMs());
  }

  // 20 characters are all that MSH-10 has in old versions
  #ackId(): string {
    return `${this.#sender.slice(5, 13)}${(++this.#acks).toString(36)}`;
  }

  async #flush(): Promise<void> {
    this.#isWriting = true;
    // one turn often settles many: they leave in one write
    await Promise.resolve();
    for (;;) {
      let ready = 0;
      while (ready < this.#slots.length && this.#slots[ready].answer !== null) ready++;
      if (ready === 0 || this.#isBroken) break;
      const bytes = joined(this.#slots.slice(0, ready).map(({ answer }) => answer as Uint8Array));
      try {
        if (bytes.length > 0) await this.#options.write(bytes);
      } catch {
        // The messages are recorded all the same; the sender repeats those without answer, under the same ids.
        this.#isBroken = true;
        break;
      }
      for (const slot of this.#slots.splice(0, ready)) this.#close(slot);
      this.#woken();
    }
    this.#isWriting = false;
    if (this.#isBroken) this.#woken();
  }

  #close({ taken }: Slot): void {
    for (const one of taken) this.#recorder.answered(one);
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  #woken(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const resolve of wake) resolve();
  }
}

const NO_WISHES = { accept: "", application: "" };
