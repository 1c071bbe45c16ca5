/**
 * Lanes: actors that are always written by the same node, so that one look tells the way of all of them. A lane is a
 * facility's part of one shard (a facility belongs to one shard set for ever, and its actors to the set's shards by hash).
 *
 * A lane is on one connection at a time: what it sends elsewhere waits until all that is under way there is answered.
 * So an actor's messages stay in order, whatever becomes of connections and writers, without a table of actors.
 */
import { indexInSet, setOfFacility, SHARDS_PER_SET } from "../../runtime/topology/shard.ts";
import type { Sending } from "./sending.ts";
import type { Way } from "./way.ts";

/** Facilities beyond which the idle ones are forgotten: they cost a guess of their shard. */
const FACILITIES_MAX = 4096;

/** A facility's part of a shard. */
export class Lane {
  /** a guess until the first receipt: a facility may have been put into another set by hand */
  shard: number;
  /** where its messages are under way */
  way: Way | null = null;
  /** messages given to `way` and not answered */
  inFlight = 0;
  /** messages that must not overtake those under way, in their order; null: none, and the lane is free */
  waiting: Sending[] | null = null;
  /** messages that were refused for now or lost their connection: go out again before those that wait */
  again: Sending[] = [];
  /** nothing goes out before */
  restUntilMs = 0;
  /** refusals for now since the last receipt */
  refusals = 0;
  /** raised when a message that nodes wait for was given up */
  sender = 0;
  /** true: the writer's own node has refused; any other is asked */
  avoidsWriter = false;

  constructor(shard: number) {
    this.shard = shard;
  }

  /** true: nothing of it is kept anywhere */
  get isIdle(): boolean {
    return this.inFlight === 0 && this.waiting === null && this.again.length === 0;
  }
}

/** All lanes. */
export class Lanes {
  readonly #facilities = new Map<string, (Lane | undefined)[]>();

  /** The lane of an actor. */
  of(facility: string, keyText: string): Lane {
    let lanes = this.#facilities.get(facility);
    if (lanes === undefined) {
      if (this.#facilities.size >= FACILITIES_MAX) this.#forgetIdle();
      this.#facilities.set(facility, lanes = new Array(SHARDS_PER_SET));
    }
    const index = indexInSet(keyText);
    return lanes[index] ??= new Lane(setOfFacility(facility) * SHARDS_PER_SET + index);
  }

  #forgetIdle(): void {
    for (const [facility, lanes] of this.#facilities) {
      if (lanes.every((lane) => lane === undefined || lane.isIdle)) this.#facilities.delete(facility);
    }
  }
}
