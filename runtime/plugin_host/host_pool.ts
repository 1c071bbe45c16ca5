/**
 * Several host processes that look like one: each uses a core, and when one dies only its own actors wait.
 *
 * Like the desks of a counter, people sorted to them by name: whoever comes again finds the desk that has the file, and
 * the queue there keeps the order. A desk that has to be scrubbed holds up nobody at the others.
 *
 * An actor's calls all go to the same process, whatever the plugin, so their order holds and its session is kept once.
 * A version is loaded in each, which costs some 60 MB a process: wrong where many hosts share little memory.
 *
 * @module
 */
import { assert, hashText } from "../base/mod.ts";
import type { Fold } from "../actors/mod.ts";
import { ProcessHost, type ProcessHostOptions, type ProcessHostStats } from "./process_host.ts";
import type { LoadAnswer } from "./version_shelf.ts";

/** Most processes of one pool. */
export const HOSTS_MAX = 64;

/** How many hosts a machine with so many cores is given: the node's own thread and its peers want the other half. */
export function hostsFor(cores: number): number {
  return Math.max(1, Math.min(8, Math.floor(cores / 2)));
}

/** Plugin host processes and their calls, see the module's header. */
export class HostPool {
  readonly #hosts: readonly ProcessHost[];

  /**
   * Starts nothing yet.
   *
   * @param options.hosts how many processes, 1 to {@linkcode HOSTS_MAX}; bounds of the configuration hold for each
   */
  constructor({ hosts, ...options }: ProcessHostOptions & { hosts: number }) {
    assert(Number.isInteger(hosts) && hosts >= 1 && hosts <= HOSTS_MAX, "a pool has 1 to 64 hosts");
    this.#hosts = Array.from({ length: hosts }, () => new ProcessHost(options));
  }

  /** how many processes there are */
  get count(): number {
    return this.#hosts.length;
  }

  /** Starts the processes; does nothing to those that run. */
  start(): void {
    for (const host of this.#hosts) host.start();
  }

  /**
   * Takes a version in, as {@linkcode ProcessHost.load} does; `done` is told once, when the last host has tried: `loaded`
   * when it is in all of them.
   */
  load(hash: string, name: string, bundle: Uint8Array, done: (answer: LoadAnswer) => void = () => {}): void {
    let left = this.#hosts.length;
    let failed: LoadAnswer | null = null;
    const one = (answer: LoadAnswer) => {
      if (answer.state === "failed") failed ??= answer;
      if (--left === 0) done(failed ?? answer);
    };
    for (const host of this.#hosts) host.load(hash, name, bundle, one);
  }

  /** Forgets a version. */
  unload(hash: string): void {
    for (const host of this.#hosts) host.unload(hash);
  }

  /** Folds in the actor's process, see the fold protocol in `runtime/actors/fold.ts`. */
  readonly fold: Fold = (request, done) => this.#hosts[this.placeOf(request.key)].fold(request, done);

  /** Which process has the actor, from 0. */
  placeOf(key: string): number {
    return this.#hosts.length === 1 ? 0 : hashText(key) % this.#hosts.length;
  }

  /** What they have done so far, together; `isReady` when all are. */
  stats(): ProcessHostStats {
    const sum: ProcessHostStats = { folds: 0, deaths: 0, open: 0, suspects: 0, isReady: true };
    for (const host of this.#hosts) {
      const { folds, deaths, open, suspects, isReady } = host.stats();
      sum.folds += folds;
      sum.deaths += deaths;
      sum.open += open;
      sum.suspects += suspects;
      sum.isReady &&= isReady;
    }
    return sum;
  }

  /** Ends the processes; open calls are answered `down`. Resolves when they have ended. */
  async close(): Promise<void> {
    await Promise.all(this.#hosts.map((host) => host.close()));
  }
}
