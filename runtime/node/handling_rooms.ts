import { Actors, type Fold, type FoldPlaces, type LivePlugin } from "../actors/mod.ts";
import { Effects, Timers } from "../effects/mod.ts";
import { ENTRY } from "../storage/mod.ts";
import { log } from "../telemetry/mod.ts";
import type { NodeCore } from "./core.ts";

/** The rooms in which messages are handled, and what was decided is carried out. */
export interface HandlingRooms {
  effects: Effects;
  timers: Timers;
  actors: Actors;
}

/** What they need beside the core. */
export interface HandlingOptions {
  core: NodeCore;
  fold: Fold;
  foldPlaces: FoldPlaces | undefined;
  /** live handlers by name */
  plugins(): LivePlugin[];
}

/** Builds them and wires them with each other; the core's other rooms must stand. */
export function handlingRooms({ core, fold, foldPlaces, plugins }: HandlingOptions): HandlingRooms {
  const { world, config, replication, membership } = core;
  const store = (shard: number) => replication.store(shard);
  const commitIndex = (shard: number) => replication.commitIndex(shard);
  const clockAheadMs = () => membership.clockAheadMs();
  const isSettled = (shard: number) => {
    const state = replication.stateOf(shard);
    return state?.role === "writer" && state.commit >= state.termStart;
  };
  const effects = new Effects({
    world,
    post: (posting, done) => core.post(posting, done),
    proposeDone: (shard, body, done) => replication.proposeEntry(shard, ENTRY.DONE, body, done),
    read: (shard, index) => store(shard)?.body(index) ?? null,
    retire: (shard, wish, done) => actors.retire(shard, wish, done),
    clockAheadMs,
    ...core.sinks === undefined ? {} : { sinks: core.sinks },
    // What a handler writes into an alert may quote its patient: only the code may go into a log.
    alert: (code) => log("effects").warning("alert {code}", { code }),
    config: config.effects,
  });
  const timers = new Timers({
    world,
    store,
    commitIndex,
    isSettled,
    clockAheadMs,
    record: (shard, message, done) => replication.propose(shard, message, done),
    alert: (code, text) => log("effects").warning("alert {code}: {text}", { code, text }),
    config: config.effects,
  });
  const actors = new Actors({
    world,
    fold,
    foldPlaces,
    store,
    commitIndex,
    proposeOutcomes: (shard, body, done) => replication.proposeEntry(shard, ENTRY.OUTCOMES, body, done),
    proposeRetire: (shard, key, done) => replication.proposeRetire(shard, { key, atMs: world.nowWallMs() }, done),
    isSettled,
    plugins,
    switches: () => core.directory.topology?.state.switches ?? {},
    switchesVersion: () => core.directory.topology?.state.switchDeeds?.at(-1)?.version ?? 0,
    effects,
    timers,
    alert: (code, text) => log("actors").warning("alert {code}: {text}", { code, text }),
    config: config.actors,
  });
  return { effects, timers, actors };
}

/** Latest time that a message may bring along: by this node's clock, unless that is off, and has no say about others'. */
export function atMsMax({ world, membership, config: { effects: { clockOffMs } } }: NodeCore): number {
  return Math.abs(membership.clockAheadMs()) > clockOffMs ? Infinity : world.nowWallMs() + clockOffMs;
}
