/**
 * Planned work, done while everything else goes wrong: restarts, drains, removals, goodbyes, hand-overs. All but the
 * last take a node away, and keep the bound.
 */
import type { SimulatedNode } from "../cluster.ts";
import type { Fault, Ground } from "./ground.ts";

/** How long an operator waits for a drained node to be empty, ms. */
const DRAIN_MS_MAX = 8000;

/** A living node is drained, ends before it is through with that or after, and comes again. */
export const restarts: Fault = {
  name: "restarts",
  everyMs: (options) => options.restartEveryMs,
  strike(ground) {
    if (!ground.bound.take()) return;
    const node = ground.anyNode();
    drain(ground, node);
    ground.after(1000 + ground.random.next() * 5000, () => bootAnew(ground, node));
    ground.after(7000, () => ground.bound.giveBackWhenWhole(ground));
  },
};

/** What an operator does: drain and wait, stop with a goodbye, or have a dead node removed and its name join again. */
export const operations: Fault = {
  name: "operations",
  everyMs: (options) => options.operationEveryMs,
  strike(ground) {
    if (!ground.bound.take()) return;
    const node = ground.anyNode();
    const way = ground.random.below(3);
    const downMs = ground.between(100, 3000);
    if (way === 0) {
      drain(ground, node);
      whenEmpty(ground, node, DRAIN_MS_MAX, () => stopPolitely(ground, node, downMs));
    } else if (way === 1) {
      stopPolitely(ground, node, downMs);
    } else {
      ground.cluster.crash(node.name);
      const other = ground.anyNode();
      ground.trace("remove", other.name, { removed: node.name });
      ground.cluster.call(other, () => {
        const { incarnation } = node.core.self;
        other.core.directory.command({ type: "remove", name: node.name, incarnation }, () => {});
      });
      ground.after(downMs, () => bootAnew(ground, node));
      ground.after(downMs + 500, () => ground.bound.giveBackWhenWhole(ground));
    }
  },
};

/** A writer is told to give all its roles away, in the middle of whatever else happens. */
export const handOvers: Fault = {
  name: "hand-overs",
  everyMs: (options) => options.handOverEveryMs,
  strike(ground) {
    const node = ground.anyNode();
    ground.cluster.call(node, () => {
      ground.trace("hand-over", node.name, { writers: node.core.replication.handOverAll() });
    });
  },
};

function drain(ground: Ground, { name, core }: SimulatedNode): void {
  const by = ground.cluster.living()[0];
  ground.trace("drain", name, { by: by.name });
  const { incarnation } = core.self;
  ground.cluster.call(by, () => by.core.directory.command({ type: "drain", name, incarnation }, () => {}));
}

function whenEmpty(ground: Ground, node: SimulatedNode, patienceMs: number, then: () => void): void {
  ground.after(200, () => {
    // Who drains stays a learner of the system shard.
    const isEmpty = node.core.replication.counts().replicas <= 1;
    if (isEmpty || patienceMs <= 0 || !node.isAlive) then();
    else whenEmpty(ground, node, patienceMs - 200, then);
  });
}

/** Says goodbye to its peers, as a node does that is told to end, and comes again. */
function stopPolitely(ground: Ground, node: SimulatedNode, downMs: number): void {
  ground.trace("goodbye", node.name);
  // From when it is told: one that stands still hears it later, perhaps when faults have ended.
  node.isLeaving = true;
  ground.cluster.call(node, () => {
    // What it promises is kept by the system's turns; all that matters here happens at once or by timers of its world.
    void node.core.close();
  });
  ground.after(ground.between(50, 1200), () => ground.cluster.crash(node.name));
  ground.after(1200 + downMs, () => bootAnew(ground, node));
  ground.after(1700 + downMs, () => ground.bound.giveBackWhenWhole(ground));
}

function bootAnew({ cluster }: Ground, { name }: SimulatedNode): void {
  cluster.crash(name);
  cluster.boot(name);
}
