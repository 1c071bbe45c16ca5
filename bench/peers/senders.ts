/**
 * The peers' clients. Like ours they keep `inFlight` messages under way until the run has no more, and resolve when every
 * one has its answer. As simple as they can be, so that what is measured is the peer.
 */
import type { Message } from "../messages.ts";
import type { Answer, Run } from "../run.ts";
import { ByteStream } from "./byte_stream.ts";
import { FrameReader, writeErlangFrame } from "./erlang_frames.ts";
import { isPublished, natsConnect, natsPublish, NatsReader } from "./nats_protocol.ts";
import { RespReader, respText } from "./resp.ts";

/** Where and how many. */
export interface PeerSenderOptions {
  /** the peer's ports */
  ports: readonly number[];
  inFlight: number;
}

/** Redis answers a connection's WAIT before it reads on: so each connection has one batch or message under way. */
const EACH_CONNECTIONS_MAX = 64;
/** While one batch waits for the replicas, another is read: more than two gained nothing. */
const BATCH_CONNECTIONS = 2;
const REPLICAS = "2";

const DONE: Answer = { key: "", id: "", seq: 0, copies: [] };
const FAILED: Answer = { code: "peer/failed", outcome: "unknown" };

/** The clients by name. */
export const PEER_SENDERS: Record<string, (run: Run, options: PeerSenderOptions) => Promise<void>> = {
  "redis-batch": (run, options) => sendToRedis(run, options, Math.min(BATCH_CONNECTIONS, options.inFlight)),
  "redis-each": (run, options) => sendToRedis(run, options, Math.min(EACH_CONNECTIONS_MAX, options.inFlight), 1),
  "nats": sendToNats,
  "erlang": sendToErlang,
};

/** Batches of XADD with one WAIT at the end: what is under way is shared by the connections. */
async function sendToRedis(
  run: Run,
  { ports, inFlight }: PeerSenderOptions,
  connections: number,
  batchMax = Infinity,
): Promise<void> {
  await Promise.all(Array.from({ length: connections }, async (_, i) => {
    using stream = await ByteStream.connect(ports[0]);
    let window = Math.floor(inFlight / connections) + (i < inFlight % connections ? 1 : 0);
    // batches whose WAIT is open, oldest first: one, or with a batch for each message as many as fit
    const batches: { messages: Message[]; sentMs: number; added: number }[] = [];
    await new Promise<void>((resolve, reject) => {
      const send = () => {
        while (window > 0) {
          const messages: Message[] = [];
          while (messages.length < Math.min(window, batchMax)) {
            const message = run.next();
            if (message === null) break;
            messages.push(message);
            stream.text(respText(["XADD", message.key, "*", "m", message.body]));
          }
          if (messages.length === 0) break;
          window -= messages.length;
          stream.text(respText(["WAIT", REPLICAS, "0"]));
          batches.push({ messages, sentMs: performance.now(), added: 0 });
        }
        stream.flush();
        if (batches.length === 0) resolve();
      };
      const reader = new RespReader(({ kind, value }) => {
        const batch = batches[0];
        if (kind === "bulk") batch.added++;
        else if (kind !== "integer") reject(new Error(`Cannot go on as Redis said ${value}`));
        else {
          batches.shift();
          const isDone = value as number >= Number(REPLICAS) && batch.added === batch.messages.length;
          for (const message of batch.messages) run.answered(message, batch.sentMs, isDone ? DONE : FAILED);
          window += batch.messages.length;
        }
      });
      stream.read((bytes) => {
        reader.push(bytes);
        send();
      }).catch(reject);
      send();
    });
  }));
}

/** Published to the server that leads the stream; acknowledged to an inbox whose last word is the message's number. */
async function sendToNats(run: Run, { ports, inFlight }: PeerSenderOptions): Promise<void> {
  using stream = await ByteStream.connect(ports[0]);
  const inbox = `_INBOX.${crypto.randomUUID().slice(0, 8)}`;
  stream.text(natsConnect(`${inbox}.*`));
  const open = new Map<number, { message: Message; sentMs: number }>();
  let count = 0;
  await new Promise<void>((resolve, reject) => {
    const send = () => {
      const sentMs = performance.now();
      while (open.size < inFlight) {
        const message = run.next();
        if (message === null) break;
        const number = count++;
        open.set(number, { message, sentMs });
        stream.text(natsPublish(subjectOf(message.key), `${inbox}.${number}`, message.body));
      }
      stream.flush();
      if (open.size === 0) resolve();
    };
    const reader = new NatsReader({
      onMessage(subject, payload) {
        const number = Number(subject.slice(inbox.length + 1));
        const { message, sentMs } = open.get(number)!;
        open.delete(number);
        run.answered(message, sentMs, isPublished(payload) ? DONE : FAILED);
      },
      onPing: () => stream.text("PONG\r\n"),
    });
    stream.read((bytes) => {
      reader.push(bytes);
      send();
    }).catch(reject);
    send();
  });
}

/** `patient/H1/2` is `p.H1.2`. */
function subjectOf(key: string): string {
  return "p" + key.slice(key.indexOf("/")).replaceAll("/", ".");
}

/** Frames of messages to the node that writes the patient; frames of numbers back. */
async function sendToErlang(run: Run, { ports, inFlight }: PeerSenderOptions): Promise<void> {
  const streams = await Promise.all(ports.map((port) => ByteStream.connect(port)));
  const open = new Map<number, { message: Message; sentMs: number }>();
  let count = 0;
  try {
    await new Promise<void>((resolve, reject) => {
      const send = () => {
        const sentMs = performance.now();
        const batches = streams.map(() => [] as { number: number; message: Message }[]);
        while (open.size < inFlight) {
          const message = run.next();
          if (message === null) break;
          const number = count++ >>> 0;
          open.set(number, { message, sentMs });
          batches[message.actor % streams.length].push({ number, message });
        }
        for (const [i, batch] of batches.entries()) {
          if (batch.length > 0) writeErlangFrame(streams[i], batch);
          streams[i].flush();
        }
        if (open.size === 0) resolve();
      };
      for (const stream of streams) {
        const reader = new FrameReader((view, from, to) => {
          for (let at = from; at < to; at += 4) {
            const number = view.getUint32(at);
            const { message, sentMs } = open.get(number)!;
            open.delete(number);
            run.answered(message, sentMs, DONE);
          }
        });
        stream.read((bytes) => {
          reader.push(bytes);
          send();
        }).catch(reject);
      }
      send();
    });
  } finally {
    for (const stream of streams) stream[Symbol.dispose]();
  }
}
