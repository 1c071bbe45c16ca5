/**
 * Following messages: what became of one, and finding those that one has not got the key of.
 */

/** One thing that a handler asked for about a message, and what became of it. */
export interface TracedEffect {
  /** of the effect; stays the same at every attempt */
  id: string;
  /** `send`, `deliver`, ... */
  type: string;
  /** canonical key of the actor, or name of the sink that it was for; "" where there is neither */
  to: string;
  /** `done`: carried out; `open`: decided, and not known to be; `none`: there is nothing to carry out (`reply`, timers) */
  state: "done" | "open" | "none";
  /** what the target said; null: nothing, or nothing is kept */
  answer: string | null;
}

/** What one plugin decided about a message. */
export interface TracedOutcome {
  /** of the plugin */
  plugin: string;
  /** SHA-256 of the bundle that decided */
  hash: string;
  /** `ok`, or `parked`: it stands still before this message */
  state: "ok" | "parked";
  /** why it is parked; "" where it is not */
  code: string;
  /** the same for people; may quote data of the actor */
  text: string;
  /** in the order decided */
  effects: TracedEffect[];
}

/** A message and what became of it. */
export interface TraceView {
  /** canonical key of the actor */
  key: string;
  /** the message's place in its history */
  seq: number;
  /** by plugin; those that have not decided yet are missing */
  outcomes: TracedOutcome[];
  /** false: the log behind the message was longer than what is looked through, so later decisions may be missing */
  isWhole: boolean;
}

/** What is looked for; what is left out does not matter. */
export interface FindQuery {
  /** kind of the actor */
  kind?: string;
  /** of the actor */
  facility?: string;
  /** part of the message's id: a control id, mostly */
  id?: string;
  /** the message's type, whole */
  type?: string;
  /** stands somewhere in the message, as it was sent */
  text?: string;
  /** wall time in ms: taken in then or later */
  since?: number;
  /** wall time in ms: taken in before */
  until?: number;
  /** messages at most, 1 to 1,000; default 100 */
  limit?: number;
}

/** A message that was found. */
export interface FoundMessage {
  /** canonical key of its actor */
  key: string;
  /** place in the actor's history */
  seq: number;
  /** of the message */
  id: string;
  /** wall time in ms at which it was taken in */
  at: number;
  /** what happened */
  type: string;
  /** media type */
  contentType: string;
}

/** What was found, newest first. */
export interface FoundView {
  /** at most `limit` */
  messages: FoundMessage[];
  /** false: nodes ended their search before they were through, as it was long or enough was found: narrow it by time */
  isWhole: boolean;
  /** nodes that did not answer: what they have is missing */
  silent: string[];
}

/** Following and finding. */
export interface FollowingService {
  /** What became of a message. @throws {WaterparkError} `actors/unknown` */
  trace(key: string, seq: number): Promise<TraceView>;
  /** Looks through the logs of all nodes for some seconds at most. */
  find(query: FindQuery): Promise<FoundView>;
}
