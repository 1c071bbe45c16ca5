import { type LoadAnswer, ProcessHost } from "../plugin_host/mod.ts";
import type { Timer, World } from "../world/mod.ts";

/** How long the process waits for the next bundle, ms. */
const IDLE_MS = 10_000;
/** Bundles that one process looks at, one after the other. */
const BUNDLES_MAX = 50;

interface Room {
  readonly host: ProcessHost;
  /** bundles that are being looked at */
  open: number;
  looked: number;
  /** something was wrong in it: nobody is let in any more */
  isSpoilt: boolean;
}

/**
 * Where a bundle is looked at before the cluster hears of it: a host process that nothing depends on, kept for a while for
 * the next one. To start it takes 100 ms of a core, which everybody on a small machine feels; a pipeline that deploys
 * often would have them feel it each time. After a bundle that did not load it is not used again.
 */
export class PluginInspector {
  readonly #world: World;
  #room: Room | null = null;
  #idle: Timer | null = null;
  readonly #ending = new Set<Promise<void>>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Loads a bundle and forgets it. */
  async load({ name, hash, bundle }: { name: string; hash: string; bundle: Uint8Array }): Promise<LoadAnswer> {
    this.#idle?.cancel();
    const room = this.#room ??= { host: new ProcessHost({ world: this.#world }), open: 0, looked: 0, isSpoilt: false };
    room.host.start();
    room.open++;
    const answer = await new Promise<LoadAnswer>((resolve) => room.host.load(hash, name, bundle, resolve));
    room.open--;
    room.host.unload(hash);
    if (answer.state === "failed" || ++room.looked >= BUNDLES_MAX) room.isSpoilt = true;
    if (room.isSpoilt && this.#room === room) this.#room = null;
    if (room.isSpoilt && room.open === 0) this.#end(room);
    this.#idle?.cancel();
    this.#idle = this.#world.after(IDLE_MS, () => {
      if (this.#room === null || this.#room.open > 0) return;
      this.#end(this.#room);
      this.#room = null;
    });
    return answer;
  }

  /** Ends the process, where one runs; resolves when it has ended. */
  async close(): Promise<void> {
    this.#idle?.cancel();
    if (this.#room !== null) this.#end(this.#room);
    this.#room = null;
    await Promise.all(this.#ending);
  }

  #end({ host }: Room): void {
    const ended = host.close();
    this.#ending.add(ended);
    ended.then(() => this.#ending.delete(ended));
  }
}
