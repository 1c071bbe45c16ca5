import type { Progress } from "./shard_state.ts";

/**
 * The peers of one writer, in the order in which they were added. A `Map` for a handful of members: incarnations are
 * beyond 32 bits, which a `Map` has to hash as doubles (some 60 ns a look), while a glance along four of them takes
 * three. The hot loops go over `list`, which makes nothing.
 */
export class PeerTable {
  /** all of them; to be read only */
  readonly list: Progress[] = [];

  /** how many there are */
  get size(): number {
    return this.list.length;
  }

  /** The peer, if it is one. */
  get(incarnation: number): Progress | undefined {
    const { list } = this;
    for (let i = 0; i < list.length; i++) if (list[i].incarnation === incarnation) return list[i];
    return undefined;
  }

  /** True when it is a peer. */
  has(incarnation: number): boolean {
    return this.get(incarnation) !== undefined;
  }

  /** Adds a peer that is none yet. */
  add(progress: Progress): void {
    this.list.push(progress);
  }

  /** Takes it out; those behind it move up. */
  delete(incarnation: number): void {
    const at = this.list.findIndex((peer) => peer.incarnation === incarnation);
    if (at >= 0) this.list.splice(at, 1);
  }

  /** Takes all out. */
  clear(): void {
    this.list.length = 0;
  }
}
