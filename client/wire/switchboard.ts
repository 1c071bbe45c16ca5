/**
 * The switchboard: sends every message by the best way there is, keeps it until its receipt is in, and sends it again,
 * under the same id, when a way is lost.
 *
 * Who writes an actor is learned from receipts: the next message of its lane goes straight to that node, over a connection
 * of its own, and spares the cluster a hop. It is never more than a guess: any node takes any message.
 *
 * Order: messages to one actor are recorded in the order in which they were sent here, as far as they are recorded. Those
 * behind one that was refused for now wait for it; one that was given up (its deadline is past) they pass.
 *
 * Where no wire is to be had (a proxy that lets no WebSocket through, an older node) messages go by HTTP, those of a lane
 * one after the other, and the wire is tried again from time to time.
 */
import { WaterparkError } from "../../runtime/base/mod.ts";
import type { AnswerBatchReader } from "../../runtime/wire/answer_batch.ts";
import { Connection } from "./connection.ts";
import { type Door, Doors } from "./doors.ts";
import type { HttpWay } from "./http_way.ts";
import { type Lane, Lanes } from "./lanes.ts";
import { OpenSendings } from "./open_sendings.ts";
import { Receipts } from "./receipts.ts";
import { type Done, Sending } from "./sending.ts";
import type { OpenSocket } from "./socket.ts";
import type { Way } from "./way.ts";
import { Writers } from "./writers.ts";

/** How a switchboard is set up. */
export interface SwitchboardOptions {
  urls: readonly string[];
  token?: string;
  /** a message is given up after this */
  deadlineMs: number;
  /** a node that is silent for so long, though it owes answers, is left */
  silentMs: number;
  openSocket: OpenSocket;
  /** where messages go when no wire is to be had; told how they ended by {@linkcode Switchboard.ended} */
  http: HttpWay;
  /** a clock that never goes back, ms */
  nowMs?: () => number;
}

/** The parts of a message, checked. */
export type Post = Pick<Sending, "key" | "id" | "type" | "contentType" | "payload" | "ifMatch" | "handled">;

/** How coarse deadlines, rests and silences are told. */
const TICK_MS = 25;
/** Messages that may wait here. */
const SENDINGS_MAX = 262_144;
/** Bytes of their payloads. */
const BYTES_MAX = 512 << 20;
/** The first rest of a lane that was refused for now, doubled up to {@linkcode REST_MS_MAX}. */
const REST_MS = 20;
const REST_MS_MAX = 1000;
/** How long HTTP is used before the wire is tried again. */
const HTTP_MS = 5000;

/** Messages on their ways. */
export class Switchboard {
  readonly #options: SwitchboardOptions;
  readonly #nowMs: () => number;
  readonly #doors: Doors;
  readonly #lanes = new Lanes();
  readonly #receipts = new Receipts();
  readonly #writers = new Writers();
  /** lanes that have messages which wait for something other than answers */
  readonly #resting = new Set<Lane>();
  /** lanes that have become free within this turn */
  #due: Lane[] = [];
  readonly #open = new OpenSendings();
  #bytes = 0;
  #order = 0;
  /** the clock's last reading: one in a tick is enough */
  #now: number;
  #tick: ReturnType<typeof setTimeout> | null = null;
  #httpUntilMs = 0;
  #isClosed = false;

  constructor(options: SwitchboardOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#now = this.#nowMs();
    this.#doors = new Doors(options.urls);
  }

  /** messages without a receipt */
  get open(): number {
    return this.#open.size;
  }

  /** Names of the nodes that it is connected to. */
  get nodes(): string[] {
    return this.#doors.connections.filter((connection) => connection.isOpen).map((connection) => connection.node);
  }

  /** Takes a message; `done` is called once, never within this call. */
  send(facility: string, post: Post, done: Done): void {
    const { payload } = post;
    if (this.#isClosed || this.#open.size >= SENDINGS_MAX || this.#bytes + payload.length > BYTES_MAX) {
      const error = this.#isClosed ? closed() : full();
      return queueMicrotask(() => done(error, null));
    }
    this.#wake();
    const lane = this.#lanes.of(facility, post.key);
    const endMs = this.#now + this.#options.deadlineMs;
    const sending = new Sending(post, { done, order: ++this.#order, lane, endMs });
    this.#open.add(sending);
    this.#bytes += sending.weight;
    this.#submit(sending);
  }

  /** Ends everything: what has no receipt yet is refused. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#tick !== null) clearTimeout(this.#tick);
    for (let sending = this.#open.first; sending !== null; sending = this.#open.first) this.#fail(sending, closed());
    for (const connection of this.#doors.connections) connection.close();
  }

  /** HTTP has ended a message. */
  ended(sending: Sending, error: WaterparkError | null, finish: () => void): void {
    this.#forget(sending);
    if (error === null) finish();
    else sending.fail(error);
    this.#leave(sending.lane);
    this.#releaseDue();
  }

  #submit(sending: Sending): void {
    const { lane } = sending;
    if (lane.waiting !== null) return void lane.waiting.push(sending);
    const way = this.#wayOf(lane);
    if (way === null) {
      lane.waiting = [sending];
      this.#resting.add(lane);
      return;
    }
    if (lane.inFlight > 0 && (lane.way !== way || lane.inFlight >= way.laneMessagesMax)) {
      lane.waiting = [sending];
      return;
    }
    lane.way = way;
    lane.inFlight++;
    sending.sender = lane.sender;
    way.add(sending);
  }

  /** The best way for a lane now; null: one is being opened. */
  #wayOf(lane: Lane): Way | null {
    const writer = lane.avoidsWriter ? "" : this.#writers.of(lane.shard);
    const door = writer === "" ? undefined : this.#doors.of(writer);
    if (door !== undefined) {
      if (door.isOpen) return door.connection;
      if (door.mayOpen(this.#now) && this.#doors.hasRoom) this.#knock(door);
    }
    const open = this.#doors.open();
    if (open !== null) return open.connection;
    if (this.#now < this.#httpUntilMs) return this.#options.http;
    let isOpening = false;
    for (const door of this.#doors.inTurn()) {
      if (door.mayOpen(this.#now)) this.#knock(door);
      if (door.connection?.isOpening) {
        isOpening = true;
        break;
      }
    }
    if (isOpening) return null;
    this.#httpUntilMs = this.#now + HTTP_MS;
    return this.#options.http;
  }

  #knock(door: Door): void {
    door.connection = new Connection({ url: door.url, token: this.#options.token }, {
      open: this.#options.openSocket,
      nowMs: this.#now,
      handlers: {
        onOpen: (connection) => {
          door.opened();
          this.#doors.named(connection.node, door);
          this.#releaseResting();
        },
        onAnswer: (connection, sending, answer) => this.#onAnswer(connection, sending, answer),
        onAnswered: () => this.#releaseDue(),
        onSkipped: (_, sending) => {
          if (sending.isDone) this.#forget(sending);
          else sending.lane.again.push(sending);
          this.#leave(sending.lane);
          this.#releaseDue();
        },
        onNames: (_, names) => names.forEach((name) => this.#doors.learn(name)),
        // Whoever had it as home looks for another; it is left alone until it is gone.
        onLeaving: (connection) => {
          this.#doors.turn();
          if (connection.open === 0) connection.close();
        },
        onClose: (connection, { sent, unsent, reason }) => this.#onClose(door, connection, { sent, unsent, reason }),
      },
    });
  }

  #onAnswer(connection: Connection, sending: Sending, answer: AnswerBatchReader): void {
    const { lane } = sending;
    if (!answer.isRefused) {
      lane.shard = answer.shard;
      lane.refusals = 0;
      lane.avoidsWriter = false;
      this.#writers.learn(answer, connection.names);
      this.#forget(sending);
      if (!sending.isDone) sending.succeed(this.#receipts.of(answer, sending, connection.names));
    } else this.#refused(sending, answer);
    this.#leave(lane);
    if (!connection.isOpen && connection.open === 0) connection.close();
  }

  #refused(sending: Sending, { code, outcome, message, retryAfterMs, status, seq }: AnswerBatchReader): void {
    const { lane } = sending;
    const error = new WaterparkError(message, {
      code,
      outcome,
      retryAfterMs: retryAfterMs < 0 ? undefined : retryAfterMs,
    });
    if (seq >= 0) Object.assign(error, { seq });
    const isForNow = status === 503 || status === 429 || status === 502;
    if (!isForNow) return this.#fail(sending, error);
    sending.last = error;
    sending.mayBeApplied ||= outcome === "unknown";
    lane.again.push(sending);
    // Others behind it are refused as it was; one rest is for all of them.
    if (code === "mailroom/stopped") return;
    const restMs = Math.min(REST_MS_MAX, REST_MS * 2 ** Math.min(lane.refusals++, 10)) * (0.5 + Math.random() / 2);
    lane.restUntilMs = Math.max(lane.restUntilMs, this.#now + Math.max(restMs, status === 429 ? retryAfterMs : 0));
    lane.avoidsWriter = true;
    if (lane.refusals % 2 === 0) this.#doors.turn();
  }

  /** One message less is under way on a lane's connection. */
  #leave(lane: Lane): void {
    if (--lane.inFlight > 0 || lane.waiting === null && lane.again.length === 0) {
      if (lane.again.length > 0) lane.waiting ??= [];
      return;
    }
    lane.waiting ??= [];
    this.#resting.add(lane);
    this.#due.push(lane);
  }

  #releaseDue(): void {
    const due = this.#due;
    this.#due = [];
    for (const lane of due) this.#release(lane);
  }

  #releaseResting(): void {
    for (const lane of [...this.#resting]) this.#release(lane);
  }

  /** Sends what waits on a lane on which nothing is under way. */
  #release(lane: Lane): void {
    if (lane.inFlight > 0 || lane.restUntilMs > this.#now) return;
    this.#resting.delete(lane);
    const again = lane.again.sort((a, b) => a.order - b.order);
    const waiting = [...again, ...lane.waiting ?? []];
    lane.again = [];
    lane.waiting = null;
    // A message that nodes still wait for was given up: under another name its successors need not.
    if (waiting.some((sending) => sending.isDone)) lane.sender = lane.sender + 1 & 0xffff;
    for (const sending of waiting) if (!sending.isDone) this.#submit(sending);
  }

  #onClose(door: Door, connection: Connection, { sent, unsent, reason }: {
    sent: Sending[];
    unsent: Sending[];
    reason: string;
  }): void {
    if (door.connection !== connection) return;
    const wasOpen = connection.node !== "";
    door.failed(this.#now);
    if (door.isGiven) this.#doors.turn();
    this.#writers.forget(connection.node);
    const error = new WaterparkError(
      `Cannot tell how the message ended as the connection to "${connection.url}" must last until the answer: ${reason}`,
      { code: "client/broken", outcome: "unknown" },
    );
    for (const sending of sent) {
      sending.mayBeApplied = true;
      sending.last = error;
    }
    for (const sending of [...sent, ...unsent]) {
      sending.lane.again.push(sending);
      this.#leave(sending.lane);
    }
    if (!wasOpen) this.#releaseResting();
    this.#releaseDue();
  }

  #fail(sending: Sending, error: WaterparkError): void {
    this.#forget(sending);
    sending.fail(error);
  }

  #forget(sending: Sending): void {
    if (this.#open.remove(sending)) this.#bytes -= sending.weight;
  }

  /** The clock runs while there is something to wait for. */
  #wake(): void {
    if (this.#tick !== null) return;
    this.#now = this.#nowMs();
    this.#tick = setTimeout(() => this.#onTick(), TICK_MS);
  }

  #onTick(): void {
    this.#tick = null;
    this.#now = this.#nowMs();
    // The order of sending is that of deadlines.
    for (let sending = this.#open.first; sending !== null && sending.endMs <= this.#now; sending = this.#open.first) {
      this.#fail(sending, sending.last ?? late());
    }
    for (const connection of this.#doors.connections) {
      if (connection.isSilent(this.#now, this.#options.silentMs)) connection.close();
    }
    this.#releaseResting();
    if (this.#open.size > 0 || this.#resting.size > 0) this.#wake();
  }
}

function late(): WaterparkError {
  return new WaterparkError("Cannot tell how the message ended as its answer must come within the deadline", {
    code: "client/broken",
    outcome: "unknown",
  });
}

function full(): WaterparkError {
  return new WaterparkError(`Cannot take the message as at most ${SENDINGS_MAX} may wait for their receipts`, {
    code: "client/full",
    outcome: "not-applied",
    retryAfterMs: 100,
  });
}

function closed(): WaterparkError {
  return new WaterparkError("Cannot send the message as the client must be open: it was closed", {
    code: "client/closed",
    outcome: "not-applied",
  });
}
