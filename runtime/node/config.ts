/**
 * Every default of the house, each with its unit and its reason. Nothing else in `runtime/` holds a default that an
 * operator may want to change. Relations between them are asserted when a node starts.
 */
import type { ActorsConfig } from "../actors/mod.ts";
import { assert } from "../base/mod.ts";
import type { JournalConfig } from "../journal/mod.ts";
import { HOSTS_MAX } from "../plugin_host/mod.ts";
import type { EffectsConfig } from "../effects/mod.ts";
import { MAILROOM_CONFIG, type MailroomConfig } from "../mailroom/mod.ts";
import { MEMBERSHIP_CONFIG, type MembershipConfig } from "../membership/mod.ts";
import { PROTOCOL, type ProtocolRange } from "../wire/mod.ts";
import type { AuditConfig } from "./auditing.ts";
import type { RetentionConfig } from "./retention.ts";
import type { SealingConfig } from "./sealing.ts";

/** Settings of a node's rooms. */
export interface NodeConfig {
  /** copies of every shard; five stand the loss of two, a whole data center among them */
  copies: number;
  /** a receipt is given when so many copies, in so many data centers, have the message */
  ack: { copies: number; dataCenters: number };
  /** the failure detector's times; see its room for each */
  membership: MembershipConfig;
  /** suspected for so long, a node is declared absent and its copies are replaced, ms: longer than a restart */
  absentAfterMs: number;
  /** the log's times and bounds */
  replication: {
    /** between two looks at awake replicas, ms: bounds how late a follower learns the commit index */
    tickMs: number;
    /** least step between the campaigns of two members, ms: several round trips within a data center */
    staggerMsMin: number;
    /** greatest step, ms: 1.5 round trips around the world, however slow a storm makes them seem */
    staggerMsMax: number;
    /** a node alive for so long is handed the writers that placement gives it, ms: no hand-over to one that flaps */
    stableAfterMs: number;
    /** copies that one node brings up to date at the same time: bounds what moving costs the rest */
    catchUpsMax: number;
    /** copies that one node begins per second: each costs a dozen small steps, and a thousand at once delay messages */
    catchUpsPerSecond: number;
    /** log that one node sends per second to such copies, bytes: a lost node's 1 GB is whole again in two minutes */
    catchUpBytesPerSecond: number;
    /** receipts owed by one node before it says busy */
    waitersMax: number;
  };
  /** routing and bundling; see its room for each */
  mailroom: MailroomConfig;
  /** handling; see its room for each */
  actors: ActorsConfig;
  /** what carries effects out; see its room for each */
  effects: EffectsConfig;
  /** audits; see `auditing.ts` for each */
  audit: AuditConfig;
  /** packing of old entries; see `sealing.ts` for each */
  sealing: SealingConfig;
  /** lives that end by age; see `retention.ts` for each */
  retention: RetentionConfig;
  /** the journal, where there is one; see its room for each */
  journal: JournalConfig;
  /** plugin host processes, over which the node's actors are spread; 0: by the machine's cores, see `hostsFor` */
  pluginHosts: number;
  /** a node that goes */
  leave: {
    /** how long its peers may take to learn that nothing is to be handed to it any more, ms: a round trip and a stall */
    announceMs: number;
    /** writers that it hands over at a time: each waits for no more than these elections */
    handOversAtOnce: number;
    /** after so long it goes, whatever it still writes, ms: a majority of the members is gone then, or stands still */
    handOverMs: number;
  };
  /** versions of the protocol that this node speaks: what its code can, but in tests */
  protocol: ProtocolRange;
  /** a request ends at the latest after so long, ms (P4) */
  requestMs: number;
  /** body of one message at most, bytes */
  messageBytesMax: number;
}

/** The defaults. */
export const DEFAULTS: NodeConfig = {
  copies: 5,
  ack: { copies: 3, dataCenters: 2 },
  membership: MEMBERSHIP_CONFIG,
  absentAfterMs: 30_000,
  replication: {
    tickMs: 20,
    staggerMsMin: 20,
    staggerMsMax: 250,
    stableAfterMs: 30_000,
    catchUpsMax: 16,
    catchUpsPerSecond: 32,
    catchUpBytesPerSecond: 8 * 1024 * 1024,
    waitersMax: 200_000,
  },
  mailroom: MAILROOM_CONFIG,
  actors: {
    // Enough to keep several host processes busy while answers travel.
    openFoldsMax: 256,
    handlingsMax: 65_536,
    // A call of at most some ten milliseconds, so that a host serves others in between.
    foldMessagesMax: 256,
    foldBytesMax: 1024 * 1024,
    pastMessagesMax: 20_000,
    pastBytesMax: 12 * 1024 * 1024,
    // Outcomes without effects are in nobody's way: one entry for all of a tick.
    gatherMs: 5,
    outcomesMax: 4096,
    outcomeBytesMax: 1024 * 1024,
    effectsBytesMax: 4 * 1024 * 1024,
    timersMax: 64,
    timerBytesMax: 16 * 1024,
    parkedMax: 10_000,
    pauseMinMs: 20,
    pauseMaxMs: 1000,
    readsMax: 1024,
    readTimeoutMs: 10_000,
    waitersMax: 10_000,
    repliesMax: 1024,
    // About 5 ms of looking before others get their turn.
    scanRowsMax: 20_000,
    // Whoever waits for a message waits behind one history at most.
    shadowFoldsOpenMax: 1,
    shadowsMax: 4096,
    // 16 every 20 ms are 800 actors a second at most: ten thousand within a quarter of a minute.
    sweepActorsMax: 16,
    sweepPauseMs: 20,
  },
  effects: {
    inFlightMax: 1024,
    inHandMax: 4096,
    // Enough for full batches of all who wait; the rest costs 16 bytes each in the log's index.
    sinkInHandMax: 4096,
    doneGatherMs: 20,
    doneItemsMax: 4096,
    retryMinMs: 50,
    retryMaxMs: 5000,
    retiresWaitingMax: 65_536,
    // What was due during an outage is recorded beside everything else, and not instead of it.
    firesMax: 256,
    // Far more than clocks kept by NTP differ, far less than a reminder that comes early does harm.
    clockOffMs: 2000,
    finalRefusals: ["conflict", "too-large", "bad-key"],
  },
  audit: {
    // About 5 ms of an audit before others get their turn.
    sliceUnits: 4000,
    requestsMax: 256,
    // Long enough for a chunk of lines to share their requests; nobody waits for an audit in a hurry.
    gatherMs: 2,
    // Longer than a suspicion, short enough for two rounds within a request.
    answerMs: 2000,
    openMax: 8192,
    againAfterMs: 200,
    summaryMs: 9000,
  },
  // A million actors are looked at within an hour and a half.
  retention: { everyMs: 1000, rowsMax: 200, endingMax: 64 },
  sealing: {
    everyMs: 50,
    // Less is not worth any CPU: what is packed takes a quarter.
    fromBytes: 64 * 1024 * 1024,
    // 5 ms, a tenth of the thread's time while there is much to pack.
    sliceBytesMax: 1024 * 1024,
    // Old entries are packed about as fast as this fills with them.
    withinMs: 60_000,
    // Less does not pack well, and is little.
    segmentBytesMin: 8 * 1024,
    // Sixteen copies that are brought up to date at the same time read a slab of 1 MiB each.
    cacheBytesMax: 32 * 1024 * 1024,
  },
  journal: {
    // What a machine that loses its power loses with `--sync interval`; ten syncs a second cost no disk anything.
    syncIntervalMs: 100,
    // Few files, and a tenth of a second to read one.
    fileBytesMax: 64 * 1024 * 1024,
    // Half a second of a slow disk.
    pendingBytesMax: 64 * 1024 * 1024,
    // So much may be dead before anything is rewritten.
    slackBytes: 256 * 1024 * 1024,
  },
  // A host costs some 60 MB, and a core when handlers have much to do.
  pluginHosts: 0,
  leave: { announceMs: 300, handOversAtOnce: 16, handOverMs: 10_000 },
  protocol: PROTOCOL,
  requestMs: 10_000,
  messageBytesMax: 1024 * 1024,
};

/** Settings with some of the fields left out. */
export type PartialConfig = {
  [K in keyof NodeConfig]?: NodeConfig[K] extends object ? Partial<NodeConfig[K]> : NodeConfig[K];
};

function majorityOf(copies: number): number {
  return Math.floor(copies / 2) + 1;
}

/**
 * Why the loss of one data center would stop all receipts of a whole cluster (four data centers or more, two copies at
 * most in each), or null. One or two copies are no such promise, and nobody is held to it.
 */
export function ackRuleFault({ copies, ack }: Pick<NodeConfig, "copies" | "ack">): string | null {
  if (copies < 3) return null;
  const left = copies - Math.ceil(copies / 4);
  const dataCentersLeft = Math.min(copies, 4) - 1;
  if (ack.copies > left) return `of ${copies} copies ${left} are left then, and ${ack.copies} are asked for`;
  if (ack.dataCenters > dataCentersLeft) {
    return `copies in ${dataCentersLeft} data centers are left then, and ${ack.dataCenters} are asked for`;
  }
  return null;
}

/** The defaults with `overrides` on top; asserts how they must stand to each other. */
export function configWith(overrides: PartialConfig = {}): NodeConfig {
  const config: NodeConfig = {
    ...DEFAULTS,
    ...overrides,
    ack: {
      copies: majorityOf(overrides.copies ?? DEFAULTS.copies),
      dataCenters: DEFAULTS.ack.dataCenters,
      ...overrides.ack,
    },
    membership: { ...DEFAULTS.membership, ...overrides.membership },
    replication: { ...DEFAULTS.replication, ...overrides.replication },
    mailroom: { ...DEFAULTS.mailroom, ...overrides.mailroom },
    actors: { ...DEFAULTS.actors, ...overrides.actors },
    effects: { ...DEFAULTS.effects, ...overrides.effects },
    audit: { ...DEFAULTS.audit, ...overrides.audit },
    sealing: { ...DEFAULTS.sealing, ...overrides.sealing },
    retention: { ...DEFAULTS.retention, ...overrides.retention },
    journal: { ...DEFAULTS.journal, ...overrides.journal },
    protocol: { ...DEFAULTS.protocol, ...overrides.protocol },
    leave: { ...DEFAULTS.leave, ...overrides.leave },
  };
  const { membership, replication } = config;
  assert(membership.suspectAfterMs >= 2 * membership.pingIntervalMs, "suspicion needs at least two missed pings");
  assert(config.absentAfterMs > 2 * membership.suspectAfterMs, "absence must come well after suspicion");
  assert(replication.tickMs <= membership.suspectAfterMs, "a tick must not outlast a suspicion");
  assert(config.ack.copies <= config.copies, "a receipt cannot need more copies than there are");
  assert(config.ack.copies * 2 > config.copies, "a receipt must need a majority of the copies");
  assert(config.ack.dataCenters <= config.ack.copies || config.copies < 3, "so many copies are in fewer data centers");
  const { pluginHosts } = config;
  assert(Number.isInteger(pluginHosts) && pluginHosts >= 0 && pluginHosts <= HOSTS_MAX, "1 to 64 plugin hosts, or 0");
  assert(config.requestMs > 2 * membership.suspectAfterMs, "a request must outlast an election");
  return config;
}
