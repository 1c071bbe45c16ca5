/**
 * Groups: all nodes and the frames under way between them, as a row of numbers, and what one event makes of it.
 *
 * The row: the state of each node, what is left of each budget, what was ever committed (the ghost), then the frames
 * under way in order.
 */
import type { Fault } from "./faults.ts";
import { type Ghost, ghostAfter, NO_GHOST } from "./invariants.ts";
import { NodeTable, type NodeView } from "./node_table.ts";
import { type Budget, BUDGETS, type Scenario } from "./scenarios.ts";

/** See the file's header. */
export type Group = Int32Array<ArrayBufferLike>;

/** In a node's place once its incarnation has ended. */
export const DEAD = -1;

/** A node's event, as a step of its group. */
export interface Step {
  /** place of the node */
  node: number;
  event: number;
  /** where in the row the frame stands that is taken, if one is */
  taken?: number;
  pays?: Budget;
}

/** What a step leads to. */
export interface Outcome {
  /** null: to nothing new, or beyond the bounds */
  next: Group | null;
  /** "" or what is wrong with it */
  wrong: string;
}

const NOTHING: Outcome = { next: null, wrong: "" };

/** Moves groups of one scenario. */
export class Groups {
  readonly table: NodeTable;
  readonly incarnations: readonly number[];
  /** where in a row the frames begin */
  readonly framesAt: number;
  readonly #scenario: Scenario;
  readonly #fault: Fault;
  readonly #ghosts: Ghost[] = [];
  readonly #ghostNumbers = new Map<string, number>();

  constructor(scenario: Scenario, fault: Fault) {
    this.#scenario = scenario;
    this.#fault = fault;
    this.table = new NodeTable(fault);
    this.incarnations = [...scenario.members, ...scenario.spares];
    this.framesAt = this.incarnations.length + BUDGETS.length + 1;
  }

  /** Nodes that have just started, and nothing under way. */
  started(): Group {
    const { budget, wants } = this.#scenario;
    const left = BUDGETS.map((name) => name === "wants" ? wants.length - 1 : budget[name] ?? 0);
    const nodes = this.incarnations.map((incarnation) => this.table.started(incarnation));
    return Int32Array.from([...nodes, ...left, this.#ghostNumber(NO_GHOST)]);
  }

  left(group: Group, name: Budget): number {
    return group[this.incarnations.length + BUDGETS.indexOf(name)];
  }

  ghost(group: Group): Ghost {
    return this.#ghosts[group[this.framesAt - 1]];
  }

  /** The nodes that live. */
  views(group: Group): NodeView[] {
    const views: NodeView[] = [];
    for (let i = 0; i < this.incarnations.length; i++) if (group[i] !== DEAD) views.push(this.table.view(group[i]));
    return views;
  }

  /** The place of the node that a frame is for. */
  addressee(frame: number): number {
    return this.incarnations.indexOf(this.table.frames[frame].to);
  }

  /** The number of the event that a frame arrives. */
  arrival(frame: number): number {
    const { from, payload } = this.table.frames[frame];
    return this.table.event({ type: "frame", from, payload });
  }

  /** The group after a node's event. */
  after(group: Group, { node, event, taken = -1, pays }: Step): Outcome {
    if (group[node] === DEAD) return NOTHING;
    const step = this.table.step(group[node], event);
    if (step.threw !== "") return { next: null, wrong: `the product throws: ${step.threw}` };
    // A frame that changes nothing may as well come later: to have it still under way is to have more.
    if (step.to === group[node] && step.frames.length === 0) return NOTHING;
    const view = this.table.view(step.to);
    if (view.term > this.#scenario.termMax) return NOTHING;
    const frames: number[] = [];
    for (let at = this.framesAt; at < group.length; at++) {
      const frame = group[at];
      const isVoid = this.addressee(frame) === node && this.table.frames[frame].termMax < view.term;
      if (at !== taken && !isVoid) frames.push(frame);
    }
    for (const frame of step.frames) if (this.#isNews(group, frame, frames)) frames.push(frame);
    frames.sort((a, b) => a - b);
    const next = new Int32Array(this.framesAt + frames.length);
    next.set(group.subarray(0, this.framesAt));
    next.set(frames, this.framesAt);
    next[node] = step.to;
    if (pays !== undefined) next[this.incarnations.length + BUDGETS.indexOf(pays)]--;
    return { next, wrong: this.#remember(next, node) };
  }

  /** Sent twice and both under way: as one, as what arrives twice is asked for by "doubles". */
  #isNews(group: Group, frame: number, frames: number[]): boolean {
    const to = this.addressee(frame);
    return to >= 0 && group[to] !== DEAD && !frames.includes(frame) &&
      this.table.frames[frame].termMax >= this.table.view(group[to]).term;
  }

  /** A node's process ends, and with it all that it had. */
  crashed(group: Group, node: number): Outcome {
    const incarnation = this.incarnations[node];
    const next = group.filter((frame, at) => at < this.framesAt || this.table.frames[frame].to !== incarnation);
    if (this.left(next, "crashes") > 0) next[this.incarnations.length + BUDGETS.indexOf("crashes")]--;
    next[node] = DEAD;
    if (!this.#fault.keepsIncarnation) return { next, wrong: "" };
    next[node] = this.table.started(incarnation);
    return this.after(next, { node, event: this.table.event({ type: "birth", members: this.#scenario.members }) });
  }

  /** All nodes hear which members placement wants from now on. */
  wanted(group: Group): Outcome {
    const { wants } = this.#scenario;
    const left = this.left(group, "wants");
    const voters = wants[wants.length - left];
    group = group.slice();
    group[this.incarnations.length + BUDGETS.indexOf("wants")]--;
    return this.want(group, voters);
  }

  want(group: Group, voters: number[]): Outcome {
    const event = this.table.event({ type: "want", desired: { voters, learners: [] } });
    let wrong = "";
    for (let node = 0; node < this.incarnations.length && wrong === ""; node++) {
      const outcome = this.after(group, { node, event });
      wrong = outcome.wrong;
      group = outcome.next ?? group;
    }
    return { next: group, wrong };
  }

  #remember(group: Group, node: number): string {
    const before = this.ghost(group);
    const { ghost, wrong } = ghostAfter(before, this.table.view(group[node]));
    if (ghost !== before) group[this.framesAt - 1] = this.#ghostNumber(ghost);
    return wrong;
  }

  #ghostNumber(ghost: Ghost): number {
    const key = JSON.stringify(ghost);
    let number = this.#ghostNumbers.get(key);
    if (number === undefined) {
      number = this.#ghosts.push(ghost) - 1;
      this.#ghostNumbers.set(key, number);
    }
    return number;
  }
}
