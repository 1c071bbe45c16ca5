import type { Sending } from "./sending.ts";

/** Where messages go: a connection to one node, or HTTP to any. */
export interface Way {
  /** true: it takes messages */
  readonly isOpen: boolean;
  /** messages of a lane that may be under way at a time on it; beyond, they wait */
  readonly laneMessagesMax: number;
  /** Takes a message; how it ended is told to the switchboard. */
  add(sending: Sending): void;
}
