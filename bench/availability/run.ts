/**
 * `waterpark bench availability`: a steady load, nodes that are killed, frozen and restarted under it, and what the
 * clients saw of that.
 */
import { ReceiptsWriter } from "../../cli/audit/receipts_file.ts";
import { ClusterOfProcesses } from "../../tests/cluster/cluster_of_processes.ts";
import { nodeNames } from "../cluster.ts";
import { auditReceipts } from "../receipts_audit.ts";
import { Load } from "./load.ts";
import { type FaultKind, strike, wholeAgain } from "./schedule.ts";
import { type Bin, type EventReport, Timeline } from "./timeline.ts";

/** What is measured. */
export interface AvailabilityOptions {
  nodes: number;
  /** messages due a second */
  rate: number;
  faults: readonly FaultKind[];
  /** how long a fault lasts, and how long the load goes on after its repair, s */
  everySeconds: number;
  actors: number;
  clients: number;
  messageBytes: number;
  /** talk about what is going on */
  talk: (text: string) => void;
}

/** What came of it. */
export interface AvailabilityResult {
  bins: Bin[];
  reports: EventReport[];
  recorded: number;
  failed: number;
  /** why messages were given up, with how many */
  failures: Record<string, number>;
  /** every receipt was proven by the copies; null: no */
  notProven: string | null;
  seconds: number;
}

const BIN_MS = 500;
/** What a client is patient for: our client's default. */
const DEADLINE_MS = 15_000;
/** What a cluster on a busy machine may take to make all copies whole again. */
const WHOLE_MS_MAX = 60_000;
/** What compilers have not seen yet is slow, and that is not the question here. */
const WARM_UP_MS = 8000;

/** Runs it. Nothing of it is left running afterwards. */
export async function measureAvailability(options: AvailabilityOptions): Promise<AvailabilityResult> {
  const { nodes, faults, everySeconds, talk } = options;
  const names = nodeNames(nodes);
  const receiptsFile = await Deno.makeTempFile({ prefix: "waterpark-receipts-" });
  talk(`starting ${nodes} nodes`);
  await using cluster = await ClusterOfProcesses.start({ names });
  try {
    const urls = cluster.nodes.map(({ http }) => http);
    const receipts = new ReceiptsWriter(receiptsFile, { clusterId: (await cluster.client().topology()).clusterId });
    talk("warming up");
    const warmUp = new Load({ ...options, urls, deadlineMs: DEADLINE_MS }, new Timeline(BIN_MS), () => {});
    await pause(WARM_UP_MS);
    await warmUp.stop();
    const timeline = new Timeline(BIN_MS);
    const load = new Load({ ...options, urls, deadlineMs: DEADLINE_MS }, timeline, (receipt) => receipts.take(receipt));
    const tell = (what: string, isFault: boolean) => {
      talk(what);
      timeline.happened({ atMs: load.nowMs, what, isFault });
    };
    await pause(everySeconds * 1000);
    for (const [i, kind] of faults.entries()) {
      // not the first node, which the others know from their start: any other must do as well
      const victim = names[1 + i % (names.length - 1)];
      const repair = await strike(cluster, { kind, victim, tell });
      await pause(everySeconds * 1000);
      await repair();
      const tookMs = await wholeAgain(cluster, WHOLE_MS_MAX);
      talk(tookMs === null ? "copies are still missing" : `whole again after ${(tookMs / 1000).toFixed(1)} s`);
      await pause(everySeconds * 1000);
    }
    await load.stop();
    const seconds = load.nowMs / 1000;
    receipts.close();
    talk(`${timeline.recorded} receipts: asking the copies`);
    const notProven = await auditReceipts(urls, receiptsFile, () => {}).then(
      () => null,
      (error: Error) => error.message,
    );
    return {
      bins: timeline.bins(),
      reports: timeline.reports(),
      recorded: timeline.recorded,
      failed: timeline.failed,
      failures: Object.fromEntries(load.failures),
      notProven,
      seconds,
    };
  } finally {
    await Deno.remove(receiptsFile);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
