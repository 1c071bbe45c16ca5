/**
 * One MLLP connection's conversation, without its socket: bytes in, acknowledgements out, in the order of arrival.
 *
 * Messages of different actors are recorded side by side, up to `inFlightMax` of them; messages of one actor one after
 * the other. That is stricter than the mailroom's own order, and needed: what the mailroom refuses (busy, or the id is
 * taken) is settled here, by a refusal or under another id, and must not be overtaken by what came later. For the same
 * reason a message that waits behind one that got AE gets AE too: the sender repeats both, in its order. It costs a
 * sender that floods one single actor its pipelining; wards and laboratories do not do that.
 *
 * A batch (FHS, BHS) is one frame of many messages, taken in one after the other before anything behind it is, and answered
 * by one frame when all are recorded.
 *
 * Payloads, ids and keys appear in acknowledgements to their own sender only, never in logs.
 *
 * @module
 */
import { type ActorKey, digest64, digestText, formatKey, fullKey, WaterparkError } from "../base/mod.ts";
import {
  buildAck,
  HL7_CONTENT_TYPE,
  type Hl7Route,
  type Hl7RouteOptions,
  hl7Timestamp,
  isAck,
  isHl7Batch,
  readAckWishes,
  readHl7Route,
} from "../wire/mod.ts";
import { encodeMllp, MllpDecoder, type MllpEvent } from "./mllp_decoder.ts";
import type { Admission } from "./admission.ts";
import { type IncomingBatch, joined, readBatch } from "./mllp_batch.ts";
import type { MllpCounters } from "./mllp_counters.ts";
import {
  acknowledgementsOf,
  type MllpAcknowledge,
  never,
  notNow,
  RECORDED,
  type Verdict,
  verdictOf,
} from "./mllp_verdict.ts";
import type { NodeService } from "./service.ts";

/** What a connection brought that is no message; each kind is counted, and logged once a connection, without its bytes. */
export type MllpOddity = "bytes outside frames" | "no HL7" | "no end" | "too large" | "short batch";

/** What a session needs. */
export interface MllpSessionOptions {
  /** where messages are recorded */
  service: Pick<NodeService, "post" | "newId" | "nowWallMs">;
  /** sends bytes to the peer; resolves when they are taken, rejects when the connection is gone */
  write(bytes: Uint8Array): Promise<void>;
  /** added to */
  counters: MllpCounters;
  /** where a message's key stands, and the charset of those that do not say */
  route: Hl7RouteOptions;
  /** largest message, bytes; also of a batch */
  messageBytesMax: number;
  /** messages taken in and not yet answered; beyond, the peer is not read */
  inFlightMax: number;
  /** how is acknowledged; default `by-message` */
  acknowledge?: MllpAcknowledge;
  /** what becomes of another message under the same control id: AR, or it is recorded under `id~digest`; default `reject` */
  conflicts?: "reject" | "keep";
  /** told of `gateway/mllp-conflict`, without patient data */
  onAlert?: (code: string) => void;
  /** told of what is no message */
  onOddity?: (oddity: MllpOddity) => void;
  /** who is let in with a message; left out: everybody */
  admission?: Admission;
}

/** A message on its way to its verdict. */
interface Taken {
  readonly message: Uint8Array;
  /** `""`: it has no actor, and holds nobody up */
  readonly keyText: string;
  /** null until it is known */
  settled: Verdict | null;
  readonly verdict: Promise<Verdict>;
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

const ID_UNITS_MAX = 200;

/** One connection's conversation. */
export class MllpSession {
  readonly #options: MllpSessionOptions;
  readonly #decoder: MllpDecoder;
  readonly #sender: string;
  readonly #contentType: string;
  #refusals = 0;
  readonly #slots: Slot[] = [];
  readonly #lastOfKey = new Map<string, Taken>();
  #acks = 0;
  #garbageBytes = 0;
  #isWriting = false;
  #isBroken = false;
  #wake: (() => void)[] = [];

  constructor(options: MllpSessionOptions) {
    this.#options = options;
    this.#decoder = new MllpDecoder(options.messageBytesMax);
    this.#sender = `mllp:${options.service.newId()}`;
    const { charset = "" } = options.route;
    this.#contentType = charset === "" ? HL7_CONTENT_TYPE : `${HL7_CONTENT_TYPE}; charset=${charset}`;
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
    const taken = this.#begin(event.bytes);
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
      taken.push(this.#begin(message));
    }
    Promise.all(taken.map(({ verdict }) => verdict)).then((verdicts) => {
      const acks = verdicts.map((verdict, i) => joined(this.#acksOf(taken[i].message, verdict)));
      slot.answer = encodeMllp(batch.answer(acks, { id: this.#ackId(), now: this.#now() }));
      if (!this.#isWriting) this.#flush();
    });
  }

  /** Begins to record a message; it waits for the one of the same actor before it. */
  #begin(message: Uint8Array): Taken {
    this.#options.counters.messages++;
    const answer = readHl7Route(message, this.#options.route);
    if (answer.state === "refused") {
      const isHl7 = answer.code === "wire/no-key";
      if (!isHl7) {
        this.#options.counters.notHl7++;
        this.#options.onOddity?.("no HL7");
      }
      return refused(message, never(`${answer.code}: ${answer.message}`, isHl7 ? 101 : 100));
    }
    const key = { kind: "patient", facility: answer.route.facility, id: answer.route.id };
    const id = messageId(answer.route, message);
    try {
      fullKey(key);
    } catch (error) {
      return refused(message, never(error instanceof WaterparkError ? error.message : "", 102));
    }
    if (id.length > ID_UNITS_MAX) {
      return refused(message, never(`gateway/bad-id: MSH-10 is over ${ID_UNITS_MAX} characters`, 102));
    }
    const keyText = formatKey(key);
    const before = this.#lastOfKey.get(keyText);
    const record = () => this.#record({ key, id, type: answer.route.type, message });
    const verdict = before === undefined
      ? record()
      : before.verdict.then((earlier) =>
        earlier.code === "AE" ? notNow("gateway/behind-refused: an earlier message was not recorded") : record()
      );
    const taken: Taken = { message, keyText, settled: null, verdict };
    this.#lastOfKey.set(keyText, taken);
    verdict.then((settled) => {
      taken.settled = settled;
      this.#count(settled);
    });
    return taken;
  }

  #refuse(message: Uint8Array, verdict: Verdict): void {
    this.#slots.push({
      answer: joined(this.#acksOf(message, verdict).map(encodeMllp)),
      taken: [refused(message, verdict)],
    });
    if (!this.#isWriting) this.#flush();
  }

  // never rejects: every failure has a verdict
  async #record(message: { key: ActorKey; id: string; type: string; message: Uint8Array }): Promise<Verdict> {
    const { admission } = this.#options;
    if (admission?.enter() === false) {
      this.#refusals++;
      return notNow("gateway/busy: more is under way than gets done in time");
    }
    const verdict = await this.#recordNow(message);
    admission?.leave(verdict === RECORDED);
    return verdict;
  }

  async #recordNow(message: { key: ActorKey; id: string; type: string; message: Uint8Array }): Promise<Verdict> {
    const { service, counters, conflicts = "reject" } = this.#options;
    const posting = {
      key: message.key,
      id: message.id,
      type: message.type,
      contentType: this.#contentType,
      payload: message.message,
      // Who gets AE and goes on without repeating has decided so: his next messages are another stream.
      sender: `${this.#sender}.${this.#refusals}`,
    };
    try {
      const answer = await service.post(posting);
      if (answer.state === "recorded") {
        if (answer.duplicate) counters.duplicates++;
        return RECORDED;
      }
      if (!answer.code.endsWith("/conflict")) {
        this.#refusals++;
        return verdictOf(answer);
      }
      // Senders do begin their control ids anew, with other messages: that is worth an alert, whatever becomes of it.
      counters.conflicts++;
      this.#options.onAlert?.("gateway/mllp-conflict");
      if (conflicts === "reject") return never("gateway/mllp-conflict: MSH-10 is that of another message", 205);
      const id = `${message.id}~${digestText(digest64(message.message))}`;
      return verdictOf(await service.post({ ...posting, id }));
    } catch (error) {
      this.#refusals++;
      if (error instanceof WaterparkError) {
        return verdictOf({ state: "refused", code: error.code, outcome: error.outcome, message: error.message });
      }
      return notNow("gateway/unexpected: not known whether it is recorded");
    }
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
    for (const one of taken) {
      if (one.keyText === "") this.#count(one.settled as Verdict);
      else if (this.#lastOfKey.get(one.keyText) === one) this.#lastOfKey.delete(one.keyText);
    }
  }

  #count({ code }: Verdict): void {
    const { counters } = this.#options;
    if (code === "AA") counters.accepted++;
    else if (code === "AE") counters.deferred++;
    else counters.rejected++;
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

function refused(message: Uint8Array, verdict: Verdict): Taken {
  return { message, keyText: "", settled: verdict, verdict: Promise.resolve(verdict) };
}

// Facility and control id; of a message that lacks the latter its digest, so that it still stands once.
function messageId(route: Hl7Route, message: Uint8Array): string {
  return `${route.sendingFacility}/${route.controlId || "~" + digestText(digest64(message))}`;
}
