/**
 * What every carrier must do, as tests; each implementation is run through them on a ground of its own (virtual time
 * for memory, real sockets for the others). Nothing sleeps: a test waits for a state, with a limit.
 */
import assert from "node:assert/strict";
import { WaterparkError } from "../base/mod.ts";
import {
  encodeFrame,
  type Frame,
  FRAME_BYTES_MAX,
  type Lane,
  LANE_BULK,
  LANE_CONTROL,
  LANE_MESSAGE,
} from "../wire/mod.ts";
import type { Carrier, Connection, Listening } from "./carrier.ts";

/** Where the suite runs. */
export interface ConformanceGround {
  /** carriers of two nodes of one cluster */
  a: Carrier;
  b: Carrier;
  /** of a node with another secret; `null` in memory, where there are no secrets and no ports */
  stranger: Carrier | null;
  /** at which `a` can listen */
  listenAt: string;
  /** where nobody listens */
  nobodyAt: string;
  /** Resolves when `condition` holds; rejects, naming `what`, when it does not within `limitMs`. */
  waitFor(what: string, condition: () => boolean, limitMs?: number): Promise<void>;
  /** Throws bytes that are no handshake at the port; `null` where there is no port. */
  throwGarbage: ((address: string) => Promise<void>) | null;
  /** Gives everything back. */
  close(): Promise<void>;
}

/** One test of the suite. */
export interface ConformanceTest {
  /** what is promised */
  name: string;
  /** true: makes sense only where there are secrets and ports */
  needsSockets?: boolean;
  /** proves it */
  run(ground: ConformanceGround): Promise<void>;
}

interface Pair {
  listening: Listening;
  dialled: Connection;
  accepted: Connection;
  atDialled: [Lane, Frame][];
  atAccepted: [Lane, Frame][];
  refused: WaterparkError[];
}

/** The suite. */
export const CARRIER_CONFORMANCE: ConformanceTest[] = [
  {
    name: "frames of a lane arrive in order, in both directions, on all lanes",
    async run(ground) {
      const pair = await connect(ground);
      const each = 2_000;
      for (let i = 0; i < each; i++) {
        pair.dialled.send((i % 3) as Lane, frameOf(i, 20));
        pair.accepted.send((i % 3) as Lane, frameOf(i, 300));
      }
      await ground.waitFor(
        "all frames",
        () => pair.atAccepted.length === each && pair.atDialled.length === each,
        10_000,
      );
      for (const frames of [pair.atAccepted, pair.atDialled]) {
        for (const lane of [LANE_CONTROL, LANE_MESSAGE, LANE_BULK]) {
          const order = frames.filter(([at]) => at === lane).map(([, frame]) => frame.topologyVersion);
          assert.deepEqual(order, [...order].sort((x, y) => x - y));
        }
      }
      assert.equal(pair.dialled.queuedBytes(), 0);
    },
  },
  {
    name: "a frame of 8 MiB arrives whole, and control frames pass it by or wait little",
    async run(ground) {
      const pair = await connect(ground);
      const big = frameOf(1, 8 * 1024 * 1024);
      pair.dialled.send(LANE_BULK, big);
      assert.ok(pair.dialled.queuedBytes() >= big.length);
      pair.dialled.send(LANE_CONTROL, frameOf(2, 10));
      await ground.waitFor("both frames", () => pair.atAccepted.length === 2, 20_000);
      const [, frame] = pair.atAccepted.find(([lane]) => lane === LANE_BULK)!;
      assert.equal(frame.payload.length, 8 * 1024 * 1024);
      assert.ok(frame.payload.every((byte, i) => byte === (i & 0xff)));
      await ground.waitFor("an empty queue", () => pair.dialled.queuedBytes() === 0);
    },
  },
  {
    name: "a control frame overtakes a queue of 48 MiB: what is before it is what the system had taken",
    needsSockets: true,
    async run(ground) {
      const pair = await connect(ground);
      const each = 256 * 1024;
      const frame = frameOf(1, each);
      for (let i = 0; i < 96; i++) {
        pair.dialled.send(LANE_MESSAGE, frame);
        pair.dialled.send(LANE_BULK, frame);
      }
      // Until the first bytes have gone, nothing shows that control does not simply stand at the front of a new queue.
      await ground.waitFor("the first frames", () => pair.atAccepted.length > 4, 20_000);
      const before = pair.atAccepted.length;
      pair.dialled.send(LANE_CONTROL, frameOf(2, 10));
      const isControl = ([lane]: [Lane, Frame]) => lane === LANE_CONTROL;
      await ground.waitFor("the control frame", () => pair.atAccepted.some(isControl), 20_000);
      const overtaken = 192 - pair.atAccepted.findIndex(isControl);
      assert.ok(overtaken > (192 - before) / 2, `${overtaken} frames of ${192 - before} were overtaken`);
      await ground.waitFor("all frames", () => pair.atAccepted.length === 193, 60_000);
    },
  },
  {
    name: "many small frames of one turn arrive",
    async run(ground) {
      const pair = await connect(ground);
      for (let i = 0; i < 20_000; i++) pair.dialled.send(LANE_MESSAGE, frameOf(i, 100));
      await ground.waitFor("all frames", () => pair.atAccepted.length === 20_000, 20_000);
      assert.equal(pair.atAccepted[19_999][1].topologyVersion, 19_999);
    },
  },
  {
    name: "a close is noticed on both sides, once",
    async run(ground) {
      for (const closer of ["dialled", "accepted"] as const) {
        const pair = await connect(ground);
        const ended: string[] = [];
        pair.dialled.onClose = () => ended.push("dialled");
        pair.accepted.onClose = () => ended.push("accepted");
        pair.dialled.send(LANE_MESSAGE, frameOf(1, 10));
        await ground.waitFor("a frame", () => pair.atAccepted.length === 1);
        pair[closer].close("as tested");
        assert.deepEqual(ended, []);
        await ground.waitFor("both ends", () => ended.length === 2);
        pair[closer].close("again");
        pair[closer].send(LANE_MESSAGE, frameOf(2, 10));
        assert.deepEqual(ended.toSorted(), ["accepted", "dialled"]);
        await pair.listening.close();
      }
    },
  },
  {
    name: "a listener that closes ends its connections",
    async run(ground) {
      const pair = await connect(ground);
      let isClosed = false;
      pair.dialled.onClose = () => isClosed = true;
      await pair.listening.close();
      await ground.waitFor("the end", () => isClosed);
    },
  },
  {
    name: "dialling nobody fails in bounded time",
    async run(ground) {
      let error: WaterparkError | null = null;
      ground.b.dial(ground.nobodyAt, { onOpen: () => assert.fail("nobody answered"), onFail: (e) => error = e });
      assert.equal(error, null);
      await ground.waitFor("a failure", () => error !== null, 4_000);
      assert.equal(error!.code, "transport/unreachable");
    },
  },
  {
    name: "before the owner allows more, a large frame ends the connection",
    async run(ground) {
      const pair = await connect(ground, 16 * 1024);
      let isClosed = false;
      pair.dialled.onClose = () => isClosed = true;
      pair.dialled.send(LANE_MESSAGE, frameOf(1, 20_000));
      await ground.waitFor("the end", () => isClosed);
      assert.equal(pair.atAccepted.length, 0);
    },
  },
  {
    name: "garbage on the port does not stop the listener",
    needsSockets: true,
    async run(ground) {
      const first = await connect(ground);
      await ground.throwGarbage!(first.listening.address);
      const second = await connect(ground, FRAME_BYTES_MAX, first);
      second.dialled.send(LANE_MESSAGE, frameOf(1, 10));
      first.dialled.send(LANE_MESSAGE, frameOf(1, 10));
      await ground.waitFor("frames", () => second.atAccepted.length === 1 && first.atAccepted.length === 1);
    },
  },
  {
    name: "a stranger is refused, and both sides are told why",
    needsSockets: true,
    async run(ground) {
      const pair = await connect(ground);
      let error: WaterparkError | null = null;
      const onFail = (e: WaterparkError) => error = e;
      ground.stranger!.dial(pair.listening.address, { onOpen: () => assert.fail("a stranger got in"), onFail });
      await ground.waitFor("both to be told", () => error !== null && pair.refused.length > 0, 4_000);
      assert.equal(error!.code, "transport/wrong-secret");
      assert.equal(pair.refused[0].code, "transport/wrong-secret");
      assert.ok(error! instanceof WaterparkError);
    },
  },
];

/** A dialled and accepted pair whose frames are gathered; `beside` another, at its listener. */
async function connect(ground: ConformanceGround, frameBytesMax = FRAME_BYTES_MAX, beside?: Pair): Promise<Pair> {
  const pair = { atDialled: [], atAccepted: [], refused: [] } as unknown as Pair;
  const onConnection = (connection: Connection) => {
    connection.frameBytesMax = frameBytesMax;
    connection.onFrame = (lane, frame) => pair.atAccepted.push([lane, frame]);
    pair.accepted = connection;
  };
  if (beside === undefined) {
    const handlers = {
      onConnection,
      onRefused: (error: WaterparkError) => pair.refused.push(error),
    };
    pair.listening = await ground.a.listen(ground.listenAt, handlers);
    NEXT_CONNECTION.set(pair.listening, handlers);
  } else {
    pair.listening = beside.listening;
    NEXT_CONNECTION.get(beside.listening)!.onConnection = onConnection;
  }
  ground.b.dial(pair.listening.address, {
    onOpen(connection) {
      connection.frameBytesMax = frameBytesMax;
      connection.onFrame = (lane, frame) => pair.atDialled.push([lane, frame]);
      pair.dialled = connection;
    },
    onFail: (error) => pair.refused.push(error),
  });
  await ground.waitFor("a connection", () => pair.dialled !== undefined && pair.accepted !== undefined);
  return pair;
}

const NEXT_CONNECTION = new WeakMap<Listening, { onConnection: (connection: Connection) => void }>();

/** A frame that is known by its number and whose payload counts up. */
function frameOf(number: number, payloadBytes: number): Uint8Array {
  const payload = new Uint8Array(payloadBytes);
  for (let i = 0; i < payloadBytes; i++) payload[i] = i & 0xff;
  return encodeFrame({ type: 30, cluster: { hi: 1, lo: 2 }, from: 3, to: 4, topologyVersion: number, payload });
}
