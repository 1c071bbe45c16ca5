/**
 * A plugin host that dies: the inline host in the clothes of a process. Its calls take time, so several are open when it
 * ends; they are answered `down`, `lonely` says whether there was but one; what it remembered is gone, and what is asked
 * meanwhile waits for the next one, and what was open runs alone when it comes again, as with the real one
 * (`runtime/plugin_host/process_host.ts`).
 */
import {
  type Fold,
  type FoldAnswer,
  type FoldRequest,
  type HandlerDefinition,
  InlineHost,
  type SessionLimits,
} from "../../runtime/plugin_host/mod.ts";
import type { World } from "../../runtime/world/mod.ts";

/** A handler, told how it can kill its host. */
export type HandlerMaker = (onKill: () => void) => HandlerDefinition;

interface Call {
  request: FoldRequest;
  done: (answer: FoldAnswer) => void;
}

/** How a host behaves. */
export interface SimulatedHostOptions {
  world: World;
  /** a call takes up to so long, ms; 0: it is answered at once */
  callMsMax: number;
  limits?: Partial<SessionLimits>;
}

/** How long the next process takes to come up, ms. */
const START_MS = { min: 30, max: 500 };

/** One node's plugin host. */
export class SimulatedHost {
  /** processes that have ended */
  deaths = 0;
  readonly #options: SimulatedHostOptions;
  readonly #versions = new Map<string, HandlerMaker>();
  readonly #open = new Set<Call>();
  readonly #waiting: Call[] = [];
  /** (hash, key) of calls that were open at a death -> the seq that must be answered for */
  readonly #suspects = new Map<string, number>();
  /** the one call that is open is a suspect's */
  #isAlone = false;
  #inner: InlineHost;
  #isUp = true;
  #isPoisoned = false;

  constructor(options: SimulatedHostOptions) {
    this.#options = options;
    this.#inner = this.#process();
  }

  /** Takes a version in, for this process and all that follow. */
  load(hash: string, make: HandlerMaker): void {
    this.#versions.set(hash, make);
    this.#loadNow(hash, make);
  }

  /** Ends the process; another one takes its place. */
  crash(): void {
    if (!this.#isUp) return;
    const { world } = this.#options;
    this.deaths++;
    const calls = [...this.#open];
    this.#open.clear();
    this.#isUp = false;
    this.#inner = this.#process();
    for (const { request } of calls) this.#suspects.set(suspectOf(request), request.after + request.messages.length);
    for (const { done } of calls) {
      world.soon(() => done({ state: "down", lonely: calls.length === 1, code: "plugin_host/died" }));
    }
    world.after(START_MS.min + world.random() * (START_MS.max - START_MS.min), () => {
      this.#isUp = true;
      this.#pump();
    });
  }

  /** See `runtime/actors/fold.ts`. */
  readonly fold: Fold = (request, done) => {
    const { world } = this.#options;
    if (!this.#versions.has(request.hash)) {
      return world.soon(() => done({ state: "down", lonely: false, code: "plugin_host/not-loaded" }));
    }
    this.#waiting.push({ request, done });
    this.#pump();
  };

  #pump(): void {
    const { world, callMsMax } = this.#options;
    while (this.#isUp && this.#waiting.length > 0) {
      const isSuspect = this.#suspects.has(suspectOf(this.#waiting[0].request));
      if (this.#open.size > 0 && (isSuspect || this.#isAlone)) return;
      const call = this.#waiting.shift()!;
      this.#isAlone = isSuspect;
      this.#open.add(call);
      if (callMsMax === 0) this.#run(call);
      else world.after(world.random() * callMsMax, () => this.#run(call));
    }
  }

  #run(call: Call): void {
    if (!this.#open.has(call)) return;
    this.#isPoisoned = false;
    this.#inner.fold(call.request, (answer) => {
      if (!this.#open.delete(call)) return;
      const upTo = this.#suspects.get(suspectOf(call.request)) ?? Infinity;
      if ((answer.state === "ok" || answer.state === "fault") && answer.at >= upTo) {
        this.#suspects.delete(suspectOf(call.request));
      }
      call.done(answer);
      this.#pump();
    });
    if (this.#isPoisoned) this.crash();
  }

  #process(): InlineHost {
    const { world, limits } = this.#options;
    const host = new InlineHost({ world, limits });
    this.#inner = host;
    for (const [hash, make] of this.#versions) this.#loadNow(hash, make);
    return host;
  }

  #loadNow(hash: string, make: HandlerMaker): void {
    this.#inner.load(hash, make(() => this.#isPoisoned = true));
  }
}

function suspectOf({ hash, key }: FoldRequest): string {
  return `${hash} ${key}`;
}
