/** Node config: the settings of simulated nodes, as a seed draws them. */
import { configWith, type NodeConfig } from "../../runtime/node/mod.ts";
import type { SessionLimits } from "../../runtime/plugin_host/mod.ts";
import type { SimulationOptions } from "./options.ts";

/** Settings of every node: the usual ones with shorter waits, and in a tight simulation hardly any room. */
export function nodeConfigOf({ isTight, absentAfterMs }: SimulationOptions): NodeConfig {
  const usual = { absentAfterMs, replication: { stableAfterMs: 3000 } };
  if (!isTight) return configWith(usual);
  return configWith({
    absentAfterMs,
    replication: { ...usual.replication, waitersMax: 8, catchUpsMax: 2 },
    mailroom: { postingsMax: 6, bytesMax: 8192, remoteOpenMax: 4 },
    actors: {
      openFoldsMax: 2,
      handlingsMax: 4,
      foldMessagesMax: 3,
      foldBytesMax: 300,
      outcomesMax: 2,
      outcomeBytesMax: 400,
      readsMax: 2,
      waitersMax: 2,
      repliesMax: 2,
      scanRowsMax: 8,
    },
    effects: { inFlightMax: 1, inHandMax: 2, doneItemsMax: 2 },
  });
}

/** How much a plugin host remembers. */
export function sessionLimitsOf({ isTight, sessions }: SimulationOptions): Partial<SessionLimits> {
  return isTight ? { sessionsMax: Math.min(sessions, 2), sliceMessages: 2 } : { sessionsMax: sessions };
}
