import { ByteWriter, type Lane, LANE_BULK, LANE_CONTROL, LANE_MESSAGE } from "../wire/mod.ts";
import { RAFT, type RaftMessage, writeMessage } from "./raft_message.ts";

/** A frame leaves before the turn's end when it has grown to this size: 2 ms at 2 Gbit/s. */
const MESSAGE_BYTES_MAX = 512 * 1024;
const CONTROL_BYTES_MAX = 64 * 1024;
/**
 * Answers go along with entries that are about to leave, if both together are no more than this and nothing waits in the
 * message lane: under load that is half the frames, and a frame costs some 20 us on both ends, whatever is in it.
 */
const TOGETHER_BYTES_MAX = 64 * 1024;
/** Buffers of so many peers are kept for the next turn. */
const PEERS_KEPT_MAX = 128;

/** What an {@linkcode Outbox} needs. */
export interface OutboxOptions {
  /** queues a frame, whose payload is void afterwards */
  send: (to: number, lane: Lane, payload: Uint8Array) => boolean;
  /** true when what is sent to this peer in the message lane leaves at once */
  isClear: (to: number) => boolean;
}

interface Box {
  readonly to: number;
  readonly number: number;
  isFull: boolean;
  readonly control: ByteWriter;
  readonly message: ByteWriter;
  readonly bulk: ByteWriter;
}

/**
 * What all shards have to say to each peer in one turn: one frame of entries, one of entries for copies that are being
 * brought up to date, one of everything else. Answers and votes go in the control lane, so that they never wait behind
 * entries, unless there are entries that go at once; copies are made in the bulk lane, so that messages do not wait
 * behind them.
 */
export class Outbox {
  /** in the order in which the peers were first written to */
  #boxes: Box[] = [];
  #last: Box | null = null;
  /** those with something in */
  readonly #full: Box[] = [];
  #number = 0;
  readonly #send: OutboxOptions["send"];
  readonly #isClear: OutboxOptions["isClear"];

  constructor({ send, isClear }: OutboxOptions) {
    this.#send = send;
    this.#isClear = isClear;
  }

  /** Puts a record in; `message` may be used again at once. */
  post(to: number, message: RaftMessage, bulk = false): void {
    const box = this.#last !== null && this.#last.to === to ? this.#last : this.#boxOf(to);
    if (!box.isFull) {
      box.isFull = true;
      this.#full.push(box);
    }
    if (bulk) {
      writeMessage(box.bulk, message);
      if (box.bulk.length > MESSAGE_BYTES_MAX) this.#sendAll(to, LANE_BULK, box.bulk);
    } else if (message.type === RAFT.APPEND) {
      writeMessage(box.message, message);
      if (box.message.length > MESSAGE_BYTES_MAX) this.#sendAll(to, LANE_MESSAGE, box.message);
    } else {
      writeMessage(box.control, message);
      if (box.control.length > CONTROL_BYTES_MAX) this.#sendAll(to, LANE_CONTROL, box.control);
    }
  }

  /** Sends everything. What cannot be queued is lost, and sent again by the tick. */
  flush(): void {
    const full = this.#full;
    // In the order in which the peers were first written to, ever; a turn mostly has something for few of them.
    if (full.length > 1) full.sort((a, b) => a.number - b.number);
    for (const box of full) {
      box.isFull = false;
      if (this.#mayGoTogether(box)) {
        box.message.raw(box.control.written());
        box.control.clear();
      }
      if (box.control.length > 0) this.#sendAll(box.to, LANE_CONTROL, box.control);
      if (box.message.length > 0) this.#sendAll(box.to, LANE_MESSAGE, box.message);
      if (box.bulk.length > 0) this.#sendAll(box.to, LANE_BULK, box.bulk);
    }
    full.length = 0;
    if (this.#boxes.length > PEERS_KEPT_MAX) {
      this.#boxes = [];
      this.#last = null;
    }
  }

  #mayGoTogether({ to, control, message }: Box): boolean {
    return control.length > 0 && message.length > 0 && control.length + message.length <= TOGETHER_BYTES_MAX &&
      this.#isClear(to);
  }

  /** A walk along a few dozen at most: quicker than a `Map` with keys beyond 32 bits. */
  #boxOf(to: number): Box {
    for (const box of this.#boxes) if (box.to === to) return this.#last = box;
    const number = this.#number++;
    const box = {
      to,
      number,
      isFull: false,
      control: new ByteWriter(),
      message: new ByteWriter(),
      bulk: new ByteWriter(),
    };
    this.#boxes.push(box);
    return this.#last = box;
  }

  /** The mesh lays what it is given out as a frame at once: no copy of it is needed. */
  #sendAll(to: number, lane: Lane, writer: ByteWriter): void {
    this.#send(to, lane, writer.written());
    writer.clear();
  }
}
