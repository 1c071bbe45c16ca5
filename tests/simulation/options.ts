/**
 * What a seed draws: how large, how lossy, how slow, what fails. A simulation that always has every fault at once never
 * sees what one fault alone does ("swarm testing", Groce et al., 2012), so each is switched on or off by the seed.
 */
import { SeededRandom } from "../../runtime/world/mod.ts";

/** One simulation. */
export interface SimulationOptions {
  /** everything else follows from it */
  seed: number;
  /** nodes, dealt over four data centers and two zones */
  nodes: number;
  /** shards of each of the 16 sets, 1 to 64: few make an actor's neighbours many, all show what only numbers do */
  shardsPerSet: number;
  /** virtual time in which anything may fail, ms */
  safetyMs: number;
  /** virtual time in which everything owed must be settled once faults have ended, ms */
  livenessMs: number;
  /** frames lost, of 1 */
  lossRate: number;
  /** frames doubled, of 1 */
  doubleRate: number;
  /** frames that take up to `slowMs` longer, of 1; a twentieth where lanes keep their order: all behind it wait, too */
  slowRate: number;
  /** see `slowRate` */
  slowMs: number;
  /** frames overtake each other */
  isUnordered: boolean;
  /** one way within a data center and between two, ms */
  latencyMs: { near: number; far: number };
  /** mean time between two crashes, ms; 0 none */
  crashEveryMs: number;
  /** a crash takes a whole data center, of 1 */
  dataCenterRate: number;
  /** mean time between two cuts, ms; 0 none */
  cutEveryMs: number;
  /** mean time between two planned restarts (drained, stopped, started anew), ms; 0 none */
  restartEveryMs: number;
  /** mean time between two new versions of the plugin, ms; 0 none */
  deployEveryMs: number;
  /** senders, each with an order to keep */
  clients: number;
  /** ids per facility; there are three facilities */
  actors: number;
  /** messages that one client has under way at most */
  pipeline: number;
  /** a crash takes a whole zone, of 1 */
  zoneRate: number;
  /** mean time between two splits, two data centers off the others, ms; 0 none */
  splitEveryMs: number;
  /** mean time between two isolations of a node with its clients, ms; 0 none */
  isolateEveryMs: number;
  /** mean time between two nodes that get slow for a while, ms; 0 none */
  slowNodeEveryMs: number;
  /** mean time between two event loops that stand still, ms; 0 none */
  stallEveryMs: number;
  /** mean time between two nodes that take nothing more to send, ms; 0 none */
  clogEveryMs: number;
  /** clocks are fast or slow by up to so much, of 1 */
  clockDrift: number;
  /** mean time between two jumps of a wall clock, ms; 0 none */
  clockJumpEveryMs: number;
  /** mean time between two writers told to give their roles away, ms; 0 none */
  handOverEveryMs: number;
  /** mean time between two nodes taken out of service by an operator (drain, removal, goodbye), ms; 0 none */
  operationEveryMs: number;
  /** mean time between two roll-backs of the plugin, ms; 0 none */
  rollbackEveryMs: number;
  /** new versions that throw at some messages, or kill their host, of 1 */
  brokenVersionRate: number;
  /** mean time between two plugin hosts that die, ms; 0 none */
  hostCrashEveryMs: number;
  /** a fold takes up to so long, ms */
  foldMsMax: number;
  /** every queue holds next to nothing */
  isTight: boolean;
  /** a client that hears nothing for so long goes on by another node, while the first is still at it, ms */
  patienceMs: number;
  /** messages recorded only at a given seq, of 1 */
  ifMatchRate: number;
  /** messages given up when they are refused for now and certainly not recorded, of 1 */
  giveUpRate: number;
  /** receipts after which the message is sent once more, as it was or with other bytes, of 1 */
  echoRate: number;
  /** messages that ask the handler for something, of 1 */
  wishRate: number;
  /** who reads */
  readers: number;
  /** a node silent for so long is declared absent, ms */
  absentAfterMs: number;
  /** a client thinks for up to so long between a receipt and its next message, ms */
  pauseMs: number;
  /** wishes that set a timer, of 1; half as many take one back */
  timerRate: number;
  /** wishes that end their actor's life, of 1 */
  retireRate: number;
  /** what a plugin host remembers of actors at a time */
  sessions: number;
  /** nodes keep journals, synced before anything is acknowledged, and find them again after a crash */
  hasDisks: boolean;
  /** a sync takes up to so long, ms */
  syncMs: number;
  /** where there are disks: mean time between two moments at which every machine loses its power, ms; 0 none */
  outageEveryMs: number;
}

/** Mostly few: an idle shard takes as long to be born, moved and elected as a busy one, and shows nothing new. */
const SHARDS_PER_SET_DRAWN = [
  1,
  2,
  4,
  8,
  1,
  2,
  4,
  8,
  1,
  2,
  4,
  8,
  1,
  2,
  4,
  8,
  1,
  2,
  4,
  2,
  4,
  2,
  4,
  2,
  4,
  4,
  4,
  4,
  4,
  16,
  16,
  64,
];
/**
 * About so many messages all clients together send at most; mostly few, since the thousandth of a quiet network shows
 * nothing that the hundredth has not, and takes as long.
 */
const MESSAGES_A_SECOND_DRAWN = [10, 20, 40, 40, 60, 80, 100, 250];

/** The options of a seed. */
export function drawOptions(seed: number, random: SeededRandom, nodes: number): SimulationOptions {
  let rate = 0.5;
  const sometimes = (value: number) => random.next() < rate ? value : 0;
  const usual = {
    seed,
    nodes,
    safetyMs: 15_000,
    livenessMs: 60_000,
    lossRate: sometimes(random.next() * 0.02),
    doubleRate: sometimes(random.next() * 0.05),
    slowRate: sometimes(random.next() * 0.05),
    slowMs: 100 + random.next() * 2000,
    isUnordered: random.next() < 0.5,
    latencyMs: { near: 0.2 + random.next(), far: 1 + random.next() * 30 },
    crashEveryMs: sometimes(1500 + random.next() * 5000),
    dataCenterRate: sometimes(0.5),
    cutEveryMs: sometimes(500 + random.next() * 3000),
    deployEveryMs: sometimes(1000 + random.next() * 4000),
    clients: 2 + random.below(6),
    actors: 3 + random.below(40),
    pipeline: 1 + random.below(4),
    // Last, so that what the seeds drew before it was thought of stays as it was.
    restartEveryMs: sometimes(2000 + random.next() * 4000),
    shardsPerSet: SHARDS_PER_SET_DRAWN[random.below(SHARDS_PER_SET_DRAWN.length)],
  };
  // From here on a seed also draws how much it has of everything: few things at once show what each of them does.
  rate = [0, 0.1, 0.25, 0.5][random.below(4)];
  return {
    ...usual,
    zoneRate: sometimes(0.5),
    splitEveryMs: sometimes(2000 + random.next() * 6000),
    isolateEveryMs: sometimes(1500 + random.next() * 5000),
    slowNodeEveryMs: sometimes(1000 + random.next() * 4000),
    stallEveryMs: sometimes(800 + random.next() * 4000),
    clogEveryMs: sometimes(1000 + random.next() * 4000),
    clockDrift: sometimes(random.next() * 0.05),
    clockJumpEveryMs: sometimes(500 + random.next() * 3000),
    handOverEveryMs: sometimes(500 + random.next() * 3000),
    operationEveryMs: sometimes(2000 + random.next() * 5000),
    rollbackEveryMs: sometimes(1000 + random.next() * 4000),
    brokenVersionRate: sometimes(0.5),
    hostCrashEveryMs: sometimes(300 + random.next() * 3000),
    foldMsMax: sometimes(random.next() * 40),
    isTight: sometimes(1) === 1,
    patienceMs: 11_000 - sometimes(1000 + random.next() * 9900),
    ifMatchRate: sometimes(0.3),
    giveUpRate: sometimes(0.5),
    echoRate: sometimes(0.2),
    wishRate: 0.1 + sometimes(0.6),
    readers: 1 + random.below(4),
    absentAfterMs: 20_000 - sometimes(14_000 + random.next() * 4000),
    pauseMs: 2000 * usual.clients * usual.pipeline /
      MESSAGES_A_SECOND_DRAWN[random.below(MESSAGES_A_SECOND_DRAWN.length)],
    timerRate: sometimes(0.4),
    retireRate: sometimes(0.2),
    sessions: 10_000,
    // Not one of those things that a seed has few of: a cluster has disks or it has none.
    hasDisks: random.next() < 0.4,
    syncMs: random.next() * 20,
    outageEveryMs: random.next() < 0.6 ? 2500 + random.next() * 5000 : 0,
  };
}

/** Options with which nothing goes wrong by itself, and queues have the room that they have: for scripted scenarios. */
export function calmOptions(seed: number, nodes: number): SimulationOptions {
  const drawn = drawOptions(seed, new SeededRandom(seed), nodes);
  return {
    ...drawn,
    ...{ lossRate: 0, doubleRate: 0, slowRate: 0, isUnordered: false, isTight: false },
    ...{ crashEveryMs: 0, dataCenterRate: 0, zoneRate: 0, restartEveryMs: 0, operationEveryMs: 0, handOverEveryMs: 0 },
    ...{ cutEveryMs: 0, splitEveryMs: 0, isolateEveryMs: 0, clogEveryMs: 0 },
    ...{ slowNodeEveryMs: 0, stallEveryMs: 0, clockDrift: 0, clockJumpEveryMs: 0 },
    ...{ deployEveryMs: 0, rollbackEveryMs: 0, brokenVersionRate: 0, hostCrashEveryMs: 0, foldMsMax: 0 },
    ...{ patienceMs: 11_000, ifMatchRate: 0, giveUpRate: 0, echoRate: 0, absentAfterMs: 20_000 },
    ...{ timerRate: 0, retireRate: 0, hasDisks: false, outageEveryMs: 0 },
  };
}
