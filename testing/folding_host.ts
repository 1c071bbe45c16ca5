import { formatKey, type FullKey } from "../runtime/base/mod.ts";
import {
  type FoldAnswer,
  type HandlerDefinition,
  type HandlerMessage,
  InlineHost,
  messageOf,
  rawOf,
  type Switches,
} from "../runtime/plugin_host/mod.ts";
import { SeededRandom, SimulatedTime, simulatedWorld } from "../runtime/world/mod.ts";
import type { LoggedMessage } from "./given_message.ts";

/** An actor's life to be folded. */
export interface Life {
  key: FullKey;
  messages: readonly LoggedMessage[];
  switches: Switches;
}

/** The message as a handler gets it. */
export function asHandlerSees(message: LoggedMessage, seq: number): HandlerMessage {
  const { id, at, type, contentType, payload } = message;
  return messageOf({ id, at, type, contentType, raw: rawOf(contentType, payload) }, seq);
}

/** An {@linkcode InlineHost} that answers at once, with one handler. */
export class FoldingHost<P> {
  readonly #host: InlineHost;
  readonly #time = new SimulatedTime();

  /** @throws {TypeError} when it is no handler */
  constructor(handler: HandlerDefinition<P>) {
    const world = simulatedWorld({ time: this.#time, random: new SeededRandom(1) });
    this.#host = new InlineHost({ world, limits: { sessionBytesMax: Infinity } });
    try {
      this.#host.load("it", handler as HandlerDefinition, true);
    } catch (error) {
      throw new TypeError(`Cannot test the handler as ${(error as Error).message}`);
    }
  }

  /** Projections before the first message. */
  begin(key: FullKey): unknown {
    const answer = this.fold(key, { after: 0, messages: [], switches: {} });
    return answer.state === "ok" ? answer.projections : undefined;
  }

  /** Folds `messages`, which stand behind `after` others. */
  fold(key: FullKey, slice: { after: number; messages: readonly LoggedMessage[]; switches: Switches }): FoldAnswer {
    const { after, messages, switches } = slice;
    let answer: FoldAnswer | null = null;
    this.#host.fold({
      plugin: "it",
      hash: "it",
      key: formatKey(key),
      after,
      messages: messages.map(({ at, ...message }, i) => ({ ...message, atMs: at, seq: after + i + 1 })),
      wantProjections: true,
      fresh: false,
      switches,
    }, (given) => answer = given);
    while (answer === null) this.#time.step();
    return answer;
  }
}
