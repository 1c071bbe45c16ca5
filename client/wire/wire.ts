/**
 * The wire, as the client has it: messages as callers write them, made into posts of the switchboard's.
 */
import type { SendOptions, Sent } from "../../client.ts";
import { type ActorKey, formatKey, fullKey, WaterparkError } from "../../runtime/base/mod.ts";
import { contentTypeOf, type Message, payloadOf } from "../content.ts";
import type { Dialer } from "../dialer.ts";
import type { Sending, SendingAnswer } from "../send_many.ts";
import { HttpWay } from "./http_way.ts";
import { openPlatformSocket } from "./platform_socket.ts";
import type { OpenSocket } from "./socket.ts";
import { type Post, Switchboard } from "./switchboard.ts";
import { openTcpSocket } from "./tcp_socket.ts";

/** Messages of one {@linkcode Wire.sendMany} that are under way at a time. */
const MANY_MAX = 4096;
const MANY_UNITS_MAX = 16 << 20;
const NAME_UNITS_MAX = 200;

/** Sends messages over connections to the nodes. */
export class Wire {
  readonly #board: Switchboard;
  readonly #session = crypto.randomUUID().replaceAll("-", "").slice(0, 20);
  #made = 0;

  /** `openSocket`: where left out Deno's TCP, or the platform's WebSocket */
  constructor(
    dialer: Dialer,
    { token, silentMs, openSocket = anySocket() }: { token?: string; silentMs: number; openSocket?: OpenSocket },
  ) {
    const http = new HttpWay(dialer);
    const { urls, deadlineMs } = dialer;
    this.#board = new Switchboard({ urls, token, deadlineMs, silentMs, openSocket, http });
    http.onEnd = (sending, error, finish) => this.#board.ended(sending, error, finish);
  }

  /** Names of the nodes that it is connected to. */
  get nodes(): string[] {
    return this.#board.nodes;
  }

  /** Records a message. */
  send(key: ActorKey, message: Message, options: SendOptions): Promise<Sent> {
    const post = this.#postOf(key, message, options);
    return new Promise((resolve, reject) => {
      this.#board.send(key.facility, post, (error, sent) => error === null ? resolve(sent!) : reject(error));
    });
  }

  /** Records a message, and calls `done` in place of resolving a promise. */
  post({ key, message, ...options }: Sending, done: (answer: SendingAnswer) => void): void {
    const post = this.#postOf(key, message, options);
    this.#board.send(key.facility, post, (error, sent) => {
      try {
        if (error !== null) done({ state: "refused", id: post.id, error });
        else done({ state: "recorded", receipt: sent!, duplicate: sent!.duplicate === true });
      } catch (thrown) {
        // The caller's own: it must not end the connection on whose answer it was called.
        queueMicrotask(() => {
          throw thrown;
        });
      }
    });
  }

  /** Records many messages; the answers in their order. */
  async *sendMany(messages: Iterable<Sending> | AsyncIterable<Sending>): AsyncGenerator<SendingAnswer> {
    const answers: (SendingAnswer | null)[] = [];
    let first = 0;
    let open = 0;
    let units = 0;
    let isRead = false;
    let isLeft = false;
    let failure: { error: unknown } | null = null;
    let changed = Promise.withResolvers<void>();
    const wake = () => {
      changed.resolve();
      changed = Promise.withResolvers<void>();
    };
    const take = async () => {
      try {
        for await (const message of messages) {
          if (isLeft) return;
          const place = answers.push(null) - 1 + first;
          const weight = weightOf(message.message);
          open++;
          units += weight;
          this.post(message, (answer) => {
            answers[place - first] = answer;
            open--;
            units -= weight;
            // Only what somebody waits for: the head of the row, or room for more.
            if (place === first || open === MANY_MAX - 1) wake();
          });
          while ((open >= MANY_MAX || units >= MANY_UNITS_MAX || answers.length >= 2 * MANY_MAX) && !isLeft) {
            await changed.promise;
          }
        }
      } catch (error) {
        failure = { error };
      }
      isRead = true;
      wake();
    };
    take();
    try {
      for (;;) {
        while (answers.length > 0 ? answers[0] === null : !isRead) await changed.promise;
        if (answers.length === 0) break;
        let ready = 0;
        while (ready < answers.length && answers[ready] !== null) ready++;
        for (const answer of answers.slice(0, ready)) {
          answers.shift();
          first++;
          yield answer!;
        }
        wake();
      }
      // deno-lint-ignore no-explicit-any -- set in the other loop, which the compiler does not see
      if (failure !== null) throw (failure as any).error;
    } finally {
      isLeft = true;
      wake();
    }
  }

  /** Ends it: what has no receipt yet is refused. */
  close(): void {
    this.#board.close();
  }

  /** @throws {WaterparkError} `base/bad-key`, `client/bad-id` */
  #postOf(key: ActorKey, message: Message, options: SendOptions): Post {
    const { contentType = contentTypeOf(message), id = this.#newId(), ifMatch = -1, wait } = options;
    const type = options.type ?? (options.contentType === undefined ? typeIn(message) : null);
    if (
      id.length > NAME_UNITS_MAX || contentType.length > NAME_UNITS_MAX || type !== null && type.length > NAME_UNITS_MAX
    ) {
      throw new WaterparkError(
        `Cannot send the message as its id and types must have at most ${NAME_UNITS_MAX} characters`,
        {
          code: "client/bad-id",
          outcome: "not-applied",
        },
      );
    }
    const payload = payloadOf(message, contentType);
    return { key: keyText(key), id, type, contentType, payload, ifMatch, handled: wait === "handled" };
  }

  /** As random as a UUID, and cheaper: a random name for this client, and a number. */
  #newId(): string {
    return `${this.#session}-${(this.#made++).toString(36)}`;
  }
}

/** The canonical text of a key. @throws {WaterparkError} `base/bad-key` */
function keyText(key: ActorKey): string {
  const { kind = "patient", facility, id } = key;
  if (isPlain(kind) && isPlain(facility) && isPlain(id)) return `${kind}/${facility}/${id}`;
  return formatKey(fullKey(key));
}

/** Letters, digits and such, which need no second look: most keys are, and the look costs a microsecond. */
function isPlain(part: unknown): part is string {
  if (typeof part !== "string" || part.length === 0 || part.length > NAME_UNITS_MAX) return false;
  for (let i = 0; i < part.length; i++) {
    const unit = part.charCodeAt(i);
    // from "0" to "z", of which "%", "." and "/" are none; and "-"
    if ((unit < 48 || unit > 122) && unit !== 45) return false;
  }
  return true;
}

/** What the node would find if it looked inside; null: let it look. */
function typeIn(message: Message): string | null {
  if (typeof message === "string" || message instanceof Uint8Array) return "";
  if (typeof message !== "object" || message === null) return null;
  const prototype = Object.getPrototypeOf(message);
  if (prototype !== Object.prototype && prototype !== null) return null;
  const { type, toJSON } = message as { type?: unknown; toJSON?: unknown };
  if (toJSON !== undefined || typeof type === "object" && type !== null) return null;
  return typeof type === "string" ? type : "";
}

function weightOf(message: Message): number {
  return typeof message === "string" || message instanceof Uint8Array ? message.length : 512;
}

function anySocket(): OpenSocket {
  return typeof Deno === "object" && typeof Deno.connect === "function" ? openTcpSocket : openPlatformSocket;
}
