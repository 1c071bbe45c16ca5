/**
 * What does recording cost, before any network? Appends and lookups in 1,024 small shards, memory of packed histories,
 * and with `--big` ten million events of a million actors.
 *
 *     deno run --allow-read bench/storage_bench.ts [messages, default 500000] [--big]
 */
import { manyShards } from "./storage/many_shards.ts";
import { much } from "./storage/much.ts";
import { Report } from "./storage/report.ts";
import { sealedHistory } from "./storage/sealed_history.ts";

const MESSAGES = Number(Deno.args.find((arg) => !arg.startsWith("--")) ?? 500_000);

if (Deno.args.includes("--big")) much(10_000_000, 1_000_000, new Report());
else {
  manyShards(MESSAGES, new Report(true));
  manyShards(MESSAGES, new Report());
  sealedHistory(new Report());
}
