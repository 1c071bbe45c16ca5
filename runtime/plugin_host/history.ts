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
  readonly #rows: readonly Row[];
  readonly #birth: number;

  /** @param birth the seq before that of the first row */
  constructor(rows: readonly Row[], length: number, birth = 0) {
    this.#rows = rows;
    this.length = length;
    this.#birth = birth;
  }

  /** The message at `index`, from 0; negative counts from the end. */
  at(index: number): HandlerMessage | undefined {
    const whole = Math.trunc(index) || 0;
    const i = whole < 0 ? this.length + whole : whole;
    return i >= 0 && i < this.length ? messageOf(this.#rows[i], this.#birth + i + 1) : undefined;
  }

  /** All messages, in order. */
  *[Symbol.iterator](): Iterator<HandlerMessage> {
    for (let i = 0; i < this.length; i++) yield messageOf(this.#rows[i], this.#birth + i + 1);
  }
}
