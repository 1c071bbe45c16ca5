/**
 * The answers that do not end by themselves: watches and NDJSON streams. A server that goes down waits for every answer
 * under way, so these must be told first.
 */
import { closing, tooManyStreams } from "./errors.ts";

/** A counted place for one stream. */
export interface OpenStream {
  /** resolves when the gateway goes down: the stream then comes to its end */
  readonly closing: Promise<void>;
  /** true: it does */
  readonly isClosing: boolean;
  /** gives the place back; may be called more than once */
  end(): void;
}

/** Counts streams, and ends them all at once. */
export class OpenStreams {
  readonly #streamsMax: number;
  #ends = new Set<() => void>();
  #isClosing = false;
  /** places of WebSockets */
  readonly #sockets = new Set<() => void>();
  #whenNoSocket: (() => void) | null = null;

  /** For at most `streamsMax` streams at a time. */
  constructor(streamsMax: number) {
    this.#streamsMax = streamsMax;
  }

  /** how many are open */
  get count(): number {
    return this.#ends.size;
  }

  /**
   * Takes a place; for a WebSocket where `isSocket` says so.
   *
   * @throws {WaterparkError} `gateway/too-many-streams`, `gateway/closing`
   */
  open({ isSocket = false }: { isSocket?: boolean } = {}): OpenStream {
    if (this.#isClosing) throw closing();
    if (this.#ends.size >= this.#streamsMax) throw tooManyStreams(this.#streamsMax);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ends.add(resolve);
    if (isSocket) this.#sockets.add(resolve);
    const isClosing = () => this.#isClosing;
    return {
      closing: promise,
      get isClosing() {
        return isClosing();
      },
      end: () => {
        this.#ends.delete(resolve);
        if (this.#sockets.delete(resolve) && this.#sockets.size === 0) this.#whenNoSocket?.();
      },
    };
  }

  /** Resolves when no WebSocket is open: a server that shuts down cuts them off, whatever is under way on them. */
  socketsEnded(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#sockets.size === 0) resolve();
      else this.#whenNoSocket = resolve;
    });
  }

  /** Tells all streams to end, and lets no more in. */
  closeAll(): void {
    this.#isClosing = true;
    for (const end of this.#ends) end();
  }
}
