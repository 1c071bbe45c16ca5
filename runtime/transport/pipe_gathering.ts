import type { Timer, World } from "../world/mod.ts";
import type { AcceptedPipe } from "./message_pipes.ts";
import { LANES } from "./stream_connection.ts";

/** Links of which not all sockets have come; more are turned away. */
const LINKS_MAX = 256;
/** How long the others may take. */
const WAIT_MS_MAX = 5_000;

interface Gathered {
  pipes: (AcceptedPipe | undefined)[];
  timer: Timer;
}

/** Sockets of links that have come in one by one; who is let in has proved the secret at the door. */
export class PipeGathering {
  readonly #options: { world: World; onWhole: (pipes: AcceptedPipe[], remote: string) => void };
  readonly #links = new Map<string, Gathered>();

  constructor(options: { world: World; onWhole: (pipes: AcceptedPipe[], remote: string) => void }) {
    this.#options = options;
  }

  /** A socket has come in: `part` is the link's name and the lane. */
  add(part: string, pipe: AcceptedPipe, remote: string): void {
    const match = /^([0-9a-f]{16})\/([0-9])$/.exec(part);
    const lane = Number(match?.[2]);
    if (match === null || lane >= LANES) return pipe.close();
    const link = this.#links.get(match[1]) ?? this.#begin(match[1]);
    if (link === null || link.pipes[lane] !== undefined) return pipe.close();
    link.pipes[lane] = pipe;
    const pipes = link.pipes.filter((one) => one !== undefined);
    if (pipes.length < LANES) return;
    link.timer.cancel();
    this.#links.delete(match[1]);
    this.#options.onWhole(pipes, remote);
  }

  /** Turns away whoever is not whole. */
  close(): void {
    for (const name of [...this.#links.keys()]) this.#giveUp(name);
  }

  #begin(name: string): Gathered | null {
    if (this.#links.size >= LINKS_MAX) return null;
    const timer = this.#options.world.after(WAIT_MS_MAX, () => this.#giveUp(name));
    const link = { pipes: new Array(LANES).fill(undefined), timer };
    this.#links.set(name, link);
    return link;
  }

  #giveUp(name: string): void {
    const { pipes, timer } = this.#links.get(name)!;
    timer.cancel();
    this.#links.delete(name);
    for (const pipe of pipes) pipe?.close();
  }
}
