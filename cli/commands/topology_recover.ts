import type { CopyView, WaterparkClient } from "../../client.ts";
import { command } from "../command.ts";
import { MisuseError } from "../errors.ts";
import type { Output } from "../output.ts";
import { shardRanges } from "../shard_ranges.ts";

/** `waterpark topology recover` */
export const topologyRecover = command({
  description: "lets a shard that has lost the majority of its copies go on from one survivor",
  args: {
    shard: { type: "positional", required: false, description: "shard, S05/017 or SYS/000; or all that stand still" },
    "from-journals": {
      type: "boolean",
      default: false,
      description: "after all processes have died, go on from the journals that are there",
    },
    "accept-data-loss": { type: "boolean", default: false, description: "what only the lost copies had is lost" },
    survivor: { type: "string", metavar: "NODE", description: "whose copy counts; left out, the furthest" },
    force: { type: "boolean", default: false, description: "although a majority seems to be there" },
  },
  examples: [
    "topology recover S05/017 --accept-data-loss",
    "topology recover --from-journals --accept-data-loss",
    "topology recover SYS/000 --accept-data-loss --survivor TN-A-1",
  ],
  async run({ values, client, out }) {
    if (values["from-journals"]) return await recoverFromJournals(client, values["accept-data-loss"], out);
    if (values.shard === undefined) {
      throw new MisuseError("Cannot recover as it must be said what: a shard, all, or --from-journals");
    }
    if (!values["accept-data-loss"]) {
      if (values.shard === "all") showAll(await client.standingShards(), out);
      else await show(client, values.shard, out);
      throw new MisuseError(
        `Cannot recover ${values.shard} as it must be said that data may be lost`,
        `waterpark topology recover ${values.shard} --accept-data-loss`,
      );
    }
    if (values.shard === "all") return await recoverAll(client, out);
    const done = await client.recoverShard(values.shard, { survivor: values.survivor, force: values.force });
    if (out.isJson) return out.json(done);
    out.data(
      `${done.shard} goes on from ${done.survivor} in generation ${done.generation}, with ${done.lastIndex} entries`,
    );
    if (done.unreachable.length > 0) {
      out.talk(`lost, unless they come back: the copies of ${done.unreachable.join(", ")}`);
      out.talk("what comes back: waterpark lost list");
    }
  },
});

async function recoverFromJournals(client: WaterparkClient, acceptDataLoss: boolean, out: Output): Promise<void> {
  if (!acceptDataLoss) {
    throw new MisuseError(
      "Cannot recover from the journals that are there as it must be said that data may be lost",
      "waterpark topology recover --from-journals --accept-data-loss",
    );
  }
  const { shards } = await client.recoverFromJournals();
  if (out.isJson) return out.json({ recovered: shards });
  out.data(`${shards.length} shards go on from the journals that are there`);
  if (shards.includes("SYS/000")) {
    out.talk("the topology is back; when the nodes have joined, say it again for the rest");
  }
}

/** Shards recovered at the same time: each is a command to the topology. */
const AT_ONCE = 16;

async function recoverAll(client: WaterparkClient, out: Output): Promise<void> {
  const standing = await client.standingShards();
  if (standing.includes("SYS/000")) {
    // Nothing else can be recovered before the topology can change.
    const { survivor } = await client.recoverShard("SYS/000");
    out.talk(`SYS/000 goes on from ${survivor}`);
  }
  const rest = standing.filter((shard) => shard !== "SYS/000");
  let recovered = standing.length - rest.length;
  for (let at = 0; at < rest.length; at += AT_ONCE) {
    recovered += (await Promise.all(rest.slice(at, at + AT_ONCE).map((shard) => client.recoverShard(shard)))).length;
  }
  if (out.isJson) out.json({ recovered: standing });
  else out.data(`${recovered} shards go on from what is left of them`);
  if (recovered > 0) out.talk("what comes back of the rest: waterpark lost list");
}

function showAll(standing: readonly string[], out: Output): void {
  out.talk(
    standing.length === 0 ? "no shard stands still" : `${standing.length} stand still: ${shardRanges(standing)}`,
  );
}

async function show(client: WaterparkClient, shard: string, out: Output): Promise<void> {
  for (const { node, answers, copy } of (await client.shard(shard)).copies) {
    out.talk(`${node.padEnd(10)} ${answers ? stateOf(copy) : "does not answer"}`);
  }
}

function stateOf(copy: CopyView["copy"]): string {
  if (copy === null) return "has no copy";
  const { lastIndex, commit, term, generation, standsStill } = copy;
  const still = standsStill ? ", stands still" : "";
  return `entries ${lastIndex}, committed ${commit}, term ${term}, generation ${generation}${still}`;
}
