/**
 * One MLLP connection's messages on their way into their actors: side by side, but those of one actor one after the other.
 *
 * That is stricter than the mailroom's own order, and needed: what the mailroom refuses (busy, or the id is taken) is
 * settled here, by a refusal or under another id, and must not be overtaken by what came later. For the same reason a
 * message that waits behind one that got AE gets AE too: the sender repeats both, in its order. It costs a sender that
 * floods one single actor its pipelining; wards and laboratories do not do that.
 *
 * @module
 */
import { type ActorKey, digest64, digestText, formatKey, fullKey, WaterparkError } from "../base/mod.ts";
import { HL7_CONTENT_TYPE, type Hl7Route, type Hl7RouteOptions, readHl7Route } from "../wire/mod.ts";
import type { Admission } from "./admission.ts";
import type { MllpCounters } from "./mllp_counters.ts";
import { type MllpApplication, never, notNow, RECORDED, type Verdict, verdictOf } from "./mllp_verdict.ts";
import type { NodeService, PostAnswer } from "./service.ts";

/** What a connection brought that is no message; each kind is counted, and logged once a connection, without its bytes. */
export type MllpOddity = "bytes outside frames" | "no HL7" | "no end" | "too large" | "short batch";

/** What a recorder needs. */
export interface MllpRecorderOptions {
  /** where messages are recorded */
  service: Pick<NodeService, "post" | "whenHandled" | "newId" | "nowWallMs">;
  /** added to */
  counters: MllpCounters;
  /** default `recorded` */
  application?: MllpApplication;
  /** where a message's key stands, and the charset of those that do not say */
  route: Hl7RouteOptions;
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
export interface Taken {
  readonly message: Uint8Array;
  /** `""`: it has no actor, and holds nobody up */
  readonly keyText: string;
  /** null until it is known */
  settled: Verdict | null;
  readonly verdict: Promise<Verdict>;
}

const ID_UNITS_MAX = 200;

/** One connection's way in. */
export class MllpRecorder {
  readonly #options: MllpRecorderOptions;
  readonly #sender: string;
  readonly #contentType: string;
  #refusals = 0;
  readonly #lastOfKey = new Map<string, Taken>();

  /** @param sender names the connection: the stream whose messages to one actor stay in order */
  constructor(options: MllpRecorderOptions, sender: string) {
    this.#options = options;
    this.#sender = sender;
    const { charset = "" } = options.route;
    this.#contentType = charset === "" ? HL7_CONTENT_TYPE : `${HL7_CONTENT_TYPE}; charset=${charset}`;
  }

  /** Begins to record a message; it waits for the one of the same actor before it. */
  begin(message: Uint8Array): Taken {
    this.#options.counters.messages++;
    const answer = readHl7Route(message, this.#options.route);
    if (answer.state === "refused") {
      const isHl7 = answer.code === "wire/no-key";
      if (!isHl7) {
        this.#options.counters.notHl7++;
        this.#options.onOddity?.("no HL7");
      }
      return this.refuse(message, never(`${answer.code}: ${answer.message}`, isHl7 ? 101 : 100));
    }
    const key = { kind: "patient", facility: answer.route.facility, id: answer.route.id };
    const id = messageId(answer.route, message);
    try {
      fullKey(key);
    } catch (error) {
      return this.refuse(message, never(error instanceof WaterparkError ? error.message : "", 102));
    }
    if (id.length > ID_UNITS_MAX) {
      return this.refuse(message, never(`gateway/bad-id: MSH-10 is over ${ID_UNITS_MAX} characters`, 102));
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

  /** A message that is not to be recorded, whatever it is. */
  refuse(message: Uint8Array, verdict: Verdict): Taken {
    return { message, keyText: "", settled: verdict, verdict: Promise.resolve(verdict) };
  }

  /** Its sender was told; only now does a later message of the actor not wait behind it any more. */
  answered(taken: Taken): void {
    if (taken.keyText === "") this.#count(taken.settled as Verdict);
    else if (this.#lastOfKey.get(taken.keyText) === taken) this.#lastOfKey.delete(taken.keyText);
  }

  // never rejects: every failure has a verdict
  async #record(message: { key: ActorKey; id: string; type: string; message: Uint8Array }): Promise<Verdict> {
    const { admission } = this.#options;
    if (admission?.enter() === false) {
      this.#refusals++;
      return notNow("gateway/busy: more is under way than gets done in time");
    }
    const verdict = await this.#recordNow(message);
    admission?.leave(verdict.code === "AA");
    return verdict;
  }

  async #recordNow(message: { key: ActorKey; id: string; type: string; message: Uint8Array }): Promise<Verdict> {
    const { service, counters, conflicts = "reject", application } = this.#options;
    const { key } = message;
    const recorded = ({ receipt: { seq } }: PostAnswer & { state: "recorded" }): Verdict =>
      application === "handled" ? { ...RECORDED, place: { key, seq } } : RECORDED;
    const posting = {
      key,
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
        return recorded(answer);
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
      const kept = await service.post({ ...posting, id });
      return kept.state === "recorded" ? recorded(kept) : verdictOf(kept);
    } catch (error) {
      this.#refusals++;
      if (error instanceof WaterparkError) {
        return verdictOf({ state: "refused", code: error.code, outcome: error.outcome, message: error.message });
      }
      return notNow("gateway/unexpected: not known whether it is recorded");
    }
  }

  #count({ code }: Verdict): void {
    const { counters } = this.#options;
    if (code === "AA") counters.accepted++;
    else if (code === "AE") counters.deferred++;
    else counters.rejected++;
  }
}

// Facility and control id; of a message that lacks the latter its digest, so that it still stands once.
function messageId(route: Hl7Route, message: Uint8Array): string {
  return `${route.sendingFacility}/${route.controlId || "~" + digestText(digest64(message))}`;
}
