/**
 * Following messages: what became of one, and finding those that one has not got the key of.
 */

import type { ContentJson } from "./content.ts";

/** One thing that a handler asked for about a message, and what became of it. */
export interface TracedEffect {
  /** of the effect; stays the same at every attempt */
  id: string;
  /** `send`, `deliver`, ... */
  type: string;
  /** canonical key of the actor, or name of the sink that it was for; "" where there is neither */
  to: string;
  /**
   * `done`: carried out; `open`: decided, and not known to be; `dead`: given up, and laid aside as a dead letter or discarded;
   * `none`: there is nothing to carry out (`reply`, timers)
   */
  state: "done" | "open" | "dead" | "none";
  /** what was asked to be sent, transformed as it was by then; null: it sends nothing */
  sent: ContentJson | null;
  /** what the target said; null: nothing, or nothing is kept */
  answer: string | null;
  /** code of why it was given up; "" where it was not */
  code: string;
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
  /** as it came; null: the node that has it is of an older version */
  message: (ContentJson & { id: string; at: number }) | null;
  /** what an HL7 message says, value by value, the first 5,000; null: it is none */
  parsed: [path: string, value: string][] | null;
  /** by plugin, those that have decided */
  outcomes: TracedOutcome[];
  /** names of plugins that have not decided yet */
  waiting: string[];
  /** false: the log behind the message was longer than what is looked through, so later decisions may be missing */
  isWhole: boolean;
}

/**
 * What became of a message, the worst first; several may hold at once. `parked`: a plugin stands still at it. `dead`: something
 * that it led to was given up. `waiting`: a plugin has not decided yet. `queued`: something that it led to has not been
 * carried out yet. `sent`: something has. `nothing`: it led to nothing.
 */
export type MessageState = "parked" | "dead" | "waiting" | "queued" | "sent" | "nothing";

/** All of them, the worst first. */
export const MESSAGE_STATES: readonly MessageState[] = ["parked", "dead", "waiting", "queued", "sent", "nothing"];

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
  /** what became of it; `any`: whatever it is, and it is told */
  state?: MessageState | "any";
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
  /** what became of it, where a state was looked for */
  states?: MessageState[];
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

/** What a handler or a channel has handed to one target. */
export interface DestinationCounts {
  /** `deliver` to a sink, `send` to actors, `emit` into the actor's own history */
  type: string;
  /** name of the sink, or kind of the actors; "" for `emit` */
  to: string;
  /** carried out */
  sent: number;
  /** decided, and not carried out yet */
  queued: number;
  /** given up */
  dead: number;
}

/** What became of the messages that a handler or a channel is for; what has come back from its destinations is not counted. */
export interface PluginCounts {
  /** of the plugin */
  name: string;
  /** messages of its actors that were recorded since it was deployed */
  received: number;
  /** of them, those that it has not decided about yet */
  waiting: number;
  /** of them, those at which it stands still */
  parked: number;
  /** of them, those that led to nothing */
  filtered: number;
  /** of them, those that led to alarm and nothing else: a channel could not send them on (`whenFails: "skip"`) */
  failed: number;
  /** what it has asked for, which may be several things a message */
  destinations: DestinationCounts[];
  /** false: nodes ended counting before they were through, as it took long: narrow it by time */
  isWhole: boolean;
  /** nodes that did not answer: what they write is missing */
  silent: string[];
}

/** Following and finding. */
export interface FollowingService {
  /** What became of a message. @throws {WaterparkError} `actors/unknown` */
  trace(key: string, seq: number): Promise<TraceView>;
  /** Looks through the logs of all nodes for some seconds at most. */
  find(query: FindQuery): Promise<FoundView>;
  /**
   * Counts what became of a plugin's messages, by the logs of all nodes, for some seconds at most.
   *
   * @param sinceMs wall time: only messages that were taken in then or later
   * @throws {WaterparkError} `topology/no-such-plugin`
   */
  counts(name: string, sinceMs?: number): Promise<PluginCounts>;
}
