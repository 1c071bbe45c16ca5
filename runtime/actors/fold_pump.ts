import type { World } from "../world/mod.ts";
import type { Fold, FoldAnswer, FoldRequest } from "./fold.ts";

/** Something that wants to fold, one call at a time. */
export interface FoldJob {
  /** true while it stands in a queue; owned by the pump */
  queued: boolean;
  /** true: was open when a host died, so it runs with nothing else open */
  suspect: boolean;
  /** true: some calls of a long history are done, and what the host keeps of it is lost if too many others come between */
  readonly isMidway: boolean;
  /** The next call; null when there is nothing to do any more, or not now. */
  begin(): FoldRequest | null;
  /** How the call ended; the job queues itself again if it wants more. */
  ended(request: FoldRequest, answer: FoldAnswer): void;
}

/** Limits and times of the pump. */
export interface FoldPumpOptions {
  world: World;
  fold: Fold;
  /** calls open at a time */
  openMax: number;
  /** first and longest pause after the host said busy or went down, ms; doubled while it keeps doing so */
  pauseMinMs: number;
  pauseMaxMs: number;
  /** how long a call's place stays taken after it has ended, ms; left out: not at all */
  restMs?: (messages: number, tookMs: number) => number;
}

/** Long histories that are gone through side by side: the host has a core for one of them at a time. */
const MIDWAY_MAX = 4;

/**
 * Lets at most so many folds run at a time, first come, first served, in queues that take turns: `urgent` for those
 * that somebody waits for, `midway` for those that are in the middle of a long history. A job stands in a queue once, so
 * the queues are bounded by what may have jobs.
 *
 * Only a few long histories are gone through side by side, fewer when the host loses what it keeps of them: it forgets
 * what was used least lately, so many in turn would each find theirs forgotten, and none would ever come to its end.
 */
export class FoldPump {
  readonly #options: FoldPumpOptions;
  readonly #queues: [urgent: Fifo, usual: Fifo] = [new Fifo(), new Fifo()];
  readonly #suspects = new Fifo();
  readonly #midway = new Fifo();
  /** those in the middle whose turn it is, queued or open; true: the host has something of theirs since */
  readonly #going = new Map<FoldJob, boolean>();
  #goingMax = MIDWAY_MAX;
  /** those in the middle that wait until others have come to their end */
  readonly #later: [urgent: Fifo, usual: Fifo] = [new Fifo(), new Fifo()];
  #turn = 0;
  #isMidwayTurn = true;
  #open = 0;
  #suspectOpen = false;
  #pauses = 0;
  #paused = false;
  #scheduled = false;

  constructor(options: FoldPumpOptions) {
    this.#options = options;
  }

  /** folds open now */
  get open(): number {
    return this.#open;
  }

  /** Queues a job unless it is queued. */
  enqueue(job: FoldJob, urgent = false): void {
    if (job.queued) return;
    job.queued = true;
    if (job.suspect) this.#suspects.push(job);
    else if (this.#going.has(job)) this.#midway.push(job);
    else if (job.isMidway) this.#goOn(job, urgent);
    else this.#queues[urgent ? 0 : 1].push(job);
    this.#schedule();
  }

  /** The host has no room, or is gone: nothing is begun for a while, longer each time until a call ends well. */
  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    const { world, pauseMinMs, pauseMaxMs } = this.#options;
    const pauseMs = Math.min(pauseMaxMs, pauseMinMs * 2 ** Math.min(this.#pauses++, 20));
    world.after(pauseMs * (0.5 + world.random() / 2), () => {
      this.#paused = false;
      this.#pump();
    });
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#options.world.soon(() => {
      this.#scheduled = false;
      this.#pump();
    });
  }

  #pump(): void {
    while (!this.#paused && !this.#suspectOpen && this.#open < this.#options.openMax) {
      // while a host's death is looked into, nobody else is let in: only who is alone can be found guilty
      const suspect = this.#suspects.size > 0;
      if (suspect && this.#open > 0) return;
      const job = suspect ? this.#suspects.shift() : this.#take();
      if (job === undefined) return;
      job.queued = false;
      const request = job.begin();
      if (request !== null) this.#run(job, request, suspect);
      else if (this.#going.has(job)) this.#letGo(job, false);
    }
  }

  #run(job: FoldJob, request: FoldRequest, alone: boolean): void {
    this.#open++;
    this.#suspectOpen = alone;
    let ended = false;
    const { world, restMs } = this.#options;
    const begunMs = restMs === undefined ? 0 : world.nowMonoMs();
    this.#options.fold(request, (answer) => {
      if (ended) return;
      ended = true;
      const pauseMs = restMs?.(request.messages.length, world.nowMonoMs() - begunMs) ?? 0;
      // who is looked into must run alone, and not wait for somebody's rest
      if (pauseMs > 0 && !alone) world.after(pauseMs, () => this.#rested());
      else this.#open--;
      if (alone) this.#suspectOpen = false;
      if (answer.state === "ok") this.#pauses = 0;
      job.ended(request, answer);
      if (this.#going.has(job)) this.#went(job, answer);
      this.#schedule();
    });
  }

  #rested(): void {
    this.#open--;
    this.#schedule();
  }

  #goOn(job: FoldJob, urgent: boolean): void {
    if (this.#going.size >= this.#goingMax) return this.#later[urgent ? 0 : 1].push(job);
    this.#going.set(job, false);
    this.#midway.push(job);
  }

  /** A call of one that was going has ended. */
  #went(job: FoldJob, { state }: FoldAnswer): void {
    // What waited for its turn finds itself forgotten once; forgotten again it shows that too many go side by side.
    if (state === "behind" && this.#going.get(job)) this.#goingMax = Math.max(1, this.#goingMax >> 1);
    const goesOn = job.queued && !job.suspect && (job.isMidway || state === "behind");
    if (goesOn) this.#going.set(job, state === "ok");
    else this.#letGo(job, state === "ok");
  }

  /** Another one takes its place. */
  #letGo(job: FoldJob, isThrough: boolean): void {
    this.#going.delete(job);
    if (isThrough) this.#goingMax = Math.min(MIDWAY_MAX, this.#goingMax + 1);
    while (this.#going.size < this.#goingMax) {
      const next = this.#later[0].shift() ?? this.#later[1].shift();
      if (next === undefined) return;
      this.#goOn(next, false);
    }
  }

  /** Every second one from the middle of a long history, so that neither sort holds up the other. */
  #take(): FoldJob | undefined {
    this.#isMidwayTurn = !this.#isMidwayTurn;
    const midway = this.#isMidwayTurn ? this.#takeMidway() : undefined;
    if (midway !== undefined) return midway;
    this.#turn = 1 - this.#turn;
    return this.#queues[this.#turn].shift() ?? this.#queues[1 - this.#turn].shift() ?? this.#takeMidway();
  }

  /** When fewer may go side by side than do, those that came last wait again. */
  #takeMidway(): FoldJob | undefined {
    for (;;) {
      const job = this.#midway.shift();
      if (job === undefined || [...this.#going.keys()].indexOf(job) < this.#goingMax) return job;
      this.#going.delete(job);
      this.#later[1].push(job);
    }
  }
}

/** A queue whose `shift` does not move what is behind. */
class Fifo {
  #jobs: (FoldJob | undefined)[] = [];
  #head = 0;

  get size(): number {
    return this.#jobs.length - this.#head;
  }

  push(job: FoldJob): void {
    this.#jobs.push(job);
  }

  shift(): FoldJob | undefined {
    if (this.#head === this.#jobs.length) return undefined;
    const job = this.#jobs[this.#head];
    this.#jobs[this.#head++] = undefined;
    if (this.#head > 1024 && this.#head * 2 > this.#jobs.length) {
      this.#jobs = this.#jobs.slice(this.#head);
      this.#head = 0;
    }
    return job;
  }
}
