import { command } from "../command.ts";
import { MisuseError } from "../errors.ts";

/** `waterpark switch set` */
export const switchSet = command({
  description: "turns a switch on or off, for all handlers on all nodes",
  args: {
    name: { type: "positional", description: "switch" },
    state: { type: "positional", description: "on or off" },
  },
  examples: ["switch set new-sepsis-score on"],
  async run({ values, client, out }) {
    const { name, state } = values;
    if (state !== "on" && state !== "off") {
      throw new MisuseError(
        `Cannot set "${name}" to "${state}" as a switch must be on or off`,
        `waterpark switch set ${name} on`,
      );
    }
    const view = await client.setSwitch(name, state === "on");
    if (out.isJson) out.json(view);
    else out.data(`${view.name} is ${out.paint("green", view.on ? "on" : "off")}`);
  },
});
