/**
 * Mailroom: the only way to an actor. Every node has one; it takes a message in, finds the writer of the actor's shard,
 * keeps the message until the receipt is in, and brings it again when the writer moves.
 *
 * An image: a hotel's reception that accepts a letter for any guest of the chain, knows in which house the guest is (or
 * whom to ask), and keeps a copy until the guest has signed. Letters for one house go in one bag. Letters of one sender
 * to one guest carry numbers, and the guest's desk takes them in that order only.
 *
 * What decides is without clock: `stream.ts` (order), `shard_route.ts` (where to), `open_list.ts` (who is open, and due),
 * `replay_window.ts` (each frame once), the frames. `mailroom.ts` feeds them from the world, and `inbox.ts` is the desk of
 * the house that is written to. Read them in this order.
 *
 * Costs one frame per peer and turn. It stops being right when one bag of 256 KiB is not enough to fill a link between
 * continents: then frames in flight, which are unbounded here and bounded by the transport's queue, need a window.
 *
 * @module
 */
export { MAILROOM_CONFIG, type MailroomConfig } from "./config.ts";
export type { MailroomOptions, MailroomTopology, Posting, PostResult } from "./contract.ts";
export type { MailroomCounters } from "./counters.ts";
export { Mailroom } from "./mailroom.ts";
