/**
 * Which commands may be said to the topology yet. All nodes apply the same commands and must come to the same topology, a
 * node with older code among them; so a command that not every node knows is refused by all of them, those that know it
 * too, until the last old node is gone from the topology. A treaty that comes into force when all have signed.
 *
 * Nobody who does not know what has been said may come afterwards: `spoken` is the highest version of any command that was
 * applied, and a node that speaks less is not let in. Until then an upgrade can be taken back.
 */
import type { TopologyCommand } from "./command.ts";
import type { TopologyState } from "./state.ts";

/** The version from which on a command may be said; 1 where it is not named. */
export const COMMAND_SINCE: Partial<Record<TopologyCommand["type"], number>> = {};
/** The version that knows stages and manifests: older code passes over the fields by which they are said. */
export const STAGES_SINCE = 2;

/** What every node of the topology speaks, absent ones too: they may come back. */
export function protocolInForce({ nodes }: Pick<TopologyState, "nodes">): number {
  return nodes.reduce((least, node) => Math.min(least, node.protocol), nodes.length === 0 ? 1 : Infinity);
}

/** A command as it is written into the log: with its version, which older code reads though it may not know the command. */
export function dated(command: TopologyCommand): TopologyCommand & { since?: number } {
  const since = Math.max(
    COMMAND_SINCE[command.type] ?? 1,
    "word" in command || "manifest" in command ? STAGES_SINCE : 1,
  );
  return since === 1 ? command : { ...command, since };
}

/**
 * The version that an entry of the log, any value, asks for: what was written there, and not what a table says, so that
 * code of every age reads the same.
 */
export function sinceOf(command: unknown): number {
  if (typeof command !== "object" || command === null) return 1;
  try {
    const { since } = command as { since?: unknown };
    return typeof since === "number" && since > 1 ? since : 1;
  } catch {
    return 1; // an accessor of the caller's: reading it as a command will complain
  }
}
