import type { PlanView, WhatIfChange } from "../../client.ts";
import { command } from "../command.ts";
import { MisuseError } from "../errors.ts";
import type { Output } from "../output.ts";
import { shardRanges } from "../shard_ranges.ts";

/** Ranges of shards that are shown of each sort. */
const SHARDS_SHOWN_MAX = 300;

/** `waterpark topology plan` */
export const topologyPlan = command({
  description: "says what would be if nodes were lost, removed or added: who moves, what it costs; changes nothing",
  args: {
    lose: {
      type: "string",
      multiple: true,
      metavar: "WHAT,...",
      description: "node, zone or data center: TN-B-2, TN-B, TN",
    },
    remove: { type: "string", multiple: true, metavar: "NODE,...", description: "nodes taken out for good" },
    add: { type: "string", multiple: true, metavar: "NODE,...", description: "new nodes that join" },
  },
  examples: [
    "topology plan --lose TN",
    "topology plan --remove TN-B-2 --add TN-B-3",
    "topology plan --add TN-A-5 --json",
  ],
  async run({ values, client, out }) {
    const changes = [
      ...changesOf("lose", values.lose),
      ...changesOf("remove", values.remove),
      ...changesOf("add", values.add),
    ];
    if (changes.length === 0) {
      throw new MisuseError(
        "Cannot plan nothing as there must be a change: --lose, --remove or --add",
        "waterpark topology plan --lose TN",
      );
    }
    const plan = await client.plan(changes);
    if (out.isJson) out.json(plan);
    else printPlan(plan, changes, out);
  },
});

function changesOf(type: WhatIfChange["type"], given: string | string[] | undefined): WhatIfChange[] {
  const names = [given ?? []].flat().flatMap((text) => text.split(",")).map((text) => text.trim());
  return names.filter((what) => what !== "").map((what) => ({ type, what }));
}

function printPlan(plan: PlanView, changes: readonly WhatIfChange[], out: Output): void {
  out.table(
    ["NODE", "", "WRITES", "THEN", "HOLDS", "THEN", "IS GIVEN", "BYTES"],
    plan.nodes.map(({ name, change, status, before, after, gains, gainsBytes }) => [
      name,
      change ?? (status === "up" ? "" : status ?? ""),
      before.writers,
      after.writers,
      before.copies,
      after.copies,
      gains,
      bytesText(gainsBytes, plan.bytesKnown),
    ]),
  );
  const { total, atOnce, ack } = plan;
  out.data("");
  out.data(
    `moves: ${total.shards} shards change, ${total.copies} copies are made ` +
      `(${bytesText(total.bytes, plan.bytesKnown)}), ${total.writers} writers change`,
  );
  if (changes.every(({ type }) => type === "add")) return;
  out.data(`at once: ${atOnce.writable} shards go on`);
  const sorts = [
    [
      atOnce.waiting,
      `take messages, but give no receipt before copies are replaced (${ack.copies} copies in ` +
      `${ack.dataCenters} data centers are asked for)`,
    ],
    [atOnce.standing, "stand still: a majority of their members is gone"],
    [atOnce.belowThree, "have fewer than 3 copies until they are replaced"],
  ] as const;
  for (const [shards, text] of sorts) {
    if (shards.length > 0) out.data(`         ${shards.length} ${text}: ${cut(shardRanges(shards))}`);
  }
}

function cut(text: string): string {
  return text.length <= SHARDS_SHOWN_MAX ? text : `${text.slice(0, SHARDS_SHOWN_MAX)} ...`;
}

function bytesText(bytes: number, areKnown: boolean): string {
  const units = ["bytes", "KB", "MB", "GB", "TB"];
  let unit = 0;
  let value = bytes;
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  const text = `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
  return areKnown ? text : `at least ${text}`;
}
