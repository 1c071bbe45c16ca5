/**
 * Tripwires: a bare TCP connection beside each QUIC link, on which nothing is ever said. A process that dies, however it
 * dies, has its sockets closed by the system, and TCP tells the other end within milliseconds, where QUIC is silent
 * until its idle time-out (measured).
 *
 * An image: a thread between two doors. It holds nothing and carries nothing; when it goes slack, one looks.
 *
 * A tripwire that closes proves nothing (a firewall may have cut it, the peer may be well): whoever is told asks the peer
 * and others, and suspects it only if nobody heard of it. One that cannot be laid costs a try now and then, and its pair
 * of nodes falls back to silence. Costs a socket at either end for each pair and direction.
 */
import type { World } from "../world/mod.ts";
import { gates } from "../world/mod.ts";
import { parseAddress } from "./address.ts";
import type { Peer } from "./handshake.ts";

/** Connects to `address` without a word. */
export type LayTripwire = (address: string, handlers: {
  /** it holds */
  onHeld(): void;
  /** it could not be laid, or has closed; called once, never within the call */
  onClosed(): void;
}) => { cut(): void };

/** Wait before a tripwire is laid again, ms; doubles with each that does not hold. */
const AGAIN_MS_MIN = 1_000;
const AGAIN_MS_MAX = 60_000;

interface Laid {
  peer: Peer;
  isHeld: boolean;
  failures: number;
  cut: () => void;
}

/** One tripwire to every peer that has a link without a crash signal of its own. */
export class Tripwires {
  readonly #options: { world: World; lay: LayTripwire; onTripped: (peer: Peer) => void };
  readonly #laid = new Map<number, Laid>();

  constructor(options: { world: World; lay: LayTripwire; onTripped: (peer: Peer) => void }) {
    this.#options = options;
  }

  /** peers whose tripwire holds */
  get held(): number {
    let held = 0;
    for (const { isHeld } of this.#laid.values()) if (isHeld) held++;
    return held;
  }

  /** There is a link to this peer. */
  lay(peer: Peer): void {
    this.cut(peer.incarnation);
    const laid: Laid = { peer, isHeld: false, failures: 0, cut: () => {} };
    this.#laid.set(peer.incarnation, laid);
    this.#try(laid);
  }

  /** The link is gone, and with it what there was to watch. */
  cut(incarnation: number): void {
    const laid = this.#laid.get(incarnation);
    this.#laid.delete(incarnation);
    laid?.cut();
  }

  /** Cuts all. */
  close(): void {
    for (const incarnation of [...this.#laid.keys()]) this.cut(incarnation);
  }

  #try(laid: Laid): void {
    const { world, lay, onTripped } = this.#options;
    const { peer } = laid;
    const isLaid = () => this.#laid.get(peer.incarnation) === laid;
    const wire = lay(peer.address, {
      onHeld: () => {
        laid.isHeld = isLaid();
      },
      onClosed: () => {
        if (!isLaid()) return;
        const wasHeld = laid.isHeld;
        laid.isHeld = false;
        laid.failures = wasHeld ? 0 : laid.failures + 1;
        const againMs = Math.min(AGAIN_MS_MAX, AGAIN_MS_MIN * 2 ** laid.failures);
        const timer = world.after(againMs, () => this.#try(laid));
        laid.cut = () => timer.cancel();
        if (wasHeld) onTripped(peer);
      },
    });
    laid.cut = () => wire.cut();
  }
}

/** Tripwires over the system's TCP, to the port on which the peer's mesh listens for WebSocket. */
export const layTcpTripwire: LayTripwire = (address, { onHeld, onClosed }) => {
  let isCut = false;
  let conn: gates.TcpConn | null = null;
  const close = () => {
    try {
      conn?.close();
    } catch {
      // Closed by the system already.
    }
    conn = null;
  };
  const watch = async () => {
    const { host: hostname, port } = parseAddress(address);
    conn = await gates.tcp.connect({ hostname, port });
    if (isCut) return;
    // Routers forget connections on which nothing is said.
    conn.setKeepAlive(true);
    onHeld();
    // Nobody says anything here: a byte would be somebody else's door.
    await conn.read(new Uint8Array(1));
  };
  watch().catch(() => {}).finally(() => {
    close();
    if (!isCut) onClosed();
  });
  return {
    cut: () => {
      isCut = true;
      close();
    },
  };
};
