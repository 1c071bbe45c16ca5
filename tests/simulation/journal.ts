/**
 * Journal: everything that checkers may look at. It is written by the clients and by observers of the nodes; checkers
 * read it and nothing else, and share no code with what they watch. All times are those of the simulation, which no
 * node's clock knows, ms.
 */
import type { SimulatedVersion, Wish } from "./plugins.ts";

/** A message that a client wants recorded. */
export interface Sent {
  client: number;
  /** its place among the client's messages to this actor, from 1 */
  place: number;
  key: string;
  id: string;
  body: string;
  /** what the handler is asked for in `body` */
  wish: Wish;
  /** what is sent where it is not the body as JSON */
  content?: { type: string; contentType: string; payload: Uint8Array };
  /** record only if the actor's last seq is this; -1: whatever it is */
  ifMatch: number;
  /** when it was first handed to a node */
  atMs: number;
  /** how often it was handed to a node */
  attempts: number;
  /**
   * "": it goes on until it has its receipt. Else the client has given it up: `not-applied` was said of its only attempt,
   * so it must never show up; `unknown`: there were others, so it may
   */
  ended: "" | "not-applied" | "unknown";
}

/** A message that is known to be recorded. */
export interface Recorded {
  key: string;
  id: string;
  /** lives of nodes, ended ones too, that really held the message */
  held: { node: string; dataCenter: string }[];
  atMs: number;
}

/** A receipt as the client got it. */
export interface Acknowledged extends Recorded {
  seq: number;
  shard: string;
  generation: number;
  term: number;
  index: number;
  writer: string;
  copies: string[];
  digest: string;
  duplicate: boolean;
  /** how often the message had been handed to a node until then */
  attempts: number;
}

/** A message sent once more under an id that has its receipt, with other bytes, and what came of it. */
export interface Forged {
  key: string;
  id: string;
  /** `recorded`, or the code of the refusal */
  answer: string;
}

/** What was handed in at the desk, the simulated outside. */
export interface Delivered {
  /** of the effect */
  id: string;
  /** canonical key of the actor whose handler asked, and the message that was handled */
  source: string;
  seq: number;
  body: string;
  atMs: number;
}

/** A commit on one node. */
export interface Committed {
  node: string;
  shard: number;
  index: number;
  /** fingerprint of the entry's bytes; -1: they belonged to a life that has ended, and are gone */
  print: number;
  isWriter: boolean;
  term: number;
}

/** What handlers decided about messages up to `seq` of an actor, as an entry of the log has it; in log order. */
export interface Outcome {
  shard: number;
  /** of the entry; several outcomes may share one */
  index: number;
  /** "": from here on the plugin handles the shard */
  key: string;
  plugin: string;
  /** which version decided */
  hash: string;
  seq: number;
  state: "ok" | "parked";
  effects: { type: string; key: string; body: unknown; timer?: { name: string; dueMs: number } }[];
  /** why it was parked; "" it was not */
  code: string;
  /** when the first node had it committed */
  atMs: number;
}

/** A message that a node posts because a handler asked for it. */
export interface CarriedOut {
  /** the actor whose handler asked */
  source: string;
  /** the message that was handled */
  seq: number;
  plugin: string;
  key: string;
  id: string;
  atMs: number;
}

/** Somebody waited until handlers were through with a message. */
export interface Handled {
  key: string;
  seq: number;
  reply: unknown;
  atMs: number;
}

/** A read and its answer. */
export interface Read {
  key: string;
  mode: "fresh" | "writer" | "nearest";
  /** asked to be as of this seq; 0: as of now */
  at: number;
  /** asked to wait for this seq; 0: not */
  after: number;
  /** the last seq in the answer; 0: there is no such actor, or its life has ended */
  seq: number;
  isRetired: boolean;
  /** the handler's count and chain; null where there is none, or it stands still */
  kept: { count: number; chain: number } | null;
  invokedMs: number;
  answeredMs: number;
}

/** A piece of an actor's history, as somebody was given it. */
export interface Listed {
  key: string;
  mode: Read["mode"];
  /** asked for what comes behind this seq */
  after: number;
  events: { seq: number; id: string }[];
  answeredMs: number;
}

/** The end of an actor's life, as an entry of the log. */
export interface Retired {
  key: string;
  shard: number;
  index: number;
  /** the last message of the life */
  seq: number;
  /** when the first node had it committed */
  committedMs: number;
}

/** A timer that a writer fires: it hands the message to its log. */
export interface Fired {
  key: string;
  id: string;
  /** the writer's own wall clock, and the median of all that live */
  wallMs: number;
  medianWallMs: number;
}

/** A message of an ended life whose bytes a copy still holds. */
export interface Unfreed {
  node: string;
  key: string;
  seq: number;
}

/** One message as one copy has it. */
export interface Kept {
  id: string;
  seq: number;
  type: string;
  body: string;
  index: number;
  term: number;
  /** digest of the bytes, and of the actor's history up to here */
  digest: string;
  chain: string;
  /** wall time that came with it */
  atMs: number;
}

/** A message as the first node had it that committed it. */
export interface CommittedMessage extends Kept {
  committedMs: number;
}

/** An actor's whole history, all its lives: the message of seq n stands at n - 1. */
export interface WholeHistory {
  shard: number;
  messages: CommittedMessage[];
}

/** One copy of an actor's history at the end: that of its present life. */
export interface History {
  node: string;
  key: string;
  shard: string;
  isVoter: boolean;
  messages: Kept[];
}

/** What handlers keep of an actor, as read from one copy at the end. */
export interface Folded {
  node: string;
  key: string;
  seq: number;
  count: number;
  chain: number;
}

/** A gauge of one node: the most that was seen, and what it may be. */
export interface Gauge {
  node: string;
  name: string;
  most: number;
  max: number;
}

/** What was seen of one simulation. */
export interface Journal {
  nodes: number;
  dataCenters: number;
  /** plugin hosts die without any message's doing */
  hostsDie: boolean;
  /** moments at which all processes ended: shards may have gone on in another generation after each */
  outages: number;
  sent: Sent[];
  acknowledged: Acknowledged[];
  /** messages without a receipt, from handlers, that must be kept all the same */
  recorded: Recorded[];
  forged: Forged[];
  committed: Committed[];
  outcomes: Outcome[];
  /** every version of every plugin that was ever deployed */
  versions: SimulatedVersion[];
  carriedOut: CarriedOut[];
  /** what the outside has taken, in that order */
  delivered: Delivered[];
  handled: Handled[];
  reads: Read[];
  listed: Listed[];
  /** by key: what was committed, written down when it was */
  whole: Map<string, WholeHistory>;
  retired: Retired[];
  fired: Fired[];
  histories: History[];
  folded: Folded[];
  unfreed: Unfreed[];
  gauges: Map<string, Gauge>;
  /** true wall time when all had settled, ms */
  endWallMs: number;
  /** what was still owed when the liveness phase ended */
  unsettled: string[];
}

/** A journal with nothing in it. */
export function emptyJournal(): Journal {
  return {
    nodes: 8,
    dataCenters: 4,
    hostsDie: false,
    outages: 0,
    sent: [],
    acknowledged: [],
    recorded: [],
    forged: [],
    committed: [],
    outcomes: [],
    versions: [],
    carriedOut: [],
    delivered: [],
    handled: [],
    reads: [],
    listed: [],
    whole: new Map(),
    retired: [],
    fired: [],
    histories: [],
    folded: [],
    unfreed: [],
    gauges: new Map(),
    endWallMs: 0,
    unsettled: [],
  };
}

/** FNV-1a over the bytes; not the product's hash, on purpose. */
export function fingerprint(bytes: Uint8Array): number {
  let h = 0x811c9dc5;
  for (const byte of bytes) h = Math.imul(h ^ byte, 0x01000193);
  return h >>> 0;
}
