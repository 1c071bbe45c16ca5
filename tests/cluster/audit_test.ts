/**
 * The audit on real processes: what was acknowledged is proven by the copies' own words, with a node dead and a writer
 * gone; and what somebody has falsified in a file of receipts is found, each in its line and nothing else.
 */
import assert from "node:assert/strict";
import type { Receipt } from "../../client.ts";
import { ReceiptsWriter } from "../../cli/audit/receipts_file.ts";
import { waterpark } from "../cli/transcript.ts";
import { type ClusterOfProcesses, withCluster } from "./cluster_of_processes.ts";
import { until } from "./waiting.ts";

const FIVE = ["TN-A-1", "TN-B-1", "TX-A-1", "FL-A-1", "UT-A-1"];
const MESSAGES = 500;

Deno.test("receipts are proven by the copies, with a node dead too; falsified ones are found", async () => {
  const file = await Deno.makeTempFile({ suffix: ".ndjson" });
  try {
    await withCluster({ names: FIVE }, async (cluster) => {
      const client = cluster.client();
      const { clusterId } = await client.topology();
      const writer = new ReceiptsWriter(file, { clusterId });
      const receipts: Receipt[] = [];
      const messages = Array.from({ length: MESSAGES }, (_, i) => ({
        key: { facility: `H${i % 7}`, id: String(i % 40) },
        id: `m${i}`,
        message: { type: "tick", i },
      }));
      for await (const answer of client.sendMany(messages)) {
        assert.equal(answer.state, "recorded");
        if (answer.state !== "recorded") continue;
        receipts.push(answer.receipt);
        writer.take(answer.receipt);
      }
      writer.close();

      const whole = await audited(cluster, file);
      assert.deepEqual([whole.code, whole.summary.states], [0, { proven: MESSAGES }]);
      assert.deepEqual(Object.keys(whole.summary.nodes).sort(), FIVE.toSorted());

      await cluster.kill("TX-A-1");
      await until(10_000, "the others have missed it", async () => {
        const nodes = await cluster.client("UT-A-1").nodes();
        return nodes.find(({ name }) => name === "TX-A-1")?.alive === false || null;
      });
      const after = await audited(cluster, file);
      assert.deepEqual([after.code, after.summary.states], [0, { proven: MESSAGES }], JSON.stringify(after.summary));
      assert.deepEqual([after.summary.nodes["TX-A-1"].unasked, after.summary.nodes["TX-A-1"].holds], [MESSAGES, 0]);
      assert.deepEqual(after.summary.copies, { "4": MESSAGES });

      const falsified: [number, Partial<Receipt> & { clusterId?: string }, string][] = [
        [10, { digest: "0123456789abcdef" }, "differs"],
        [20, { id: "never-sent" }, "lost"],
        [30, { key: "patient/H9/invented", id: "m30" }, "differs"],
        [40, { seq: receipts[40].seq + 1 }, "differs"],
        [50, { clusterId: "another" }, "foreign"],
        [60, { index: receipts[60].index + 100_000, key: undefined, id: undefined }, "lost"],
      ];
      const lines = receipts.map((receipt) => ({ clusterId, ...receipt }) as object);
      for (const [at, change] of falsified) lines[at] = { ...lines[at], ...change };
      await Deno.writeTextFile(file, lines.map((line) => JSON.stringify(line)).join("\n"));
      const found = await audited(cluster, file);
      assert.equal(found.code, 1);
      assert.deepEqual(
        found.findings.map(({ line, state }) => [line, state]),
        falsified.map(([at, , state]) => [at + 1, state]),
      );
      assert.equal(found.summary.states.proven, MESSAGES - falsified.length);

      const compared = await waterpark(["audit", "--deep", "--node", urlsOf(cluster)]);
      assert.equal(compared.code, 0, compared.stdout + compared.stderr);
      assert.match(compared.stdout, /^1024 of 1024 shards agree/m);
      assert.match(compared.stdout, new RegExp(`^They hold ${MESSAGES} messages of `, "m"));
      assert.match(compared.stdout, /all of them give the digests/);
    });
  } finally {
    await Deno.remove(file);
  }
});

interface Audited {
  code: number;
  findings: { line: number; state: string }[];
  // deno-lint-ignore no-explicit-any
  summary: any;
}

/** What `waterpark audit --receipts` says, asked through the living nodes. */
async function audited(cluster: ClusterOfProcesses, file: string): Promise<Audited> {
  const { code, stdout, stderr } = await waterpark(["audit", "--receipts", file, "--json", "--node", urlsOf(cluster)]);
  const values = stdout.trim().split("\n").map((line) => JSON.parse(line));
  assert.ok(values.at(-1)?.summary, stderr);
  return { code, findings: values.slice(0, -1).map(({ finding }) => finding), summary: values.at(-1).summary };
}

function urlsOf(cluster: ClusterOfProcesses): string {
  return cluster.alive.map(({ http }) => http).join(",");
}
