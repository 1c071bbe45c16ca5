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
import {
  buildAck,
  encodeHl7,
  type Hl7AckCode,
  hl7Timestamp,
  isAck,
  isHl7Batch,
  parseHl7,
  readAckWishes,
} from "../wire/mod.ts";
import { type IncomingBatch, joined, readBatch } from "./mllp_batch.ts";
import { encodeMllp, MllpDecoder, type MllpEvent } from "./mllp_decoder.ts";
import { MllpRecorder, type MllpRecorderOptions, type Taken } from "./mllp_recorder.ts";
import {
  acknowledgementsOf,
  type AckWishes,
  isApplicationWanted,
  type MllpAcknowledge,
  never,
  notNow,
  RECORDED,
  type Verdict,
} from "./mllp_verdict.ts";

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
  /** acknowledgements of the application that come after those that the messages are kept, in an order of their own */
  readonly #later: Slot[] = [];
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
    return this.#slots.length + this.#later.length;
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
      while (this.pending >= inFlightMax && !this.#isBroken) await this.#change();
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
    while (this.pending > 0 && !this.#isBroken) await this.#change();
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
      if (verdict.place !== undefined) return void this.#answerInTwo(slot, taken, verdict);
      const acks = this.#acksOf(taken.message, verdict);
      slot.answer = joined(acks.map(encodeMllp));
      if (!this.#isWriting) this.#flush();
    };
    if (taken.settled !== null) answer(taken.settled);
    else taken.verdict.then(answer);
  }

  /** That it is kept is said at once, where that is asked for; the rest when its handlers are through. */
  async #answerInTwo(slot: Slot, { message }: Taken, verdict: Verdict): Promise<void> {
    const say = (slot: Slot, answer: Uint8Array) => {
      slot.answer = answer;
      if (!this.#isWriting) this.#flush();
    };
    const { acknowledge = "by-message" } = this.#options;
    const wishes = this.#wishesOf(message);
    const inTwo = acknowledge === "by-message" && (wishes.accept !== "" || wishes.application !== "");
    if (!inTwo) return say(slot, encodeMllp(await this.#applicationAck(message, verdict, wishes)));
    const accepted = acknowledgementsOf("AA", { ...wishes, application: "NE" }, acknowledge);
    const first = joined(accepted.map((code) => encodeMllp(this.#ack(message, { ...verdict, code }))));
    if (!this.#isAnswered(wishes, "AA") && !this.#isAnswered(wishes, "AE")) return say(slot, first);
    const later: Slot = { answer: null, taken: [] };
    this.#later.push(later);
    say(slot, first);
    const answer = await this.#applicationAck(message, verdict, wishes);
    say(later, answer.length === 0 ? answer : encodeMllp(answer));
  }

  /** What the application says, which may be a handler's reply; empty where the sender wants none. Never rejects. */
  async #applicationAck(message: Uint8Array, { place }: Verdict, wishes: AckWishes): Promise<Uint8Array<ArrayBuffer>> {
    if (!this.#isAnswered(wishes, "AA") && !this.#isAnswered(wishes, "AE")) return new Uint8Array(0);
    const { service, route } = this.#options;
    let verdict = RECORDED;
    try {
      const { isHandled, standstill, reply } = await service.whenHandled(place!.key, place!.seq);
      if (standstill !== "") verdict = notNow(`${standstill}: recorded, but a handler stands still`);
      else if (!isHandled) verdict = LATER;
      else if (isHl7Text(reply)) {
        const answer = replyTo(message, reply, route.charset);
        if (answer !== null) return answer;
        verdict = notNow("gateway/bad-reply: recorded, but the reply is none to this message, or not in its charset");
      }
    } catch {
      verdict = LATER;
    }
    return this.#isAnswered(wishes, verdict.code) ? this.#ack(message, verdict) : new Uint8Array(0);
  }

  /** Whether the sender wants to hear this of the application. */
  #isAnswered(wishes: AckWishes, code: Verdict["code"]): boolean {
    const { acknowledge = "by-message" } = this.#options;
    const { accept, application } = wishes;
    if (acknowledge === "original" || (accept === "" && application === "")) return true;
    // In the mode with one answer for both, either wish is one for it.
    const either = acknowledge === "aa" && isApplicationWanted({ accept, application: accept }, code);
    return either || isApplicationWanted(wishes, code);
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
    Promise.all(taken.map(({ verdict }) => verdict)).then(async (verdicts) => {
      const acks = await Promise.all(verdicts.map((verdict, i) => this.#acksInBatch(taken[i].message, verdict)));
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

  #acksOf(message: Uint8Array, verdict: Verdict): Uint8Array<ArrayBuffer>[] {
    const { acknowledge = "by-message" } = this.#options;
    return acknowledgementsOf(verdict.code, this.#wishesOf(message), acknowledge)
      .map((code) => this.#ack(message, { ...verdict, code }));
  }

  /** All acknowledgements of a message, one behind the other: a batch is answered by one frame. */
  async #acksInBatch(message: Uint8Array, verdict: Verdict): Promise<Uint8Array> {
    if (verdict.place === undefined) return joined(this.#acksOf(message, verdict));
    const { acknowledge = "by-message" } = this.#options;
    const wishes = this.#wishesOf(message);
    const inTwo = acknowledge === "by-message" && wishes.accept !== "";
    const accepted = inTwo ? acknowledgementsOf("AA", { ...wishes, application: "NE" }, acknowledge) : [];
    const acks = accepted.map((code) => this.#ack(message, { ...verdict, code }));
    return joined([...acks, await this.#applicationAck(message, verdict, wishes)]);
  }

  #wishesOf(message: Uint8Array): AckWishes {
    return this.#options.acknowledge === "original" ? NO_WISHES : readAckWishes(message);
  }

  #ack(
    message: Uint8Array,
    { code, text, errorCode }: Omit<Verdict, "code"> & { code: Hl7AckCode },
  ): Uint8Array<ArrayBuffer> {
    return buildAck({ message, code, text, errorCode, now: this.#now(), id: this.#ackId() });
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
      const queues = [this.#slots, this.#later].map((slots) => ({ slots, count: readyIn(slots) }));
      const ready = queues.flatMap(({ slots, count }) => slots.slice(0, count));
      if (ready.length === 0 || this.#isBroken) break;
      const bytes = joined(ready.map(({ answer }) => answer as Uint8Array));
      try {
        if (bytes.length > 0) await this.#options.write(bytes);
      } catch {
        // The messages are recorded all the same; the sender repeats those without answer, under the same ids.
        this.#isBroken = true;
        break;
      }
      for (const { slots, count } of queues) slots.splice(0, count);
      for (const slot of ready) this.#close(slot);
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
const LATER = notNow("actors/timeout: recorded, and handled later");

/** How many at the front have their answers. */
function readyIn(slots: readonly Slot[]): number {
  const first = slots.findIndex(({ answer }) => answer === null);
  return first < 0 ? slots.length : first;
}

function isHl7Text(reply: unknown): reply is string {
  return typeof reply === "string" && reply.startsWith("MSH");
}

/**
 * A handler's reply as its sender reads it; null when it is none to this message, or cannot be written in its charset.
 *
 * @param usual charset of messages that do not say
 */
function replyTo(message: Uint8Array, reply: string, usual = ""): Uint8Array<ArrayBuffer> | null {
  try {
    const [asked, answer] = [parseHl7(message), parseHl7(reply)];
    if (answer.get("MSA-2") !== asked.controlId) return null;
    const charset = answer.get("MSH-18") || asked.get("MSH-18") || usual;
    const lines = answer.segments().map(({ text }) => `${text}\r`).join("");
    return encodeHl7(lines, charset.split("~", 1)[0]) as Uint8Array<ArrayBuffer> | null;
  } catch {
    return null;
  }
}
