import { WaterparkError } from "../base/mod.ts";
import { isHl7Charset, parseHl7Path } from "../wire/mod.ts";
import type { TlsIdentity } from "./mllp_tls.ts";
import type { MllpAcknowledge, MllpApplication } from "./mllp_verdict.ts";

/** What whoever starts a node says about its MLLP listener; every field has a default. */
export interface MllpSettings {
  /**
   * PEM certificate chain and key; left out: plain TCP, fit for loopback or a tunnel. `clientCa`: who connects must show
   * a certificate that one of these (PEM) has signed. `again` reads them anew, once a minute: what has changed holds for
   * who connects from then on
   */
  tls?: TlsIdentity & { again?(): Promise<TlsIdentity> };
  /** how is acknowledged, see {@linkcode MllpAcknowledge}; default `by-message` */
  acknowledge?: MllpAcknowledge;
  /** what AA stands for, see {@linkcode MllpApplication}; default `recorded` */
  application?: MllpApplication;
  /**
   * another message under a control id that its patient had: AR (`reject`, the default), or it is recorded under
   * `id~digest` and answered AA (`keep`)
   */
  conflicts?: "reject" | "keep";
  /** where a message's key stands, default facility `MSH-4.1`, id `PID-3.1`; and the charset where MSH-18 is empty */
  route?: { facility?: string; id?: string; charset?: string };
  /** connections at a time, default 512; one more is closed at once */
  connectionsMax?: number;
  /** a connection on which nothing moves for so long is closed, ms, default 10 min: peers vanish behind firewalls without a word; 0 = never */
  idleMs?: number;
  /** messages of one connection taken in and not yet answered, default 64; beyond, the peer is not read */
  inFlightMax?: number;
}

/**
 * Looks whether a listener can live with what it is told: what is wrong with a path is said at the start, not at every
 * message.
 *
 * @throws {WaterparkError} `gateway/bad-mllp-settings`
 */
export function checkMllpSettings({ route = {}, connectionsMax = 1, idleMs = 0, inFlightMax = 1 }: MllpSettings): void {
  for (const path of [route.facility, route.id]) {
    try {
      if (path !== undefined) parseHl7Path(path);
    } catch (error) {
      throw bad((error as Error).message);
    }
  }
  if (route.charset !== undefined && !isHl7Charset(route.charset)) {
    throw bad(`Cannot use the charset ${JSON.stringify(route.charset)} as it must be one of MSH-18, like 8859/1`);
  }
  if (!isWhole(connectionsMax, 1, 65_536)) {
    throw bad(`Cannot take ${connectionsMax} connections as it must be 1 to 65536`);
  }
  if (!isWhole(inFlightMax, 1, 65_536)) throw bad(`Cannot take in ${inFlightMax} messages as it must be 1 to 65536`);
  if (!isWhole(idleMs, 0, 2 ** 31 - 1)) throw bad(`Cannot wait for ${idleMs} ms as it must be 0 to 24 days`);
}

function isWhole(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

function bad(message: string): WaterparkError {
  return new WaterparkError(message, { code: "gateway/bad-mllp-settings", outcome: "not-applied" });
}
