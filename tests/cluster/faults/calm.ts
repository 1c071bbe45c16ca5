/**
 * Nothing is struck, and nobody may be suspected: eight nodes under a load, and how often one is called dead all the same.
 *
 *     deno task calm [--minutes 60] [--rate 300]
 *
 * One line a minute, and one at the end. The exit code is 1 when a writer moved, a request failed or a receipt is not proven.
 */
import { Load } from "../../../bench/availability/load.ts";
import { Timeline } from "../../../bench/availability/timeline.ts";
import { auditReceipts } from "../../../bench/receipts_audit.ts";
import { ReceiptsWriter } from "../../../cli/audit/receipts_file.ts";
import { ClusterOfProcesses } from "../cluster_of_processes.ts";
import { DRILL_NODES, gaugesOf, untilWhole } from "./drills.ts";

const MINUTE_MS = 60_000;
const LOOK_MS = 5000;
/** So many looks without a writer that moves, and the cluster has settled: a node is trusted after 30 s. */
const SETTLED_LOOKS = 8;

/** What the nodes say: times that one suspected another, in sum, and the shards that each writes. */
interface Counts {
  suspicions: number;
  writers: number[];
}

/** What the nodes say once writers stand where placement wants them: after a start the last few still move. */
async function settled(count: () => Promise<Counts>): Promise<Counts> {
  let last = await count();
  for (let calm = 0, look = 0; calm < SETTLED_LOOKS && look < 10 * SETTLED_LOOKS; look++) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    const now = await count();
    calm = writersMoved(last, now) === 0 ? calm + 1 : 0;
    last = now;
  }
  return last;
}

async function main(args: string[]): Promise<number> {
  const option = (name: string) => args.includes(`--${name}`) ? args[args.indexOf(`--${name}`) + 1] : undefined;
  const minutes = Number(option("minutes") ?? 60);
  const rate = Number(option("rate") ?? 300);
  if (!(minutes >= 1) || !(rate > 0)) {
    console.error("Cannot run as --minutes must be 1 or more, and --rate over 0");
    return 2;
  }
  const receiptsFile = await Deno.makeTempFile({ suffix: ".ndjson" });
  await using cluster = await ClusterOfProcesses.start({ names: DRILL_NODES });
  await untilWhole(cluster);
  const urls = cluster.nodes.map(({ http }) => http);
  const count = async (): Promise<Counts> => {
    const gauges = await Promise.all(urls.map(gaugesOf));
    const suspicions = gauges.reduce((sum, of) => sum + of("peers_suspected"), 0);
    return { suspicions, writers: gauges.map((of) => of("shard_writers")) };
  };
  const receipts = new ReceiptsWriter(receiptsFile, { clusterId: (await cluster.client().topology()).clusterId });
  const timeline = new Timeline(MINUTE_MS);
  const load = new Load(
    { rate, clients: 16, actors: 500, messageBytes: 300, urls, deadlineMs: 15_000 },
    timeline,
    (receipt) => receipts.take(receipt),
  );
  const first = await settled(count);
  let last = first;
  let moved = 0;
  for (let look = 1; look <= minutes * (MINUTE_MS / LOOK_MS); look++) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    const now = await count();
    moved += writersMoved(last, now);
    last = now;
    if (look % (MINUTE_MS / LOOK_MS) > 0) continue;
    const suspicions = now.suspicions - first.suspicions;
    console.log(
      `minute ${look / (MINUTE_MS / LOOK_MS)}: ${timeline.recorded} recorded, ${timeline.failed} failed, ` +
        `${suspicions} suspicions, ${moved} writers moved`,
    );
  }
  await load.stop();
  receipts.close();
  await auditReceipts(urls, receiptsFile, (text) => console.log(text));
  const slowestMs = Math.max(...timeline.bins().map(({ maxUs }) => maxUs)) / 1000;
  const p99Ms = Math.max(...timeline.bins().map(({ p99Us }) => p99Us)) / 1000;
  console.log(`p99 of the worst minute ${Math.round(p99Ms)} ms, slowest ${Math.round(slowestMs)} ms`);
  await Deno.remove(receiptsFile);
  return moved === 0 && timeline.failed === 0 ? 0 : 1;
}

/** What one has lost another has won: half the sum of the changes. */
function writersMoved(before: Counts, now: Counts): number {
  return Math.ceil(now.writers.reduce((sum, count, i) => sum + Math.abs(count - before.writers[i]), 0) / 2);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
