/** What a node offers to operators of shards that have lost their majority; see `NodeService.recovery`. */

/** How far one node's copy of a shard is. */
export interface CopyView {
  /** name of the node */
  node: string;
  /** false: it could not be asked, and nothing else is known */
  answers: boolean;
  /** null: it has no copy */
  copy: {
    generation: number;
    term: number;
    lastTerm: number;
    lastIndex: number;
    commit: number;
    isWriter: boolean;
    /** false: it is being copied, and lacks parts of lives that have ended */
    isWhole: boolean;
    /** it votes, and sees too few of the others */
    standsStill: boolean;
  } | null;
}

/** A shard and its copies. */
export interface ShardView {
  /** `S05/017` */
  shard: string;
  /** the nodes that should hold it, the writer first */
  target: string[];
  /** one for each node, by name */
  copies: CopyView[];
}

/** What a recovery led to. */
export interface RecoveryView {
  /** `S05/017` */
  shard: string;
  /** the one that begins */
  generation: number;
  /** the node whose copy counts from now on */
  survivor: string;
  /** entries of its log; 0: nothing was left */
  lastIndex: number;
  /** members whose copies could not be asked: what only they had is lost, or comes back to the lost-and-found */
  unreachable: string[];
}

/** A copy of a generation that has ended. */
export interface LostCopyView {
  /** name of the node */
  node: string;
  /** `S05/017` */
  shard: string;
  /** 1 from birth, one more with each recovery */
  generation: number;
  /** the term that it has reached */
  term: number;
  /** messages in it, those of the common past included */
  messages: number;
}

/** A message of a lost copy. */
export interface LostMessageView {
  /** place in the lost copy's log */
  index: number;
  /** of the actor */
  key: string;
  /** of the message */
  id: string;
  /** place among the actor's messages in the lost copy */
  seq: number;
  /** as it was recorded */
  type: string;
  /** wall clock of when it was taken in, ms */
  at: number;
  /** of its bytes */
  digest: string;
  /** it stands in the present history; null: its writer could not be asked */
  present: boolean | null;
}

/** Which lost copy. */
export interface LostCopyName {
  /** name of the node */
  node: string;
  /** `S05/017` */
  shard: string;
  /** 1 from birth, one more with each recovery */
  generation: number;
}

/** What sending again led to. */
export interface ResentView {
  /** recorded anew */
  sent: number;
  /** stood in the present history */
  already: number;
  /** not taken, and why */
  refused: { key: string; id: string; code: string }[];
}

/** The operator's way out when copies are gone for good. */
export interface RecoveryService {
  /** Shards that stand still, as a majority of their copies is gone: as those nodes say that have a copy. */
  standing(): Promise<string[]>;
  /** Asks all nodes how far their copies are. @throws {WaterparkError} `topology/bad-shard` */
  shard(shard: string): Promise<ShardView>;
  /** Lets the shard go on from one survivor. @throws {WaterparkError} `topology/has-majority` and others */
  recover(shard: string, options: { survivor?: string; force?: boolean }): Promise<RecoveryView>;
  /** Goes on from the journals that are there; the shards that do. @throws {WaterparkError} `node/no-journal` */
  recoverFromJournals(): Promise<string[]>;
  /** Changes what a receipt needs. @throws {WaterparkError} `topology/bad-ack-rule` */
  setAck(rule: { copies: number; dataCenters: number; force?: boolean }): Promise<void>;
  /** All lost copies. */
  lost(): Promise<LostCopyView[]>;
  /** A page of a lost copy. */
  lostMessages(
    copy: LostCopyName,
    page: { after: number; limit: number },
  ): Promise<{ messages: LostMessageView[]; next: number | null }>;
  /** Sends a lost copy's messages, or those of these ids, under their ids. */
  resend(copy: LostCopyName, ids: string[] | null): Promise<ResentView>;
  /** Frees a lost copy for good. */
  discard(copy: LostCopyName): Promise<void>;
}
