/**
 * HTTP as a way of the switchboard's, for where no wire is to be had. One message of a lane at a time, as two requests
 * that are under way together have no order.
 */
import type { Sent } from "../../client.ts";
import { parseKey, WaterparkError } from "../../runtime/base/mod.ts";
import type { Dialer } from "../dialer.ts";
import type { Post } from "./switchboard.ts";
import type { Sending } from "./sending.ts";
import type { Way } from "./way.ts";

/** Told how a message ended; `finish` gives the receipt to who sent it. */
type Ended = (sending: Sending, error: WaterparkError | null, finish: () => void) => void;

/** Sends messages singly. */
export class HttpWay implements Way {
  readonly isOpen = true;
  readonly laneMessagesMax = 1;
  readonly #dialer: Dialer;
  /** set by who makes the switchboard */
  onEnd: Ended = () => {};

  constructor(dialer: Dialer) {
    this.#dialer = dialer;
  }

  add(sending: Sending): void {
    const post = Promise.try(() => postOverHttp(this.#dialer, sending));
    post.then(
      (sent) => this.onEnd(sending, null, () => sending.succeed(sent)),
      (error: WaterparkError) => this.onEnd(sending, error, () => {}),
    );
  }
}

/**
 * One message, one request.
 *
 * @throws {WaterparkError} the node's; `client/bad-id` when a header cannot carry the id or type
 */
export function postOverHttp(dialer: Dialer, post: Post): Promise<Sent> {
  const { id, type, contentType, ifMatch, handled, payload } = post;
  if (!/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(id + (type ?? ""))) {
    throw new WaterparkError("Cannot send the message by HTTP as its id and type must be printable ASCII", {
      code: "client/bad-id",
      outcome: "not-applied",
    });
  }
  const { kind, facility, id: name } = parseKey(post.key);
  return dialer.ask<Sent>({
    method: "POST",
    path: `/v1/actors/${[kind, facility, name].map(encodeURIComponent).join("/")}/messages`,
    headers: {
      "content-type": contentType,
      // in quotes, as the draft wants it: then an id that itself has quotes survives
      "idempotency-key": `"${id}"`,
      ...(type === null ? {} : { "waterpark-type": type }),
      ...(ifMatch < 0 ? {} : { "if-match": `"${ifMatch}"` }),
      ...(handled ? { prefer: "return=representation" } : {}),
    },
    body: payload,
    kind: handled ? "send-handled" : "send",
  });
}
