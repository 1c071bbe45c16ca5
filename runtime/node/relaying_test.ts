import assert from "node:assert/strict";
import { ByteWriter, FRAME, type Lane, LANE_MESSAGE } from "../wire/mod.ts";
import { Relaying } from "./relaying.ts";

const TEXT = new TextEncoder();

/** Nodes 1, 2, 3 on a table: frames go at once to those that are linked. */
class Table {
  readonly heard: string[] = [];
  readonly nodes = new Map<number, Relaying>();
  readonly via = new Map<string, number>();
  readonly cut = new Set<string>();
  readonly refused: string[] = [];

  constructor() {
    for (const self of [1, 2, 3]) {
      this.nodes.set(
        self,
        new Relaying({
          mesh: () => ({
            isLinked: (to) => !this.cut.has(`${self}-${to}`),
            send: (to, _lane: Lane, type, payload) => {
              if (this.cut.has(`${self}-${to}`)) return false;
              if (type >= FRAME.RELAY && type <= FRAME.RELAY_REFUSED) this.nodes.get(to)!.receive(self, type, payload);
              else this.heard.push(`${to} hears ${self}: ${type} ${new TextDecoder().decode(payload)}`);
              return true;
            },
          }),
          membership: () => ({
            isWayBroken: (to) => this.cut.has(`${self}-${to}`),
            viaOf: (to) => this.via.get(`${self}-${to}`) ?? 0,
            relayRefused: (by, about) => this.refused.push(`${by} does not reach ${about}`),
          }),
          isKnown: (incarnation) => incarnation <= 3,
          onFrame: (from, type, payload) =>
            this.heard.push(`${self} hears ${from} by another: ${type} ${new TextDecoder().decode(payload)}`),
        }),
      );
    }
  }

  send(from: number, to: number, text: string, type: number = FRAME.DELIVER): boolean {
    return this.nodes.get(from)!.send(to, LANE_MESSAGE, type, TEXT.encode(text));
  }
}

Deno.test("relaying: a frame goes directly, or by who reaches both, and says from whom it is", () => {
  const table = new Table();
  assert.ok(table.send(1, 2, "a"));
  table.cut.add("1-2").add("2-1");
  assert.equal(table.send(1, 2, "b"), false);
  assert.equal(table.nodes.get(1)!.reaches(2), false);
  table.via.set("1-2", 3);
  assert.ok(table.nodes.get(1)!.reaches(2));
  assert.ok(table.send(1, 2, "c"));
  assert.deepEqual(table.heard, ["2 hears 1: 30 a", "2 hears 1 by another: 30 c"]);
  assert.deepEqual([table.nodes.get(1)!.counts.sent, table.nodes.get(3)!.counts.passed], [1, 1]);
});

Deno.test("relaying: who does not reach the addressee says so, and passes nothing on: one hop, no loops", () => {
  const table = new Table();
  table.cut.add("1-2").add("3-2");
  // Each would send the other round for ever.
  table.via.set("1-2", 3).set("3-2", 1);
  assert.ok(table.send(1, 2, "x"));
  assert.deepEqual([table.heard, table.refused], [[], ["3 does not reach 2"]]);
});

Deno.test("relaying: pings, relays of relays, nobody's frames and garbage are not taken", () => {
  const table = new Table();
  const frame = (other: number, inner: number, lane = 1) => new ByteWriter().f64(other).u8(inner).u8(lane).take();
  const bad = [
    frame(2, FRAME.PING),
    frame(2, FRAME.RELAY),
    frame(2, FRAME.RELAYED),
    frame(2, FRAME.HELLO),
    frame(2, FRAME.RAFT, 3),
    frame(0, FRAME.RAFT),
    frame(1.5, FRAME.RAFT),
    frame(NaN, FRAME.RAFT),
    new Uint8Array(7),
  ];
  for (const payload of bad) {
    assert.throws(() => table.nodes.get(3)!.receive(1, FRAME.RELAY, payload), { code: "wire/bad-payload" });
  }
  table.nodes.get(3)!.receive(1, FRAME.RELAYED, frame(99, FRAME.RAFT));
  table.nodes.get(3)!.receive(1, FRAME.RELAYED, frame(1, FRAME.RAFT));
  assert.deepEqual(table.heard, [], "a stranger's, and one that needs no relay");
});
