/**
 * Faults on real processes for as long as one likes, ending with the audit:
 *
 *     deno task faults [--minutes 10] [--history FILE] [--receipts FILE]
 *
 * One line for every fault: requests, how many failed, the slowest. With `--history` everything that was asked and answered is
 * written for an outside linearizability checker: tests/cluster/README.md. The exit code is 1 when a request failed or a
 * receipt is not proven.
 */
import { auditReceipts } from "../../../bench/receipts_audit.ts";
import { ClusterOfProcesses } from "../cluster_of_processes.ts";
import { drill, DRILL_NODES, DRILLS, untilWhole } from "./drills.ts";
import { HistoryFile } from "./history_file.ts";

async function main(args: string[]): Promise<number> {
  const option = (name: string) => args.includes(`--${name}`) ? args[args.indexOf(`--${name}`) + 1] : undefined;
  const minutes = Number(option("minutes") ?? 10);
  if (!(minutes > 0)) {
    console.error("Cannot run as --minutes must be a number over 0");
    return 2;
  }
  const receipts = option("receipts") ?? await Deno.makeTempFile({ suffix: ".ndjson" });
  const path = option("history");
  const history = path === undefined ? undefined : new HistoryFile(path);
  await using cluster = await ClusterOfProcesses.start({ names: DRILL_NODES });
  await untilWhole(cluster);
  const { clusterId } = await cluster.client().topology();
  const endMs = performance.now() + minutes * 60_000;
  let failed = 0;
  let slowestMs = 0;
  const parts: string[] = [];
  for (let i = 0; performance.now() < endMs; i++) {
    const part = `${receipts}.${i}`;
    parts.push(part);
    const { load, wholeAfterMs } = await drill(cluster, DRILLS[i % DRILLS.length], {
      clusterId,
      receipts: part,
      history,
    });
    failed += load.failed.length;
    slowestMs = Math.max(slowestMs, load.maxMs);
    console.log(
      `${
        DRILLS[i % DRILLS.length].title
      }: ${load.recorded} requests, ${load.failed.length} failed, p99 ${load.p99Ms} ms, ` +
        `slowest ${load.maxMs} ms; whole ${wholeAfterMs} ms after`,
    );
    for (const one of load.failed) console.log(`  failed: ${JSON.stringify(one)}`);
    for (const { url, key, shard, ms } of load.slow) {
      console.log(`  slow: ${Math.round(ms)} ms ${key} ${shard} by ${url}`);
    }
  }
  history?.close();
  for (const part of parts) {
    await Deno.writeFile(receipts, await Deno.readFile(part), { append: true });
    await Deno.remove(part);
  }
  await auditReceipts(cluster.alive.map(({ http }) => http), receipts, (text) => console.log(text));
  console.log(`${parts.length} faults, ${failed} failed requests, longest gap ${slowestMs} ms`);
  return failed === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
