import { encodeFrame, FRAME, type Frame, type Lane, LANE_CONTROL, type ProtocolRange } from "../wire/mod.ts";
import type { World } from "../world/mod.ts";
import type { Connection } from "./carrier.ts";
import type { RefusalCode } from "./errors.ts";
import { Handshake, type HandshakeStep, type Hello, NONCE_BYTES, refusal } from "./handshake.ts";
import type { FrameStamp } from "./link.ts";
import { LANES } from "./stream_connection.ts";

/** How long a stranger may take to prove who it is, in ms: two round trips and a stall of the peer's thread. */
export const HELLO_TIMEOUT_MS = 3_000;
/** How long a refusal may take to arrive before we close: QUIC's close drops what is queued (measured). */
const REFUSAL_LINGER_MS = 500;

/** What the end of a greeting is. */
export type Greeted =
  | { state: "linked"; peer: Hello; call: number; version: number }
  | { state: "refused"; code: RefusalCode; isTold: boolean }
  | { state: "lost"; reason: string };

/** What a greeting needs. */
export interface GreetingOptions {
  /** time and chance */
  world: World;
  /** fresh from its carrier */
  connection: Connection;
  /** which side of it this is */
  side: "dial" | "accept";
  /** what to say about oneself */
  self: Hello;
  /** how many calls this node has made; 0 when it was called */
  call: number;
  /** by which both prove that they have the secret */
  proofKey: Uint8Array;
  /** versions of the protocol that this node speaks */
  protocol: ProtocolRange;
  /** header of the frames */
  stamp: FrameStamp;
  /** called once; on "linked" the connection's handlers must be set within the call */
  onEnd: (greeted: Greeted) => void;
}

/** Drives one {@linkcode Handshake} over one connection, with a limit of time. */
export function greet(options: GreetingOptions): void {
  const { world, connection, side, self, call, proofKey, protocol, stamp } = options;
  const handshake = new Handshake({ side, self, call, proofKey, protocol, nonce: world.randomBytes(NONCE_BYTES) });
  let isOver = false;
  const timer = world.after(HELLO_TIMEOUT_MS, () => {
    if (end({ state: "lost", reason: "no handshake in time" })) connection.close("no handshake in time");
  });
  const end = (greeted: Greeted): boolean => {
    if (isOver) return false;
    isOver = true;
    timer.cancel();
    options.onEnd(greeted);
    return true;
  };
  const follow = (step: HandshakeStep) => {
    for (const { type, payload } of step.send) {
      const lanes = type === FRAME.WELCOME ? LANES : 1;
      // A frame for each lane: carriers write into the room in front of it.
      for (let lane = 0; lane < lanes; lane++) {
        connection.send(lane as Lane, encodeFrame({ ...stamp, type, to: 0, payload }));
      }
    }
    if (step.end === null) return;
    if (step.end.state === "refused") closeRefused(world, connection, step.end.isTold);
    end(step.end);
  };
  connection.onClose = (reason) => end({ state: "lost", reason });
  connection.onFrame = (_lane: Lane, frame: Frame) => {
    if (!isOver) follow(handshake.receive(frame.type, frame.payload));
  };
  follow(handshake.start());
}

/** Turns away a connection that nobody wants to hear out. */
export function turnAway(
  options: { world: World; connection: Connection; stamp: FrameStamp; code: RefusalCode },
): void {
  const { world, connection, stamp, code } = options;
  connection.send(LANE_CONTROL, encodeFrame({ ...stamp, ...refusal(code), to: 0 }));
  closeRefused(world, connection, false);
}

function closeRefused(world: World, connection: Connection, isTold: boolean): void {
  connection.onFrame = null;
  connection.onClose = null;
  if (isTold) connection.close("refused");
  else world.after(REFUSAL_LINGER_MS, () => connection.close("refused"));
}
