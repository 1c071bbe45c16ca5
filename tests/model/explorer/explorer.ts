/**
 * The explorer: breadth first over everything that can happen to a group of real replicas, within bounds. Frames under
 * way are a bag from which any may be taken next; one that is never taken is lost, one that stays when taken is doubled.
 * What is found first is the shortest way there. Beyond the depth that its bounds allow it walks at random.
 *
 * All bounds are counts, so a search comes to the same end wherever it runs.
 */
import { SeededRandom } from "../../../runtime/world/mod.ts";
import { beginningOf } from "./beginning.ts";
import { describe } from "./describe.ts";
import type { Fault } from "./faults.ts";
import { DEAD, type Group, Groups, type Outcome, type Step } from "./groups.ts";
import { mayCrash, violationOf } from "./invariants.ts";
import type { NodeEvent } from "./lone_node.ts";
import type { Budget, Scenario } from "./scenarios.ts";
import { SeenStates } from "./seen_states.ts";

/** How a search ended. */
export interface Exploration {
  /** what is wrong; "" nothing within the bounds */
  violation: string;
  /** the way there, a line a step, from where the scenario's script ends */
  schedule: string[];
  /** different groups seen, breadth first */
  states: number;
  /** every way of up to so many steps was looked at */
  depth: number;
  /** true when there was no way left to look at */
  isComplete: boolean;
  /** steps of random walks after that */
  walked: number;
  /** events that the product's code carried out; the others were known */
  executed: number;
  seconds: number;
}

/** Where a search ends at the latest. */
export interface Limits {
  statesMax: number;
  /** steps of random walks afterwards, by this seed */
  walkedMax: number;
  seed: number;
}

/** Steps of one random walk. */
const WALK_STEPS_MAX = 80;
/** How often a walk takes a frame rather than trouble, where there is one. */
const FRAMES_FIRST = 0.7;
const CRASH = 2 ** 40;
const WANT = 2 ** 41;

/** Something that may happen to a group. */
interface Way extends Step {
  kind: "step" | "crash" | "want";
}

function codeOf({ kind, node, event }: Way): number {
  return kind === "step" ? event * 16 + node : kind === "crash" ? CRASH + node : WANT;
}

/** Searches a scenario. */
export function explore(scenario: Scenario, fault: Fault, limits: Limits): Exploration {
  return new Search(scenario, fault).run(limits);
}

class Search {
  readonly #groups: Groups;
  readonly #beginning: Group;
  readonly #seen = new SeenStates();
  #queue: (Group | null)[] = [];
  #depth = 0;
  #at = 0;
  #walked = 0;
  #violation = "";
  #schedule: string[] = [];

  constructor(scenario: Scenario, fault: Fault) {
    this.#groups = new Groups(scenario, fault);
    this.#beginning = beginningOf(this.#groups, scenario);
  }

  run(limits: Limits): Exploration {
    const startMs = performance.now();
    this.#searchBreadthFirst(limits);
    const states = this.#queue.length;
    const isComplete = this.#violation === "" && this.#at === states;
    this.#queue = [];
    if (this.#violation === "" && !isComplete) this.#walk(limits);
    return {
      violation: this.#violation,
      schedule: this.#schedule,
      states,
      depth: this.#depth,
      isComplete,
      walked: this.#walked,
      executed: this.#groups.table.executed,
      seconds: (performance.now() - startMs) / 1000,
    };
  }

  #searchBreadthFirst({ statesMax }: Limits): void {
    this.#seen.add(this.#beginning, { before: -1, code: 0 });
    this.#queue.push(this.#beginning);
    let levelEnd = 1;
    for (; this.#at < this.#queue.length && this.#violation === ""; this.#at++) {
      if (this.#at === levelEnd) {
        this.#depth++;
        levelEnd = this.#queue.length;
      }
      if (this.#queue.length >= statesMax) return;
      const before = this.#at;
      const group = this.#queue[before]!;
      for (const way of this.#waysFrom(group)) {
        const { next, wrong } = this.#outcomeOf(group, way);
        const code = codeOf(way);
        if (wrong !== "") {
          const codes = [code];
          for (let at = before; at > 0; at = this.#seen.before(at)) codes.push(this.#seen.code(at));
          this.#report(wrong, codes.reverse());
          break;
        }
        if (next !== null && this.#seen.add(next, { before, code })) this.#queue.push(next);
      }
      this.#queue[before] = null;
    }
  }

  #walk({ walkedMax, seed }: Limits): void {
    const random = new SeededRandom(seed);
    while (this.#violation === "" && this.#walked < walkedMax) {
      let group = this.#beginning;
      const codes: number[] = [];
      for (let i = 0; i < WALK_STEPS_MAX; i++) {
        const way = this.#anyWay(group, random);
        if (way === null) break;
        codes.push(way.code);
        this.#walked++;
        if (way.outcome.wrong !== "") {
          this.#report(way.outcome.wrong, codes);
          break;
        }
        group = way.outcome.next!;
      }
    }
  }

  /** Something that happens to a group, frames before troubles; null where nothing can. */
  #anyWay(group: Group, random: SeededRandom): { outcome: Outcome; code: number } | null {
    const ways = this.#waysFrom(group);
    while (ways.length > 0) {
      const frames = ways.findIndex(({ taken }) => taken === undefined);
      const some = frames > 0 && random.next() < FRAMES_FIRST ? frames : ways.length;
      const at = random.below(some);
      const way = ways.splice(at, 1)[0];
      const outcome = this.#outcomeOf(group, way);
      if (outcome.next !== null || outcome.wrong !== "") return { outcome, code: codeOf(way) };
    }
    return null;
  }

  /** All that can happen to a group next; frames first. */
  #waysFrom(group: Group): Way[] {
    const groups = this.#groups;
    const ways: Way[] = [];
    for (let at = groups.framesAt; at < group.length; at++) {
      ways.push({ kind: "step", node: groups.addressee(group[at]), event: groups.arrival(group[at]), taken: at });
    }
    if (groups.left(group, "doubles") > 0) {
      for (const { node, event } of [...ways]) ways.push({ kind: "step", node, event, pays: "doubles" });
    }
    const mayDie = groups.left(group, "crashes") > 0;
    for (let node = 0; node < groups.incarnations.length; node++) {
      if (group[node] === DEAD) continue;
      for (const { event, pays } of this.#ownEvents(group, node)) {
        if (groups.left(group, pays) > 0) ways.push({ kind: "step", node, event: groups.table.event(event), pays });
      }
      const { incarnation, hasCopy } = groups.table.view(group[node]);
      if (mayDie && hasCopy && mayCrash(groups.ghost(group), groups.views(group), incarnation)) {
        ways.push({ kind: "crash", node, event: 0 });
      }
    }
    if (groups.left(group, "wants") > 0) ways.push({ kind: "want", node: 0, event: 0 });
    return ways;
  }

  #outcomeOf(group: Group, way: Way): Outcome {
    const groups = this.#groups;
    const { next, wrong } = way.kind === "step"
      ? groups.after(group, way)
      : way.kind === "crash"
      ? groups.crashed(group, way.node)
      : groups.wanted(group);
    if (wrong !== "" || next === null) return { next, wrong };
    return { next, wrong: violationOf(groups.ghost(next), groups.views(next)) };
  }

  /** What a node may do by itself, and which budget pays for it. */
  #ownEvents(group: Group, node: number): { event: NodeEvent; pays: Budget }[] {
    const groups = this.#groups;
    const view = groups.table.view(group[node]);
    const events: { event: NodeEvent; pays: Budget }[] = [];
    if (view.isAwake) {
      events.push({ event: { type: "tick", afterMs: 260 }, pays: "resends" });
      events.push({ event: { type: "tick", afterMs: 11_000 }, pays: "timeouts" });
    }
    if (view.hasCopy) events.push({ event: { type: "sweep" }, pays: "sweeps" });
    if (view.takesProposals) {
      events.push({ event: { type: "propose", number: groups.left(group, "proposals") }, pays: "proposals" });
      events.push({ event: { type: "hand over" }, pays: "handOvers" });
    }
    for (let other = 0; other < groups.incarnations.length; other++) {
      const incarnation = groups.incarnations[other];
      if (other === node || !view.hasCopy || view.suspects.has(incarnation)) continue;
      // To suspect others than writers and the dead moves no election; only "doubts" do it.
      const matters = view.writer === incarnation || group[other] === DEAD;
      events.push({ event: { type: "suspect", incarnation }, pays: matters ? "suspicions" : "doubts" });
    }
    return events;
  }

  #report(violation: string, codes: number[]): void {
    const { table, incarnations } = this.#groups;
    this.#violation = violation;
    this.#schedule = codes.map((code) => {
      if (code === WANT) return "placement wants other members";
      if (code >= CRASH) return `${incarnations[code - CRASH]} dies`;
      return `${incarnations[code % 16]} ${describe(table.events[Math.floor(code / 16)])}`;
    });
  }
}
