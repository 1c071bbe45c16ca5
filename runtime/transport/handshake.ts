/**
 * The handshake, as a pure core: frames in, frames out. Two strangers at a door, each with half of the evidence.
 *
 *     dialler                                   listener
 *     hello {who, cluster, nonce}       ->
 *                                       <-      hello {who, cluster, nonce}
 *     proof = HMAC(key, 1 | hellos)     ->      checks it, then compares clusters
 *                                       <-      welcome = HMAC(key, 2 | hellos), on every lane
 *
 * Each proof covers both hellos, so both nonces, names, incarnations and cluster ids; the leading byte tells the sides
 * apart, so no proof can be sent back to its maker. The listener proves itself last: somebody without the secret gets
 * nothing to work on. It costs two round trips. TLS below already shows the dialler that the listener has the secret;
 * the handshake shows the listener, as QUIC here has no client certificates.
 *
 * The welcome goes out on every lane since lanes do not wait for each other: whatever follows on a lane, follows it.
 */
import { commonVersion, FRAME, pack, type ProtocolRange, unpack } from "../wire/mod.ts";
import { parseAddress } from "./address.ts";
import { isRefusal, type RefusalCode } from "./errors.ts";
import { hmac, isEqualSecret } from "./secret.ts";

/** Bytes of a nonce. */
export const NONCE_BYTES = 32;
const TEXT_UNITS_MAX = 300;
const WHOLE_MAX = 2 ** 52;

/** Who stands at the other end of a link. */
export interface Peer {
  /** the node's name */
  name: string;
  /** this life of it */
  incarnation: number;
  /** `host:port` where its mesh listens */
  address: string;
}

/** What a hello says. */
export interface Hello extends Peer {
  /** `null` on a node that is about to join */
  clusterId: string | null;
}

/** What a step of the handshake asks for. */
export interface HandshakeStep {
  /** to be sent, in order; a welcome on every lane, everything else on the control lane */
  send: { type: number; payload: Uint8Array }[];
  /** set when the handshake is over; `isTold`: the refusal came from the other side */
  end: { state: "linked"; peer: Hello; call: number; version: number } | {
    state: "refused";
    code: RefusalCode;
    isTold: boolean;
  } | null;
}

/** What one side brings to the handshake. */
export interface HandshakeOptions {
  /** which side of the connection this is */
  side: "dial" | "accept";
  /** what to say about oneself */
  self: Hello;
  /** by which both prove that they have the secret */
  proofKey: Uint8Array;
  /** fresh random bytes, {@linkcode NONCE_BYTES} */
  nonce: Uint8Array;
  /** how many calls this node has made, this one among them; 0 when it was called */
  call: number;
  /** versions of the protocol that this node speaks; both hellos are proved, so nobody can lower the common one */
  protocol: ProtocolRange;
}

const NOTHING: HandshakeStep = { send: [], end: null };

/** One handshake on one connection. */
export class Handshake {
  readonly #options: HandshakeOptions;
  readonly #helloBytes: Uint8Array;
  #peer: Hello | null = null;
  #peerCall = 0;
  #version = 0;
  #peerHelloBytes: Uint8Array | null = null;
  #isOver = false;

  constructor(options: HandshakeOptions) {
    this.#options = options;
    const { name, incarnation, address, clusterId } = options.self;
    const versions = [options.protocol.oldest, options.protocol.newest];
    this.#helloBytes = pack({
      versions,
      name,
      incarnation,
      address,
      clusterId,
      call: options.call,
      nonce: options.nonce,
    });
  }

  /** What to send when the connection has opened. */
  start(): HandshakeStep {
    return this.#options.side === "dial" ? this.#hello() : NOTHING;
  }

  /** Takes one frame of the other side; what does not belong here now is let pass, a frame can come twice. */
  receive(type: number, payload: Uint8Array): HandshakeStep {
    if (this.#isOver) return NOTHING;
    switch (type) {
      case FRAME.HELLO:
        return this.#receiveHello(payload);
      case FRAME.HELLO_PROOF:
        return this.#options.side === "accept" ? this.#receiveProof(payload) : NOTHING;
      case FRAME.WELCOME:
        return this.#options.side === "dial" ? this.#receiveProof(payload) : NOTHING;
      case FRAME.REFUSED:
        this.#isOver = true;
        return { send: [], end: { state: "refused", code: refusalOf(payload), isTold: true } };
      default:
        return NOTHING;
    }
  }

  #hello(): HandshakeStep {
    return { send: [{ type: FRAME.HELLO, payload: this.#helloBytes }], end: null };
  }

  #receiveHello(payload: Uint8Array): HandshakeStep {
    if (this.#peer !== null) return NOTHING;
    const read = readHello(payload, this.#options.protocol);
    if (typeof read === "string") return this.#refuse(read);
    if (read.hello.incarnation === this.#options.self.incarnation) return this.#refuse("transport/self");
    this.#peer = read.hello;
    this.#peerCall = read.call;
    this.#version = read.version;
    this.#peerHelloBytes = payload.slice();
    if (this.#options.side === "accept") return this.#hello();
    return { send: [{ type: FRAME.HELLO_PROOF, payload: this.#proof("dial") }], end: null };
  }

  #receiveProof(payload: Uint8Array): HandshakeStep {
    const peer = this.#peer;
    if (peer === null) return this.#refuse("transport/bad-hello");
    const { side, self } = this.#options;
    if (!isEqualSecret(payload, this.#proof(side === "dial" ? "accept" : "dial"))) {
      return this.#refuse("transport/wrong-secret");
    }
    if (peer.clusterId !== null && self.clusterId !== null && peer.clusterId !== self.clusterId) {
      return this.#refuse("transport/wrong-cluster");
    }
    this.#isOver = true;
    const send = side === "accept" ? [{ type: FRAME.WELCOME, payload: this.#proof("accept") }] : [];
    return { send, end: { state: "linked", peer, call: this.#peerCall, version: this.#version } };
  }

  #proof(prover: "dial" | "accept"): Uint8Array {
    const isDialler = this.#options.side === "dial";
    const dialled = isDialler ? this.#helloBytes : this.#peerHelloBytes!;
    const accepted = isDialler ? this.#peerHelloBytes! : this.#helloBytes;
    const head = new Uint8Array(5);
    head[0] = prover === "dial" ? 1 : 2;
    // The first hello's length keeps apart what would otherwise run together.
    new DataView(head.buffer).setUint32(1, dialled.length);
    return hmac(this.#options.proofKey, head, dialled, accepted);
  }

  #refuse(code: RefusalCode): HandshakeStep {
    this.#isOver = true;
    return { send: [refusal(code)], end: { state: "refused", code, isTold: false } };
  }
}

/** The frame that turns a peer away. */
export function refusal(code: RefusalCode): { type: number; payload: Uint8Array } {
  return { type: FRAME.REFUSED, payload: pack({ code }) };
}

function refusalOf(payload: Uint8Array): RefusalCode {
  const fields = fieldsOf(payload);
  return isRefusal(fields?.code) ? fields.code : "transport/bad-hello";
}

function readHello(
  payload: Uint8Array,
  own: ProtocolRange,
): { hello: Hello; call: number; version: number } | RefusalCode {
  const fields = fieldsOf(payload);
  if (fields === null) return "transport/bad-hello";
  const { versions, name, incarnation, address, clusterId, call, nonce } = fields;
  const [oldest, newest] = Array.isArray(versions) && versions.length === 2 ? versions as number[] : [NaN, NaN];
  if (!(isWhole(oldest) && isWhole(newest) && oldest <= newest)) return "transport/bad-hello";
  const version = commonVersion(own, { oldest, newest });
  if (version === null) return "transport/wrong-version";
  if (
    !(isText(name) && isText(address) && isAddress(address) &&
      (clusterId === null || isText(clusterId)) &&
      isWhole(incarnation) && incarnation >= 1 && isWhole(call) &&
      nonce instanceof Uint8Array && nonce.length === NONCE_BYTES)
  ) return "transport/bad-hello";
  return { hello: { name, address, clusterId, incarnation }, call, version };
}

function fieldsOf(payload: Uint8Array): Record<string, unknown> | null {
  try {
    const value = unpack(payload);
    return typeof value === "object" && value !== null ? value as Record<string, unknown> : null;
  } catch {
    return null;
  }
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= TEXT_UNITS_MAX && !/\p{Cc}/u.test(value);
}

function isWhole(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= WHOLE_MAX;
}

function isAddress(address: string): boolean {
  try {
    parseAddress(address);
    return true;
  } catch {
    return false;
  }
}
