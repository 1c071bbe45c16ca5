import { command } from "../command.ts";
import { MisuseError } from "../errors.ts";

/** `waterpark topology ack` */
export const topologyAck = command({
  description: "says how many copies, in how many data centers, a receipt needs; for the whole cluster",
  args: {
    copies: { type: "number", description: "a majority of the copies at least" },
    "data-centers": { type: "number", description: "that these copies are in at least" },
    force: { type: "boolean", default: false, description: "although losing one data center would stop all receipts" },
  },
  examples: ["topology ack --copies 3 --data-centers 2"],
  async run({ values, client, out }) {
    const { copies, "data-centers": dataCenters } = values;
    if (copies === undefined || dataCenters === undefined) {
      throw new MisuseError(
        "Cannot set the rule as it must have both --copies and --data-centers",
        "waterpark topology ack --copies 3 --data-centers 2",
      );
    }
    await client.setAckRule({ copies, dataCenters, force: values.force });
    if (out.isJson) out.json({ copies, dataCenters });
    else out.data(`a receipt needs ${copies} copies in ${dataCenters} data centers, as far as there are so many`);
  },
});
