/**
 * mllpSink: HL7 v2 messages go to a receiver over MLLP, and are done when it says so.
 *
 *     import { mllpSink } from "@waterpark/waterpark/sinks/mllp";
 *     export default mllpSink({ name: "to-ehr", host: "ehr.example", port: 2575 });
 *
 * Connections stay open. An actor's messages always take the same one, each after the answer to the one before it, so
 * their order holds; actors beside each other spread over the connections. A message that is sent again, as its answer was
 * lost, is the same bytes under the same MSH-10, by which a receiver can tell.
 *
 * @module
 */
import {
  defineSink,
  type Delivery,
  type DeliveryEnd,
  editHl7,
  encodeHl7,
  type Hl7View,
  parseHl7,
  type SinkDefinition,
} from "@waterpark/waterpark";
import { cannotBeFramed } from "./mllp_frames.ts";
import { type LaneConnection, MllpLane } from "./mllp_lane.ts";

/** Certificates, each in a file (PEM) that the node has, or in one of its environment variables. */
export interface MllpTls {
  /** who vouches for the receiver; left out: the usual authorities */
  readonly ca?: { readonly file: string } | { readonly env: string };
  /** who we are, where the receiver asks: certificate and key */
  readonly cert?: { readonly file: string } | { readonly env: string };
  /** the certificate's private key */
  readonly key?: { readonly file: string } | { readonly env: string };
}

/** Where to, and how. */
export interface MllpSinkOptions {
  /** the sink's name; usual: `mllp` */
  readonly name?: string;
  /** name or address of the receiver; with TLS its certificate must name it */
  readonly host: string;
  /** its port */
  readonly port: number;
  /** connections, 1 to 64; usual: 4. Some receivers take one only */
  readonly connections?: number;
  /** left out: plain TCP */
  readonly tls?: true | MllpTls;
  /** ms for a connection, TLS included; usual: 5000 */
  readonly connectMs?: number;
  /** ms for an answer; usual: 15000 */
  readonly answerMs?: number;
  /**
   * which answer ends a delivery in enhanced mode. `accept`, the usual: the first one, so CA too, as the receiver has the
   * message then. `application`: after CA the AA, AE or AR that must follow on the same connection
   */
  readonly until?: "accept" | "application";
  /** `may-differ` for receivers that do not repeat the control id in MSA-2; usual: `must-match` */
  readonly answerId?: "must-match" | "may-differ";
  /**
   * `declared`, the usual: text is written in the charset that its MSH-18 declares, bytes that are no UTF-8 go as they are.
   * `as-is`: nothing is touched
   */
  readonly charset?: "declared" | "as-is";
  /** as in `SinkDefinition`; usual: 10000 attempts, after 0.5 s, then at most 30 s: more than three days */
  readonly retry?: SinkDefinition["retry"];
  /** as in `SinkDefinition` */
  readonly whenDead?: SinkDefinition["whenDead"];
}

type Verdict = { readonly code: string; readonly error: string; readonly isOther: boolean; readonly text: string };

/** A lane, and the last messages that it had a CA for. */
interface Receiver {
  readonly lane: MllpLane<Verdict>;
  readonly accepted: Set<string>;
}

const ACCEPTED_MAX = 1_000;
const WAIT_MS = 20_000;
const CALLS = 8;

/**
 * A sink that sends HL7 v2 over MLLP; a plugin's module exports the answer as its default. It may connect to its host.
 *
 * AA and CA are done; AE and CE are tried again, as is what had no answer, so that a receiver may get a message twice,
 * under the same control id; AR and CR make a dead letter. A message without MSH-10 gets the effect's id, shortened.
 *
 * @throws {TypeError} when an option cannot be used
 *
 * @example
 * ```ts
 * import { mllpSink } from "./mllp.ts";
 * const sink = mllpSink({ name: "to-ehr", host: "ehr.example", port: 2575, tls: { ca: { file: "/etc/ehr/ca.pem" } } });
 * if (sink.permissions?.net?.[0] !== "ehr.example:2575") throw new Error("unreachable");
 * ```
 */
export function mllpSink(options: MllpSinkOptions): SinkDefinition & { readonly plugin: "sink" } {
  const { name = "mllp", host, port, connections = 4, connectMs = 5_000, answerMs = 15_000, whenDead } = options;
  whole("port", port, [1, 65_535]);
  whole("connections", connections, [1, 64]);
  whole("connectMs", connectMs, [10, 60_000]);
  whole("answerMs", answerMs, [10, 300_000]);
  if (!/^[\w.:-]{1,253}$/.test(host)) {
    throw new TypeError(`Cannot use the host ${JSON.stringify(host)} as it must be a name or an address`);
  }
  const tls = options.tls === true ? {} : options.tls;
  if ((tls?.cert === undefined) !== (tls?.key === undefined)) {
    throw new TypeError("Cannot use tls.cert without tls.key, nor the other way");
  }
  const places = [tls?.ca, tls?.cert, tls?.key].filter((place) => place !== undefined);
  const connect = () => within(connectMs, open({ host, port, tls }));
  return defineSink({
    name,
    permissions: {
      net: [`${host.includes(":") ? `[${host}]` : host}:${port}`],
      read: places.flatMap((place) => "file" in place ? [place.file] : []),
      env: places.flatMap((place) => "env" in place ? [place.env] : []),
    },
    // the longest that a delivery may take once it is in our hands, and a margin
    limits: { callMs: Math.min(600_000, WAIT_MS + connectMs + answerMs + 5_000), openMax: CALLS },
    batchMax: connections,
    retry: { attempts: 10_000, firstMs: 500, mostMs: 30_000, ...options.retry },
    whenDead,
    open() {
      const receivers: Receiver[] = Array.from({ length: connections }, () => ({
        lane: new MllpLane(connect, { answerMs, waitMs: WAIT_MS }),
        accepted: new Set(),
      }));
      return Promise.resolve({
        deliver: (all) =>
          Promise.all(all.map((delivery) => deliverTo(receivers[laneOf(delivery, connections)], delivery, options))),
        async check() {
          (await connect()).close();
          return `${host}:${port} lets one in${tls === undefined ? "" : " over TLS"}`;
        },
        close() {
          for (const { lane } of receivers) lane.close();
          return Promise.resolve();
        },
      });
    },
  });
}

async function deliverTo(
  { lane, accepted }: Receiver,
  delivery: Delivery,
  options: MllpSinkOptions,
): Promise<DeliveryEnd> {
  const ready = messageOf(delivery, options);
  if (!("bytes" in ready)) return ready;
  const { bytes, id } = ready;
  const until = options.until ?? "accept";
  const mayDiffer = options.answerId === "may-differ";
  const exchanged = await lane.exchange(bytes, (answer) => {
    const value = readAnswer(answer, { id, until, accepted, mayDiffer });
    return value && { value, isOutOfStep: value.code === "" || value.isOther };
  });
  if (exchanged.state === "failed") return { state: "retry", code: exchanged.code, text: exchanged.text };
  const { code, error, isOther, text } = exchanged.value;
  const answer = text.slice(0, 4_000);
  if (code === "") return { state: "retry", code: "mllp/bad-answer", text: "the answer is no HL7 acknowledgement" };
  if (isOther) {
    return { state: "retry", code: "mllp/other-answer", text: "MSA-2 of the answer is not the message's control id" };
  }
  const why = error === "" ? code : `${code}, error ${error}`;
  if (code === "CA") {
    if (accepted.size >= ACCEPTED_MAX) accepted.clear();
    accepted.add(id);
  }
  if (code[1] === "A") return { state: "done", answer };
  if (code[1] === "R") return { state: "dead", code: "mllp/rejected", text: `the receiver says ${why}`, answer };
  return { state: "retry", code: "mllp/error", text: `the receiver says ${why}` };
}

// what there is to send, or why there is not
function messageOf(
  delivery: Delivery,
  { charset = "declared" }: MllpSinkOptions,
): { bytes: Uint8Array; id: string } | DeliveryEnd {
  const dead = (code: string, text: string): DeliveryEnd => ({ state: "dead", code, text });
  let { bytes } = delivery;
  let view: Hl7View;
  try {
    view = parseHl7(binaryOf(bytes));
  } catch {
    return dead("mllp/not-hl7", "it does not begin with an MSH segment");
  }
  if (view.get("MSH-15") === "NE" && /^(?:NE)?$/.test(view.get("MSH-16"))) {
    return dead(
      "mllp/no-answer-asked",
      "it asks for no answer (MSH-15, MSH-16), so nobody could tell whether it arrived",
    );
  }
  if (view.get("MSH-10") === "") {
    view = editHl7(view).set("MSH-10", shortId(delivery.id)).done();
    bytes = Uint8Array.from(view.text, (character) => character.charCodeAt(0));
  }
  if (charset === "declared") {
    const text = utf8Of(bytes);
    const encoded = text === null ? bytes : encodeHl7(text, view.get("MSH-18"));
    if (encoded === null) return dead("mllp/charset", "a character of it has no place in the charset of MSH-18");
    if (encoded !== bytes) view = parseHl7(binaryOf(bytes = encoded));
  }
  if (cannotBeFramed(bytes)) return dead("mllp/not-framed", "it holds the byte that ends a frame");
  return { bytes, id: view.raw("MSH-10") };
}

// undefined: not the one that is waited for
function readAnswer(
  answer: Uint8Array,
  { id, until, accepted, mayDiffer }: {
    id: string;
    until: "accept" | "application";
    accepted: Set<string>;
    mayDiffer: boolean;
  },
): Verdict | undefined {
  let view: Hl7View;
  try {
    view = parseHl7(binaryOf(answer));
  } catch {
    return { code: "", error: "", isOther: false, text: "" };
  }
  const code = view.get("MSA-1");
  if (!/^[AC][AER]$/.test(code)) return { code: "", error: "", isOther: false, text: "" };
  const answered = view.raw("MSA-2");
  const isOther = answered !== id && !mayDiffer;
  if (!isOther && code === "CA" && until === "application") return undefined;
  // in enhanced mode an earlier message's AA may come late, when its CA was enough for us
  if (isOther && code[0] === "A" && accepted.delete(answered)) return undefined;
  const error = view.get("ERR-3.1") || view.get("ERR-1.4.1");
  return { code, error: /^\w{1,10}$/.test(error) ? error : "", isOther, text: view.text };
}

async function open({ host, port, tls }: { host: string; port: number; tls?: MllpTls }): Promise<LaneConnection> {
  if (tls === undefined) {
    const connection = await Deno.connect({ hostname: host, port });
    connection.setNoDelay(true);
    connection.setKeepAlive(true);
    return connection;
  }
  const [ca, cert, key] = await Promise.all([tls.ca, tls.cert, tls.key].map(readPem));
  const identity = cert === undefined || key === undefined ? {} : { cert, key };
  const connection = await Deno.connectTls({
    hostname: host,
    port,
    caCerts: ca === undefined ? undefined : [ca],
    ...identity,
  });
  try {
    await connection.handshake();
  } catch (error) {
    connection.close();
    throw error;
  }
  return connection;
}

async function readPem(place: MllpTls["ca"]): Promise<string | undefined> {
  if (place === undefined) return undefined;
  if ("file" in place) return await Deno.readTextFile(place.file);
  const text = Deno.env.get(place.env);
  if (text === undefined) throw new Error(`there is no environment variable ${place.env}`);
  return text;
}

function within(ms: number, connecting: Promise<LaneConnection>): Promise<LaneConnection> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`none in ${ms} ms`));
      connecting.then((late) => late.close(), () => {});
    }, ms);
    connecting.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function laneOf({ key }: Delivery, lanes: number): number {
  let hash = 0x811c9dc5;
  for (const character of `${key.kind}/${key.facility}/${key.id}`) {
    hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193);
  }
  return (hash >>> 0) % lanes;
}

// the same at every attempt, and in the 20 characters that old receivers read
function shortId(id: string): string {
  if (id.length <= 20 && /^[\w.:/-]+$/.test(id)) return id;
  let a = 0x811c9dc5, b = 0x9747b28c;
  for (let i = 0; i < id.length; i++) {
    a = Math.imul(a ^ id.charCodeAt(i), 0x01000193);
    b = Math.imul(b ^ id.charCodeAt(i), 0x5bd1e995) ^ (b >>> 13);
  }
  return [a, b].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
}

// one character a byte: for looking at delimiters and ids, whatever the charset is
function binaryOf(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8_192) text += String.fromCharCode(...bytes.subarray(at, at + 8_192));
  return text;
}

function utf8Of(bytes: Uint8Array): string | null {
  if (bytes.every((byte) => byte < 0x80)) return null;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

function whole(what: string, value: number, [least, most]: [number, number]): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new TypeError(`Cannot use ${what} as it must be a whole number from ${least} to ${most}: ${value}`);
  }
}
