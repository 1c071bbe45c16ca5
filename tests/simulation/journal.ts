/**
 * Journal: everything that checkers may look at. It is written by the clients and by observers of the nodes; checkers
 * read it and nothing else, and share no code with what they watch.
 */

/** A message that a client wants recorded. */
export interface Sent {
  client: number;
  /** its place among the client's messages to this actor, from 1 */
  place: number;
  key: string;
  id: string;
  body: string;
  /** what is sent where it is not the body as text */
  content?: { type: string; contentType: string; payload: Uint8Array };
}

/** A receipt as the client got it. */
export interface Acknowledged {
  key: string;
  id: string;
  seq: number;
  shard: string;
  term: number;
  index: number;
  copies: string[];
  duplicate: boolean;
  /** lives of nodes, ended ones too, that really held the message */
  held: { node: string; dataCenter: string }[];
  atMs: number;
}

/** A commit on one node. */
export interface Committed {
  node: string;
  shard: number;
  index: number;
  /** fingerprint of the entry's bytes */
  print: number;
  isWriter: boolean;
  term: number;
}

/** One copy of an actor's history at the end. */
export interface History {
  node: string;
  key: string;
  isVoter: boolean;
  messages: { id: string; seq: number; body: string }[];
}

/** What was seen of one simulation. */
export interface Journal {
  dataCenters: number;
  sent: Sent[];
  acknowledged: Acknowledged[];
  committed: Committed[];
  histories: History[];
  /** what the handlers keep at the end: per key, the count of messages folded */
  folded: Map<string, number>;
  /** what was still owed when the liveness phase ended */
  unsettled: string[];
}

/** A journal with nothing in it. */
export function emptyJournal(): Journal {
  return {
    dataCenters: 4,
    sent: [],
    acknowledged: [],
    committed: [],
    histories: [],
    folded: new Map(),
    unsettled: [],
  };
}

/** FNV-1a over the bytes; not the product's hash, on purpose. */
export function fingerprint(bytes: Uint8Array): number {
  let h = 0x811c9dc5;
  for (const byte of bytes) h = Math.imul(h ^ byte, 0x01000193);
  return h >>> 0;
}
