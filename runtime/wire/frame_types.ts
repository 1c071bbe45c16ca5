/** A lane keeps one kind of traffic from delaying another. */
export type Lane = 0 | 1 | 2;

/** pings, votes, acknowledgements */
export const LANE_CONTROL: Lane = 0;
/** messages and their replication */
export const LANE_MESSAGE: Lane = 1;
/** catch-up and bundles of code */
export const LANE_BULK: Lane = 2;

/** What a frame is; the number on the wire never changes its meaning. */
export const FRAME = {
  HELLO: 1,
  HELLO_PROOF: 2,
  WELCOME: 3,
  GOODBYE: 4,
  GOODBYE_ACK: 5,
  REFUSED: 6,
  PING: 10,
  PONG: 11,
  PING_REQUEST: 12,
  RAFT: 20,
  DELIVER: 30,
  DELIVER_ANSWER: 31,
  RELAY: 40,
  RELAYED: 41,
  RELAY_REFUSED: 42,
  REQUEST: 50,
  RESPONSE: 51,
} as const;
