import { WaterparkError } from "../base/mod.ts";
import type { Carrier, ListenHandlers, Listening } from "./carrier.ts";

const TRIES = 5;

/**
 * Listens by every carrier at one `host:port`, UDP and TCP alike: by all or by none.
 *
 * With port 0 the first carrier's port is asked of the others; what is free for UDP may be taken for TCP, and then
 * another one is tried.
 */
export async function listenByAll(
  carriers: Carrier[],
  address: string,
  handlers: ListenHandlers,
): Promise<{ address: string; listening: Listening[] }> {
  for (let triesLeft = address.endsWith(":0") ? TRIES : 1;;) {
    const listening: Listening[] = [];
    let at = address;
    try {
      for (const carrier of carriers) {
        listening.push(await carrier.listen(at, handlers));
        at = listening[0].address;
      }
      return { address: at, listening };
    } catch (error) {
      for (const each of listening) await each.close();
      const isTaken = error instanceof WaterparkError && error.code === "transport/address-in-use";
      if (!isTaken || --triesLeft === 0) throw error;
    }
  }
}
