/**
 * What the gateway lets in at most. Everything that a stranger can make grow is in this list; `node`'s configuration
 * may set others.
 */
export interface GatewayLimits {
  /** bytes of one message, also of one NDJSON line; more is 413 */
  bodyBytesMax: number;
  /** bytes of a plugin's bundle; below the mesh's frame limit, as every node gets it in one piece */
  bundleBytesMax: number;
  /** nested arrays and objects in a JSON body; deeper would overflow the stack of whoever writes it out again */
  jsonDepthMax: number;
  /** a request is answered within this time; half a second more than the rooms below take, whose answer says more */
  requestDeadlineMs: number;
  /** messages of one NDJSON stream that wait for their receipt; more are not read until some are answered */
  streamInFlightMax: number;
  /** the same in bytes */
  streamInFlightBytesMax: number;
  /**
   * messages of one `/v1/wire` connection that wait for their receipt. As many as admission always lets in, so that one
   * client alone, however much it has to send, is told to wait and never turned away
   */
  wireInFlightMax: number;
  /** the same in bytes of payloads */
  wireInFlightBytesMax: number;
  /** watches, NDJSON streams and wire connections open at a time; one more is 503 */
  openStreamsMax: number;
  /** how often a silent watch says that it lives */
  heartbeatMs: number;
  /** events of one history page */
  historyEventsMax: number;
  /** payload bytes of one history page; at least one event goes out */
  historyBytesMax: number;
  /** how long a closing gateway waits for requests under way before it cuts them off */
  shutdownGraceMs: number;
}

/** The limits where nothing else is said. */
export const GATEWAY_LIMITS: Readonly<GatewayLimits> = {
  bodyBytesMax: 1 << 20,
  bundleBytesMax: 8 << 20,
  jsonDepthMax: 64,
  requestDeadlineMs: 10_500,
  streamInFlightMax: 1024,
  streamInFlightBytesMax: 16 << 20,
  wireInFlightMax: 512,
  wireInFlightBytesMax: 16 << 20,
  openStreamsMax: 1024,
  heartbeatMs: 10_000,
  historyEventsMax: 1000,
  historyBytesMax: 16 << 20,
  shutdownGraceMs: 5_000,
};
