import type { HandlerDefinition } from "../../runtime/plugin_host/mod.ts";
import type { SeededRandom } from "../../runtime/world/mod.ts";
import type { SimulatedCluster } from "./cluster.ts";
import type { Journal } from "./journal.ts";

/** A message that a client is to send. */
export interface WorkloadMessage {
  /** canonical text of the actor's key */
  key: string;
  type: string;
  contentType: string;
  payload: Uint8Array;
}

/** What runs in a simulation beside, or in place of, what always does: plugins, messages, and who looks at them. */
export interface Workload {
  /** deployed beside the counting handler before the first message */
  handlers: readonly HandlerDefinition[];
  /** the next message of some client; draws from what it is given only */
  next(random: SeededRandom, options: { actors: number }): WorkloadMessage;
  /**
   * Looks at the cluster when everything has settled and the copies have been read. May add to the journal what was
   * sent by others than clients, before the checkers read it.
   */
  inspect(cluster: SimulatedCluster, journal: Journal): { wrong: string[]; stuck: string[] };
}
