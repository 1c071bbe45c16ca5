/**
 * One MLLP connection's conversation, without its socket: bytes in, acknowledgements out, in the order of arrival.
 *
 * Messages of different actors are recorded side by side, up to `inFlightMax` of them; messages of one actor one after
 * the other. That is stricter than the mailroom's own order, and needed: what the mailroom refuses (busy, or the id is
 * taken) is settled here, by a refusal or under another id, and must not be overtaken by what came later. For the same
 * reason a message that waits behind one that got AE gets AE too: the sender repeats both, in its order. It costs a
 * sender that floods one single actor its pipelining; wards and laboratories do not do that.
 *
 * Payloads, ids and keys appear in acknowledgements to their own sender only, never in logs.
 *
 * @module
 */
import { type ActorKey, digest64, digestText, formatKey, fullKey, WaterparkError } from "../base/mod.ts";
import {
  buildAck,
  HL7_CONTENT_TYPE,
  type Hl7AckCode,
  type Hl7Route,
  type Hl7RouteOptions,
  hl7Timestamp,
  isAck,
  readHl7Route,
} from "../wire/mod.ts";
import { encodeMllp, MllpDecoder, type MllpEvent } from "./mllp_decoder.ts";
import type { Admission } from "./admission.ts";
import type { NodeService, PostAnswer } from "./service.ts";

/** What all connections of a listener count together. */
export interface MllpCounters {
  /** messages taken in, whatever became of them */
  messages: number;
  /** answered AA: recorded */
  accepted: number;
  /** answered AE: not now */
  deferred: number;
  /** answered AR: never */
  rejected: number;
  /** same id, other bytes: recorded under `id~digest` */
  conflicts: number;
  /** messages over the limit */
  tooLarge: number;
  /** bytes that belong to no message */
  garbageBytes: number;
}

/** Nothing counted yet. */
export function noMllpCounts(): MllpCounters {
  return { messages: 0, accepted: 0, deferred: 0, rejected: 0, conflicts: 0, tooLarge: 0, garbageBytes: 0 };
}

/** What a session needs. */
export interface MllpSessionOptions {
  /** where messages are recorded */
  service: Pick<NodeService, "post" | "newId" | "nowWallMs">;
  /** sends bytes to the peer; resolves when they are taken, rejects when the connection is gone */
  write(bytes: Uint8Array): Promise<void>;
  /** added to */
  counters: MllpCounters;
  /** where a message's key stands */
  route: Hl7RouteOptions;
  /** largest message, bytes */
  messageBytesMax: number;
  /** messages taken in and not yet answered; beyond, the peer is not read */
  inFlightMax: number;
  /** told of `gateway/mllp-conflict`, without patient data */
  onAlert?: (code: string) => void;
  /** who is let in with a message; left out: everybody */
  admission?: Admission;
}

interface Verdict {
  code: Hl7AckCode;
  text: string;
  errorCode: number;
}

interface Slot {
  frame: Uint8Array | null;
  code: Hl7AckCode;
  keyText: string;
  verdict: Promise<Verdict>;
}

const RECORDED: Verdict = { code: "AA", text: "", errorCode: 0 };

/** A peer that sent so much that is no MLLP speaks another protocol, bytes. */
const GARBAGE_BYTES_MAX = 64 * 1024;

const ID_UNITS_MAX = 200;

/** One connection's conversation. */
export class MllpSession {
  readonly #options: MllpSessionOptions;
  readonly #decoder: MllpDecoder;
  readonly #sender: string;
  #refusals = 0;
  readonly #slots: Slot[] = [];
  readonly #lastOfKey = new Map<string, Slot>();
  #acks = 0;
  #garbageBytes = 0;
  #isWriting = false;
  #isBroken = false;
  #wake: (() => void)[] = [];

  constructor(options: MllpSessionOptions) {
    this.#options = options;
    this.#decoder = new MllpDecoder(options.messageBytesMax);
    this.#sender = `mllp:${options.service.newId()}`;
  }

  /** messages taken in and not yet answered */
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
    for (const event of this.#decoder.push(chunk)) {
      while (this.#slots.length >= this.#options.inFlightMax && !this.#isBroken) await this.#change();
      if (this.#isBroken) return false;
      this.#take(event);
    }
    this.#options.counters.garbageBytes += this.#decoder.garbageBytes - this.#garbageBytes;
    this.#garbageBytes = this.#decoder.garbageBytes;
    return !this.#isBroken && this.#garbageBytes <= GARBAGE_BYTES_MAX;
  }

  /** Resolves when everything taken in is answered, or cannot be any more. */
  async drain(): Promise<void> {
    while (this.#slots.length > 0 && !this.#isBroken) await this.#change();
  }

  #take(event: MllpEvent): void {
    const { counters, route } = this.#options;
    counters.messages++;
    if (event.state === "too-large") {
      counters.tooLarge++;
      return this.#answerNow(event.head, never(`gateway/too-large: over ${this.#options.messageBytesMax} bytes`, 102));
    }
    const message = event.bytes;
    // answering an acknowledgement makes two machines thank each other for ever
    if (isAck(message)) return;
    const answer = readHl7Route(message, route);
    if (answer.state === "refused") {
      return this.#answerNow(
        message,
        never(`${answer.code}: ${answer.message}`, answer.code === "wire/no-key" ? 101 : 100),
      );
    }
    const key = { kind: "patient", facility: answer.route.facility, id: answer.route.id };
    const id = messageId(answer.route, message);
    try {
      fullKey(key);
    } catch (error) {
      return this.#answerNow(message, never(error instanceof WaterparkError ? error.message : "", 102));
    }
    if (id.length > ID_UNITS_MAX) {
      return this.#answerNow(message, never(`gateway/bad-id: MSH-10 is over ${ID_UNITS_MAX} characters`, 102));
    }
    const keyText = formatKey(key);
    const before = this.#lastOfKey.get(keyText);
    const record = () => this.#record({ key, id, type: answer.route.type, message });
    const verdict = before === undefined
      ? record()
      : before.verdict.then((earlier) =>
        earlier.code === "AE" ? notNow("gateway/behind-refused: an earlier message was not recorded") : record()
      );
    const slot: Slot = { frame: null, code: "AE", keyText, verdict };
    this.#lastOfKey.set(keyText, slot);
    this.#slots.push(slot);
    verdict.then((settled) => this.#settle(slot, message, settled));
  }

  #answerNow(message: Uint8Array, verdict: Verdict): void {
    const slot: Slot = { frame: null, code: "AR", keyText: "", verdict: Promise.resolve(verdict) };
    this.#slots.push(slot);
    this.#settle(slot, message, verdict);
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
    const posting = {
      key: message.key,
      id: message.id,
      type: message.type,
      contentType: HL7_CONTENT_TYPE,
      payload: message.message,
      // Who gets AE and goes on without repeating has decided so: his next messages are another stream.
      sender: `${this.#sender}.${this.#refusals}`,
    };
    try {
      const answer = await this.#options.service.post(posting);
      if (answer.state === "recorded") return RECORDED;
      if (!answer.code.endsWith("/conflict")) {
        this.#refusals++;
        return verdictOf(answer);
      }
      // Senders do begin their control ids anew, with other messages: keeping both is right, and worth an alert.
      this.#options.counters.conflicts++;
      this.#options.onAlert?.("gateway/mllp-conflict");
      const id = `${message.id}~${digestText(digest64(message.message))}`;
      return verdictOf(await this.#options.service.post({ ...posting, id }));
    } catch (error) {
      this.#refusals++;
      if (error instanceof WaterparkError) {
        return verdictOf({ state: "refused", code: error.code, outcome: error.outcome, message: error.message });
      }
      return notNow("gateway/unexpected: not known whether it is recorded");
    }
  }

  #settle(slot: Slot, message: Uint8Array, verdict: Verdict): void {
    const { service } = this.#options;
    slot.code = verdict.code;
    slot.frame = encodeMllp(buildAck({
      message,
      code: verdict.code,
      text: verdict.text,
      errorCode: verdict.errorCode,
      now: hl7Timestamp(service.nowWallMs()),
      // 20 characters are all that MSH-10 has in old versions
      id: `${this.#sender.slice(5, 13)}${(++this.#acks).toString(36)}`,
    }));
    if (!this.#isWriting) this.#flush();
  }

  async #flush(): Promise<void> {
    this.#isWriting = true;
    // one turn often settles many: they leave in one write
    await Promise.resolve();
    for (;;) {
      let ready = 0;
      while (ready < this.#slots.length && this.#slots[ready].frame !== null) ready++;
      if (ready === 0 || this.#isBroken) break;
      try {
        await this.#options.write(joined(this.#slots.slice(0, ready).map((slot) => slot.frame as Uint8Array)));
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

  #close(slot: Slot): void {
    const { counters } = this.#options;
    if (slot.code === "AA") counters.accepted++;
    else if (slot.code === "AE") counters.deferred++;
    else counters.rejected++;
    if (this.#lastOfKey.get(slot.keyText) === slot) this.#lastOfKey.delete(slot.keyText);
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

// Facility and control id; of a message that lacks the latter its digest, so that it still stands once.
function messageId(route: Hl7Route, message: Uint8Array): string {
  return `${route.sendingFacility}/${route.controlId || "~" + digestText(digest64(message))}`;
}

function verdictOf(answer: PostAnswer): Verdict {
  if (answer.state === "recorded") return RECORDED;
  const text = `${answer.code}: ${answer.message}`;
  const isFinal = answer.outcome === "not-applied" && answer.retryAfterMs === undefined &&
    /\/(?:bad-|too-large|conflict)/.test(answer.code);
  return isFinal ? never(text, 102) : notNow(text);
}

function notNow(text: string): Verdict {
  return { code: "AE", text, errorCode: 207 };
}

function never(text: string, errorCode: number): Verdict {
  return { code: "AR", text, errorCode };
}

function joined(frames: Uint8Array[]): Uint8Array {
  if (frames.length === 1) return frames[0];
  const all = new Uint8Array(frames.reduce((sum, frame) => sum + frame.length, 0));
  let at = 0;
  for (const frame of frames) {
    all.set(frame, at);
    at += frame.length;
  }
  return all;
}
