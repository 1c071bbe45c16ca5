/**
 * Joining: from an address that somebody gave to a place in the topology. Any node of the cluster will do as a host; who
 * does not answer is followed by the next, and again from the first, until one takes the newcomer in.
 */
import { WaterparkError } from "../base/mod.ts";
import { log } from "../telemetry/mod.ts";
import type { DialResult } from "../transport/mod.ts";
import type { NodeCore } from "./core.ts";
import { errorOf, type RequestResult } from "./requests.ts";
import { otherJournal } from "./reviving.ts";

/** Until when hosts are tried, ms: longer than starting a whole cluster takes. */
const JOIN_MS = 60_000;
const PAUSE_MS = 200;
/** Refusals that no repetition mends. */
const FINAL = new Set([
  "transport/wrong-secret",
  "transport/wrong-cluster",
  "transport/wrong-version",
  "node/other-journal",
  "topology/wrong-protocol",
]);

/**
 * Joins the cluster of the nodes at `addresses`.
 *
 * @throws {WaterparkError} `transport/wrong-secret`, `transport/wrong-cluster` at once; `node/cannot-join` when nobody
 * took this node in
 */
export async function joinCluster(core: NodeCore, addresses: string[]): Promise<void> {
  const { world } = core;
  const untilMs = world.nowMonoMs() + JOIN_MS;
  let last: WaterparkError | undefined;
  for (let i = 0; world.nowMonoMs() < untilMs; i++) {
    const address = addresses[i % addresses.length];
    try {
      await joinBy(core, address);
      return;
    } catch (error) {
      if (!(error instanceof WaterparkError)) throw error;
      if (FINAL.has(error.code)) throw error;
      last = error;
      if (i === 0) log("node").warning("{message}; trying on", { message: error.message });
      log("node").debug("cannot join by {address} yet: {code}", { address, code: error.code });
      await new Promise<void>((resolve) => void world.after(PAUSE_MS, resolve));
    }
  }
  throw new WaterparkError(`Cannot join by "${addresses.join(", ")}" as no node there has taken this one in`, {
    code: "node/cannot-join",
    outcome: "not-applied",
    cause: last,
  });
}

async function joinBy(core: NodeCore, address: string): Promise<void> {
  const dialled = await new Promise<DialResult>((resolve) => core.mesh.dialOnce(address, resolve));
  if ("error" in dialled) throw dialled.error;
  const { incarnation } = dialled.peer;
  // Who was on its way back from a journal when it was dialled may be there by now.
  const clusterId = dialled.peer.clusterId ?? await clusterOf(core, incarnation);
  const { clusterId: remembered } = core.reviving.remembrance;
  if (clusterId !== null && remembered !== "" && remembered !== clusterId) {
    throw otherJournal(`the node at "${address}" is in another cluster`);
  }
  if (clusterId === null) {
    throw new WaterparkError(`Cannot join by "${address}" as the node there has not joined a cluster itself`, {
      code: "node/not-ready",
      outcome: "not-applied",
    });
  }
  const result = await new Promise<RequestResult>((resolve) => core.join({ incarnation, clusterId }, resolve));
  if (!result.ok) throw errorOf(result);
}

async function clusterOf(core: NodeCore, incarnation: number): Promise<string | null> {
  const result = await new Promise<RequestResult>((resolve) =>
    core.requests.ask(incarnation, "testimony", "system", { timeoutMs: PAUSE_MS * 5, done: resolve })
  );
  return result.ok ? (result.value as { clusterId?: string | null }).clusterId ?? null : null;
}

/**
 * Joins the cluster of which the node's journal is, where that lives; where it does not, waits until it can be revived.
 *
 * @throws {WaterparkError} `node/other-journal`
 */
export async function joinOrRevive(core: NodeCore, addresses: string[]): Promise<void> {
  const error = await new Promise<WaterparkError | null>((resolve) => core.reviving.begin(addresses, resolve));
  if (error !== null) throw error;
}
