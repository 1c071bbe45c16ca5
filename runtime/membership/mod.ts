/**
 * Membership: who is silent. A local opinion about incarnations, on the time scale of tenths of a second; elections and
 * routing use it, nothing else does. (Absence is an entry of the topology, removal an operator's word.)
 *
 * `failure_detector.ts` is the pure core and tells the story; `ways.ts` tells who is alive but not reached, and who
 * reaches it; `membership.ts` drives both; `round_trips.ts` measures.
 * Source: SWIM (Das, Gupta, Motivala, 2002) and Lifeguard (Dadgar, Phillips, Currey, 2018), on a full mesh.
 *
 * It stops being right beyond some 100 nodes: pings then come less often, and so does suspicion. SWIM's sampling with
 * gossip would take its place.
 *
 * @module
 */
export { MEMBERSHIP_CONFIG, type MembershipConfig } from "./config.ts";
export type { MembershipPeer } from "./failure_detector.ts";
export { Membership, type MembershipOptions } from "./membership.ts";
