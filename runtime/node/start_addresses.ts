/**
 * What a node's addresses must be before anything is opened: later it would stand open to strangers, or be known to its
 * peers by an address that is none of its own.
 */
import { WaterparkError } from "../base/mod.ts";
import { isLoopback, isUnspecified, parseAddress } from "../transport/mod.ts";

/** Where a node is to be reached. */
export interface StartAddresses {
  /** where peers are listened to */
  listen: string;
  /** where peers reach it, if elsewhere */
  advertise?: string;
  http?: string | false;
  mllp?: string | false;
}

/**
 * Refuses addresses that a node must not start with.
 *
 * @param hasSecret without one nothing is listened to but loopback: patients' data would stand open to the network
 * @throws {WaterparkError} `node/advertise-needed`, `transport/secret-needed`, `transport/bad-address`
 */
export function checkStartAddresses({ listen, advertise, http, mllp }: StartAddresses, hasSecret: boolean): void {
  for (const address of hasSecret ? [] : [http, mllp]) {
    if (!address || isLoopback(parseAddress(address).host)) continue;
    throw new WaterparkError(
      `Cannot listen at "${address}" as beyond loopback a cluster secret is needed: none is given`,
      { code: "transport/secret-needed", outcome: "not-applied" },
    );
  }
  // Peers would be told it, and each would find itself there, or nobody.
  const told = advertise ?? listen;
  if (!isUnspecified(parseAddress(told).host)) return;
  const problem = advertise === undefined ? "--advertise is not given" : "--advertise says the same of all machines";
  throw new WaterparkError(`Cannot start at "${told}" as peers must be told where this node is: ${problem}`, {
    code: "node/advertise-needed",
    outcome: "not-applied",
  });
}
