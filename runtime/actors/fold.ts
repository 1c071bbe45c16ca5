import type { Effect } from "../effects/mod.ts";

/** A message as a handler's host gets it. */
export interface FoldMessage {
  /** unique in the actor's history */
  id: string;
  /** place in the actor's history, from 1 */
  seq: number;
  /** wall time that came with the message, ms since 1970 */
  atMs: number;
  /** what happened */
  type: string;
  /** media type of `payload` */
  contentType: string;
  /** a view of the log; who keeps it longer than the call copies it */
  payload: Uint8Array;
}

/** A run of messages for one session: one plugin version, one actor. */
export interface FoldRequest {
  /** name of the plugin */
  plugin: string;
  /** SHA-256 of its bundle: the version */
  hash: string;
  /** canonical text of the actor's key */
  key: string;
  /**
   * The last seq of the actor's former lives, 0 in its first (and where left out): its history begins behind it.
   * Sessions of other lives are other sessions.
   */
  birth?: number;
  /**
   * The session (plugin, hash, key, birth) must stand at this seq, else `behind` is answered. `birth` always holds: a
   * session that stands elsewhere is dropped and begun anew, which is how results are had again that an earlier call
   * has already consumed (a reader moved the session on, then the node became writer).
   */
  after: number;
  /** seqs after+1, after+2, ... without a gap; may be empty when only the projections are wanted */
  messages: FoldMessage[];
  /** true: the projections after the last message come with the answer */
  wantProjections: boolean;
  /**
   * Results of messages up to this seq are not told; left out: all are. Who goes through a history to stand at its end
   * (a version that takes over, an understudy, a reader) wants few of them, or none (`Infinity`), and each costs reading
   * and checking on both sides.
   */
  resultsAfter?: number;
  /**
   * true: a throw-away session, for time travel: `after` is `birth`, all its messages are in this one call (which may be far
   * longer than the others), it does not touch the live session and is forgotten afterwards.
   */
  fresh: boolean;
  /** feature flags as the topology has them */
  switches: Record<string, boolean>;
  /** what they are instead for messages behind a seq, ascending; left out: the same for all */
  changes?: readonly { after: number; switches: Record<string, boolean> }[];
}

/** What one message led to. */
export interface FoldResult {
  /** of the message */
  seq: number;
  /** plain data, mostly empty */
  effects: Effect[];
  /** digest of the projections after it, hexadecimal */
  digest: string;
}

/** How a fold ended. */
export type FoldAnswer =
  /** all messages were folded; the session stands at `at` */
  | { state: "ok"; at: number; results: FoldResult[]; projections?: unknown }
  /** nothing was folded: the session stands at `at` (`birth`: it knows nothing); send again from there */
  | { state: "behind"; at: number }
  /** the handler threw, returned nonsense or took too long at seq `at`; `results` are those before it; stands at `at` - 1 */
  | { state: "fault"; at: number; code: string; message: string; stack: string; results: FoldResult[] }
  /** the host died, or has no room (code `plugin_host/busy`); `lonely`: this call was its only one, so it killed it */
  | { state: "down"; lonely: boolean; code: string };

/** Folds messages in a plugin host; `done` is called exactly once, never within the call. */
export type Fold = (request: FoldRequest, done: (answer: FoldAnswer) => void) => void;
