/**
 * Relaying: where the direct way to a peer is broken, a third node that reaches both passes frames on, one hop. All
 * rooms' frames go this way, the log's and the topology's too: a node that could only post by a relay would fall behind
 * with its copies, and never hear of a new topology.
 *
 * An image: a neighbour who hands letters over the fence. He opens none, keeps none, and hands on only to somebody at
 * his own fence. Order is kept while the way stays the same; where it changes, letters may cross, which every room
 * stands (a link that is lost and made again does the same).
 *
 * A relay is trusted to say from whom a frame is, as it has proved the cluster's secret. Membership decides when and by
 * whom (`membership/ways.ts`), from round trips; its own pings never go by a relay.
 */
import type { Membership } from "../membership/mod.ts";
import type { Sample } from "../telemetry/mod.ts";
import type { Mesh } from "../transport/mod.ts";
import { badPayload, ByteReader, ByteWriter, FRAME, FRAME_BYTES_MAX, type Lane, LANE_CONTROL } from "../wire/mod.ts";

/** What a node relays, or takes from a relay: never a ping, and never a relay's frame. */
const RELAYED: ReadonlySet<number> = new Set([
  FRAME.RAFT,
  FRAME.DELIVER,
  FRAME.DELIVER_ANSWER,
  FRAME.REQUEST,
  FRAME.RESPONSE,
]);
/** f64 the other end | u8 type | u8 lane. */
const HEADER_BYTES = 10;
/** What fits beside both headers. */
const PAYLOAD_BYTES_MAX = FRAME_BYTES_MAX - HEADER_BYTES - 64;

/** What relaying needs of the rooms. */
export interface RelayingOptions {
  mesh: () => Pick<Mesh, "send" | "isLinked">;
  membership: () => Pick<Membership, "isWayBroken" | "viaOf" | "relayRefused">;
  /** whether this incarnation is one of the cluster's */
  isKnown: (incarnation: number) => boolean;
  /** a frame has come by a relay; its payload may be kept */
  onFrame: (from: number, type: number, payload: Uint8Array) => void;
}

/** Frames that went another way, since the start. */
export interface RelayCounts {
  /** sent by a relay */
  sent: number;
  /** passed on for others */
  passed: number;
  /** not passed on, as this node does not reach the addressee either */
  refused: number;
}

/** See the file's header. */
export class Relaying {
  readonly counts: RelayCounts = { sent: 0, passed: 0, refused: 0 };
  readonly #options: RelayingOptions;
  readonly #out = new ByteWriter();

  constructor(options: RelayingOptions) {
    this.#options = options;
  }

  /** Queues a frame for `to`, on the link or by a relay. False: there is no way, or its queue is full. */
  send(to: number, lane: Lane, type: number, payload: Uint8Array): boolean {
    const via = this.#options.membership().viaOf(to);
    if (via === 0 || payload.length > PAYLOAD_BYTES_MAX) return this.#options.mesh().send(to, lane, type, payload);
    const isSent = this.#pass(via, { type: FRAME.RELAY, other: to, lane, inner: type, payload });
    if (isSent) this.counts.sent++;
    return isSent;
  }

  /** Whether {@linkcode send} has a way to try. */
  reaches(incarnation: number): boolean {
    return this.#options.mesh().isLinked(incarnation) || this.#options.membership().viaOf(incarnation) !== 0;
  }

  /** Takes a frame of type `RELAY`, `RELAYED` or `RELAY_REFUSED` in. @throws {WaterparkError} `wire/bad-payload` */
  receive(from: number, type: number, payload: Uint8Array): void {
    const reader = new ByteReader(payload);
    const other = reader.f64();
    if (!Number.isSafeInteger(other) || other < 1) throw badPayload("a relay for nobody");
    if (type === FRAME.RELAY_REFUSED) return this.#options.membership().relayRefused(from, other);
    const inner = reader.u8();
    const lane = reader.u8();
    if (!RELAYED.has(inner) || lane > 2) throw badPayload("a relay of what is not relayed");
    const rest = reader.raw(reader.left);
    if (type === FRAME.RELAYED) {
      if (other !== from && this.#options.isKnown(other)) this.#options.onFrame(other, inner, rest);
      return;
    }
    const mesh = this.#options.mesh();
    if (!mesh.isLinked(other) || this.#options.membership().isWayBroken(other)) {
      this.counts.refused++;
      mesh.send(from, LANE_CONTROL, FRAME.RELAY_REFUSED, this.#out.f64(other).take());
      return;
    }
    this.counts.passed++;
    // With a full queue it is lost, as on any link; its room sends it again.
    this.#pass(other, { type: FRAME.RELAYED, other: from, lane: lane as Lane, inner, payload: rest });
  }

  /** For `/metrics`. */
  samples(): Sample[] {
    return [
      { name: "frames_relayed", help: "frames sent by way of a third node", value: this.counts.sent },
      { name: "frames_passed_on", help: "frames passed on between two others", value: this.counts.passed },
    ];
  }

  #pass(
    to: number,
    frame: { type: number; other: number; lane: Lane; inner: number; payload: Uint8Array },
  ): boolean {
    const { type, other, lane, inner, payload } = frame;
    const bytes = this.#out.f64(other).u8(inner).u8(lane).raw(payload).take();
    return this.#options.mesh().send(to, lane, type, bytes);
  }
}
