import type { World } from "../world/mod.ts";
import type { Fold, FoldAnswer, FoldRequest } from "./fold.ts";

/** Something that wants to fold, one call at a time. */
export interface FoldJob {
  /** true while it stands in a queue; owned by the pump */
  queued: boolean;
  /** true: was open when a host died, so it runs with nothing else open */
  suspect: boolean;
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
}

/**
 * Lets at most so many folds run at a time, first come, first served, in two queues that take turns: `urgent` for those
 * that somebody waits for. A job stands in a queue once, so the queues are bounded by what may have jobs.
 */
export class FoldPump {
  readonly #options: FoldPumpOptions;
  readonly #queues: [urgent: Fifo, usual: Fifo] = [new Fifo(), new Fifo()];
  readonly #suspects = new Fifo();
  #turn = 0;
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
    (job.suspect ? this.#suspects : this.#queues[urgent ? 0 : 1]).push(job);
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
    }
  }

  #run(job: FoldJob, request: FoldRequest, alone: boolean): void {
    this.#open++;
    this.#suspectOpen = alone;
    let ended = false;
    this.#options.fold(request, (answer) => {
      if (ended) return;
      ended = true;
      this.#open--;
      if (alone) this.#suspectOpen = false;
      if (answer.state === "ok") this.#pauses = 0;
      job.ended(request, answer);
      this.#schedule();
    });
  }

  #take(): FoldJob | undefined {
    this.#turn = 1 - this.#turn;
    return this.#queues[this.#turn].shift() ?? this.#queues[1 - this.#turn].shift();
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
