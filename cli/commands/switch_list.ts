import { command } from "../command.ts";

/** `waterpark switch list` */
export const switchList = command({
  description: "lists the switches that handlers see, and who set them",
  args: {},
  examples: ["switch list"],
  async run({ client, out }) {
    const switches = await client.switches();
    if (out.isJson) return switches.forEach((one) => out.json(one));
    out.table(
      ["SWITCH", "IS", "SET", "BY", "TIMES"],
      switches.map(({ name, on, history }) => {
        const last = history.at(-1);
        const at = last === undefined || last.at === 0 ? "-" : new Date(last.at).toISOString();
        return [name, on ? "on" : "off", at, last?.by ?? "-", history.length];
      }),
    );
  },
});
