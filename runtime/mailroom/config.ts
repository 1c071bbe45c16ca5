/**
 * Bounds and times of a mailroom. `runtime/node/config.ts` decides them; what stands here is what that file starts from
 * and what tests use.
 */
export interface MailroomConfig {
  /** open postings of this node; beyond, `mailroom/busy` */
  postingsMax: number;
  /** bytes of open postings of this node; beyond, `mailroom/busy` */
  bytesMax: number;
  /** one posting, everything included; beyond, `mailroom/too-large`. Far below a frame's limit, so nothing need be split */
  itemBytesMax: number;
  /** items of other nodes that may be open here; beyond, they are answered `busy` */
  remoteOpenMax: number;
  /** how long a posting is tried, in ms */
  deadlineMs: number;
  /** no answer from a peer for so long: send again, in ms; doubles with each time */
  tryTimeoutMs: number;
  /** where that doubling ends, in ms */
  tryTimeoutMsMax: number;
  /** first wait when nobody knows the writer, in ms; doubles with each time */
  backoffMs: number;
  /** where that doubling ends, in ms */
  backoffMsMax: number;
  /** what a full mailroom tells its callers to wait, in ms */
  busyRetryAfterMs: number;
  /** a bundle is closed when it has reached this size, in bytes */
  bundleBytesMax: number;
  /** a bundle to another data center is compressed from this size on, in bytes */
  compressBytesMin: number;
  /** granularity of deadlines, in ms */
  tickMs: number;
}

/** What a mailroom does where nothing else is said. */
export const MAILROOM_CONFIG: Readonly<MailroomConfig> = Object.freeze({
  // About 0.7 s of a node's full rate: more in the queue would only be answered too late.
  postingsMax: 65_536,
  bytesMax: 256 * 1024 * 1024,
  itemBytesMax: 8 * 1024 * 1024,
  remoteOpenMax: 65_536,
  // P4: an election takes less than one second; ten cover several and still end before a client's patience does.
  deadlineMs: 10_000,
  // Longer than any healthy round trip between continents plus a commit, shorter than a user notices twice.
  tryTimeoutMs: 1_000,
  tryTimeoutMsMax: 4_000,
  backoffMs: 5,
  backoffMsMax: 200,
  busyRetryAfterMs: 200,
  // One bundle must not keep a lane busy for long: 2 ms at 1 Gbit/s.
  bundleBytesMax: 256 * 1024,
  // Below 4 KiB zstd costs more time than the bytes it saves.
  compressBytesMin: 4_096,
  tickMs: 25,
});
