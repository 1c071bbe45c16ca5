import type { Sent } from "../../client.ts";
import { WaterparkError } from "../../runtime/base/mod.ts";
import type { OutgoingPost } from "../../runtime/wire/post_batch.ts";
import type { Lane } from "./lanes.ts";

/** How a message ended; called once. */
export type Done = (error: WaterparkError | null, sent: Sent | null) => void;

/** One message under way: from the caller's hand to its receipt, over however many connections that takes. */
export class Sending implements OutgoingPost {
  readonly key: string;
  readonly id: string;
  readonly type: string | null;
  readonly contentType: string;
  payload: string | Uint8Array;
  readonly ifMatch: number;
  readonly handled: boolean;
  done: Done;
  /** of its payload, for the bound of what may wait */
  readonly weight: number;
  /** most bytes that its payload can have */
  payloadBytesMost: number;
  /** its place among all that were sent */
  readonly order: number;
  readonly lane: Lane;
  /** when it is given up */
  readonly endMs: number;
  sender = 0;
  requestId = 0;
  /** a node may have recorded it, though no answer says so */
  mayBeApplied = false;
  /** true: it has ended, for the caller */
  isDone = false;
  /** its neighbours among those without a receipt; {@linkcode OpenSendings}' own */
  before: Sending | null = null;
  after: Sending | null = null;
  isListed = false;
  /** what a node, or a connection, said last */
  last: WaterparkError | null = null;

  constructor(
    post: Pick<OutgoingPost, "key" | "id" | "type" | "contentType" | "payload" | "ifMatch" | "handled">,
    { done, order, lane, endMs }: { done: Done; order: number; lane: Lane; endMs: number },
  ) {
    this.key = post.key;
    this.id = post.id;
    this.type = post.type;
    this.contentType = post.contentType;
    this.payload = post.payload;
    this.weight = post.payload.length;
    this.payloadBytesMost = typeof post.payload === "string" ? 3 * post.payload.length : post.payload.length;
    this.ifMatch = post.ifMatch;
    this.handled = post.handled;
    this.done = done;
    this.order = order;
    this.lane = lane;
    this.endMs = endMs;
  }

  /** Ends it without a receipt. An earlier attempt may have recorded it, whatever the last one says of itself. */
  fail(error: WaterparkError): void {
    if (this.isDone) return;
    const done = this.#end();
    const isOpen = this.mayBeApplied && error.outcome === "not-applied";
    done(
      isOpen
        ? new WaterparkError(error.message, {
          code: error.code,
          outcome: "unknown",
          retryAfterMs: error.retryAfterMs,
          cause: error,
        })
        : error,
      null,
    );
  }

  /** Ends it with its receipt. */
  succeed(sent: Sent): void {
    if (!this.isDone) this.#end()(null, sent);
  }

  /** What it held is let go at once: the collector may find this one late. */
  #end(): Done {
    const { done } = this;
    this.isDone = true;
    this.done = nobody;
    this.payload = "";
    return done;
  }
}

function nobody(): void {}
