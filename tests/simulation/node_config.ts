/** Node config: the settings of simulated nodes, as a seed draws them. */
import { configWith, type NodeConfig } from "../../runtime/node/mod.ts";
import type { SessionLimits } from "../../runtime/plugin_host/mod.ts";
import type { SimulationOptions } from "./options.ts";

/** Settings of every node: the usual ones with shorter waits, and in a tight simulation hardly any room. */
export function nodeConfigOf({ isTight, absentAfterMs, hasDisks }: SimulationOptions): NodeConfig {
  // Small files, so that old ones are rewritten, too.
  const journal = { fileBytesMax: 16 * 1024, slackBytes: 8 * 1024 };
  // Whatever is committed is packed within a second, and hardly anything unpacked is kept: what is read was packed.
  const sealing = { everyMs: 400, fromBytes: 0, withinMs: 400, segmentBytesMin: 0, cacheBytesMax: 4096 };
  const usual = { absentAfterMs, replication: { stableAfterMs: 3000 }, journal, sealing };
  if (!isTight) return configWith(usual);
  return configWith({
    absentAfterMs,
    sealing,
    journal: { ...journal, pendingBytesMax: 16 * 1024 },
    // After an outage all copies of all shards are brought up to date: two at a time would take minutes.
    replication: { ...usual.replication, waitersMax: 8, catchUpsMax: hasDisks ? 16 : 2 },
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
