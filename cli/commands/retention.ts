import { command } from "../command.ts";
import { MisuseError } from "../errors.ts";

/** `waterpark retention list` */
export const retentionList = command({
  description: "for how long histories are kept after their last message; what is not listed is kept for ever",
  args: {},
  examples: ["retention list"],
  async run({ client, out }) {
    const kinds = await client.retention();
    if (out.isJson) return kinds.forEach((one) => out.json(one));
    out.table(
      ["KIND", "KEPT", "SET"],
      kinds.map(({ kind, days, isDefault }) => [kind, kept(days), isDefault ? "by nobody" : "by an operator"]),
    );
  },
});

/** `waterpark retention set` */
export const retentionSet = command({
  description: "how long after its last message an actor of a kind retires, with its history; 30 days or more",
  args: {
    kind: { type: "positional", description: "kind of actors" },
    days: { type: "positional", description: 'days, "forever", or "usual"' },
  },
  examples: ["retention set order 365", "retention set dead_letter forever", "retention set order usual"],
  async run({ values, client, out }) {
    const { kind, days } = values;
    const number = Number(days);
    if (days !== "forever" && days !== "usual" && !(Number.isInteger(number) && number > 0)) {
      throw new MisuseError(
        `Cannot keep "${kind}" for "${days}" as it must be a number of days, forever, or usual`,
        `waterpark retention set ${kind} 365`,
      );
    }
    const view = await client.setRetention(kind, days === "forever" ? null : days === "usual" ? undefined : number);
    if (out.isJson) out.json(view);
    else out.data(`${view.kind} is kept ${kept(view.days)}`);
  },
});

function kept(days: number | null): string {
  return days === null ? "for ever" : `${days} days`;
}
