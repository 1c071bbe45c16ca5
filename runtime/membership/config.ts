/**
 * Times and bounds of a membership. `runtime/node/config.ts` decides them; what stands here is what that file starts from
 * and what tests use.
 */
export interface MembershipConfig {
  /** how often each peer is pinged, in ms */
  pingIntervalMs: number;
  /** silence after which others are asked, in ms */
  askAfterMs: number;
  /** silence after which a peer is suspected, in ms */
  suspectAfterMs: number;
  /** the same for a peer that was never heard: links take longer to make than to keep, in ms */
  firstContactMs: number;
  /** what a peer whose link has closed gets to show itself by another way, in ms */
  confirmMs: number;
  /** without an answer to its own pings for so long, a node looks for a relay, in ms; what it hears does not count */
  wayAfterMs: number;
  /** how many others are asked about a silent peer */
  askedMax: number;
  /** how often silence is looked at, in ms */
  tickMs: number;
  /** a tick so late says that this node itself stood still, in ms */
  stallMs: number;
  /** own stalls widen the times above by up to this many times of themselves */
  healthMax: number;
  /** with more peers than that, pings and times are stretched in proportion: the mesh of pings grows with the square */
  meshPeersMax: number;
}

/** What a membership does where nothing else is said. */
export const MEMBERSHIP_CONFIG: Readonly<MembershipConfig> = Object.freeze({
  // Three pings may be lost before anybody is suspected; together with an election that is still below one second (P4).
  pingIntervalMs: 100,
  askAfterMs: 200,
  suspectAfterMs: 300,
  firstContactMs: 1_000,
  // A round trip to another continent, there and back by way of a third node.
  confirmMs: 100,
  // Six pings in a row: frames that change their way arrive out of order, which costs more than it brings for a hiccup.
  wayAfterMs: 600,
  askedMax: 3,
  tickMs: 25,
  // Twice the longest pause that is normal here: the main thread never stands still for more than 20 ms by design.
  stallMs: 100,
  // The time of the stall itself is forgiven anyway; this is for what lies in queues after it.
  healthMax: 1,
  meshPeersMax: 100,
});
