import { decodeBody } from "./body.ts";
import type { HandlerHistory, HandlerMessage } from "./sdk.ts";

/** A recorded message as a context keeps it: primitives only. */
export interface Row {
  readonly id: string;
  readonly at: number;
  readonly type: string;
  readonly contentType: string;
  /** the payload, see `content.ts` */
  readonly raw: string;
}

/** The message of a row. A new object each time, since a handler may change what it was given. */
export function messageOf(row: Row, seq: number): HandlerMessage {
  let isDecoded = false;
  let body: unknown;
  return {
    id: row.id,
    seq,
    at: row.at,
    type: row.type,
    contentType: row.contentType,
    get body(): unknown {
      if (!isDecoded) {
        body = decodeBody(row.contentType, row.raw);
        isDecoded = true;
      }
      return body;
    },
  };
}

/** The first `length` rows, looked at as messages where they are touched. */
export class RowHistory implements HandlerHistory {
  /** how many messages there are */
  readonly length: number;
  readonly #rows: readonly Row[] | null;
  readonly #birth: number;
  #isMissed = false;

  /**
   * @param rows null: only their number is known, and whoever looks at one has the call made again with them all
   * @param birth the seq before that of the first row
   */
  constructor(rows: readonly Row[] | null, length: number, birth = 0) {
    this.#rows = rows;
    this.length = length;
    this.#birth = birth;
  }

  /** True when a row was looked at that is not here: whatever came of it does not count, be the error caught or not. */
  static isMissed(history: RowHistory): boolean {
    return history.#isMissed;
  }

  /** The message at `index`, from 0; negative counts from the end. */
  at(index: number): HandlerMessage | undefined {
    const whole = Math.trunc(index) || 0;
    const i = whole < 0 ? this.length + whole : whole;
    return i >= 0 && i < this.length ? messageOf(this.#row(i), this.#birth + i + 1) : undefined;
  }

  /** All messages, in order. */
  *[Symbol.iterator](): Iterator<HandlerMessage> {
    for (let i = 0; i < this.length; i++) yield messageOf(this.#row(i), this.#birth + i + 1);
  }

  #row(i: number): Row {
    if (this.#rows !== null) return this.#rows[i];
    this.#isMissed = true;
    throw new Error("Cannot show the message as its text is not at hand: this call is made again with it");
  }
}
