/**
 * A lone node: the real `Replication`, alone with a clock that stands still until told, timers that fire when told and a
 * mesh that only collects. The same events make the same node, so a node is as good as the list of its events.
 */
import { Replication } from "../../../runtime/replication/mod.ts";
import {
  blankMessage,
  RAFT,
  type RaftMessage,
  RaftReader,
  writeMessage,
} from "../../../runtime/replication/raft_message.ts";
import type { Desired, ShardState } from "../../../runtime/replication/shard_state.ts";
import { endOfLog } from "../../../runtime/replication/shard_state.ts";
import { ENTRY } from "../../../runtime/storage/mod.ts";
import { ByteWriter } from "../../../runtime/wire/mod.ts";
import { runPacker } from "../../../runtime/world/mod.ts";
import type { Fault } from "./faults.ts";

/** The one shard. */
export const SHARD = 7;
const TICK_MS = 20;
const SETTLING_TICKS_MAX = 4;

/** What can happen to a node. */
export type NodeEvent =
  | { type: "birth"; members: number[] }
  | { type: "frame"; from: number; payload: Uint8Array }
  | { type: "want"; desired: Desired }
  | { type: "propose"; number: number }
  /** so much time passes, then the ticker fires */
  | { type: "tick"; afterMs: number }
  | { type: "sweep" }
  | { type: "suspect"; incarnation: number }
  | { type: "hand over" };

/** A frame that a node has sent. */
export interface Sent {
  to: number;
  payload: Uint8Array;
}

/** What a copy that has left remembers. */
export interface Left {
  term: number;
  floor: { term: number; index: number };
}

/** One node. */
export class LoneNode {
  readonly suspects = new Set<number>();
  /** what the last event made it send */
  sent: Sent[] = [];
  left: Left | null = null;
  /** it has asked to be let go: only then does it matter how many appends it has seen */
  hasAskedToLeave = false;
  nowMs = 1_000_000;
  readonly #incarnation: number;
  readonly #fault: Fault;
  #replication: Replication;
  #soon: (() => void)[] = [];
  #ticker: (() => void) | null = null;
  #sweeper: (() => void) | null = null;

  constructor(incarnation: number, fault: Fault) {
    this.#incarnation = incarnation;
    this.#fault = fault;
    this.#replication = this.#start();
  }

  /** Read only, as the explorer looks on; `null`: no copy here. */
  get state(): ShardState | null {
    return this.#replication.stateOf(SHARD) as ShardState | null;
  }

  /** true while the ticker is wound up: something is waited for */
  get isAwake(): boolean {
    return this.#ticker !== null;
  }

  /** The event, what it puts off to the turn's end, and what is done in the ticks that follow before time passes. */
  apply(event: NodeEvent): void {
    this.sent = [];
    this.#turn(event);
    for (let i = 0; i < SETTLING_TICKS_MAX && this.isAwake; i++) {
      const before = this.sent.length;
      this.#turn({ type: "tick", afterMs: 0 });
      if (this.sent.length === before) break;
    }
  }

  #turn(event: NodeEvent): void {
    switch (event.type) {
      case "birth":
        this.#replication.birth(SHARD, event.members);
        break;
      case "frame":
        this.#receive(event.from, event.payload);
        break;
      case "want":
        this.#replication.setDesired(SHARD, event.desired);
        break;
      case "propose":
        this.#replication.proposeEntry(SHARD, ENTRY.COMMAND, new Uint8Array([event.number]), () => {});
        break;
      case "tick": {
        this.nowMs += event.afterMs;
        const fire = this.#ticker;
        this.#ticker = null;
        fire?.();
        break;
      }
      case "sweep":
        this.#sweeper?.();
        break;
      case "suspect":
        this.suspects.add(event.incarnation);
        this.#replication.suspected(event.incarnation);
        break;
      case "hand over":
        this.#replication.handOverAll();
    }
    for (const run of this.#soon.splice(0)) run();
  }

  #receive(from: number, payload: Uint8Array): void {
    const rewritten = this.#fault.rewrite === undefined ? payload : this.#rewrite(from, payload);
    const before = this.state;
    const end = before === null ? null : endOfLog(before);
    const term = before?.term ?? 0;
    this.#replication.receive(from, rewritten);
    if (before === null || this.state !== null) return;
    const letGoInTerm = recordsOf(payload).find(({ type }) => type === RAFT.GONE)!.term;
    this.left = { term: Math.max(term, letGoInTerm), floor: end! };
    if (!this.#fault.departedForgets) return;
    this.left = null;
    this.#soon = [];
    this.#replication = this.#start();
  }

  #rewrite(from: number, payload: Uint8Array): Uint8Array {
    const writer = new ByteWriter();
    for (const record of recordsOf(payload)) {
      this.#fault.rewrite!(record, { state: this.state, from });
      writeMessage(writer, record);
    }
    return writer.take();
  }

  #start(): Replication {
    return new Replication({
      world: {
        nowMonoMs: () => this.nowMs,
        nowWallMs: () => 0,
        after: (delayMs, fn) => {
          if (delayMs === TICK_MS) this.#ticker = fn;
          else this.#sweeper = fn;
          return { cancel: () => {} };
        },
        soon: (fn) => this.#soon.push(fn),
        later: (fn) => this.#soon.push(fn),
        random: () => 0.5,
        randomBytes: (length) => new Uint8Array(length),
        packer: runPacker,
      },
      self: { name: `N-A-${this.#incarnation}`, incarnation: this.#incarnation },
      send: (to, _lane, payload) => {
        const copy = payload.slice();
        if (recordsOf(copy).some(({ type }) => type === RAFT.LEAVING)) this.hasAskedToLeave = true;
        return this.sent.push({ to, payload: copy }) > 0;
      },
      isSuspect: (other) => this.suspects.has(other),
      aliveForMs: () => 60_000,
      rttP99Ms: () => 5,
      nameOf: (other) => `N-A-${other}`,
      dataCenterOf: () => "N",
      shardText: (shard) => String(shard),
      ackRule: () => ({ copies: 3, dataCenters: 1 }),
      onCommitted: () => {},
      onWriter: () => {},
      onDropped: () => {},
      config: {
        tickMs: TICK_MS,
        staggerMsMin: 20,
        staggerMsMax: 250,
        stableAfterMs: 0,
        catchUpsMax: 4,
        catchUpsPerSecond: 1000,
        catchUpBytesPerSecond: 1e9,
        waitersMax: 1000,
      },
    });
  }
}

/** The records of a frame, each an object of its own. */
export function recordsOf(payload: Uint8Array): RaftMessage[] {
  const reader = new RaftReader(payload);
  const records: RaftMessage[] = [];
  for (let record = blankMessage(); reader.next(record); record = blankMessage()) {
    record.entries = record.entries.subarray(record.entriesAt, record.entriesTo);
    record.entriesTo -= record.entriesAt;
    record.entriesAt = 0;
    records.push(record);
  }
  return records;
}
