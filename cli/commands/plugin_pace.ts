import { command } from "../command.ts";
import { MisuseError } from "../errors.ts";

/** `waterpark plugin pace` */
export const pluginPace = command({
  description: "how long a version must have decided for a part before it may decide everywhere; 0: no such time",
  args: { minutes: { type: "positional", description: "minutes" } },
  examples: ["plugin pace 60", "plugin pace 0"],
  async run({ values, client, out }) {
    const minutes = Number(values.minutes);
    if (values.minutes.trim() === "" || !Number.isFinite(minutes) || minutes < 0 || minutes > 43_200) {
      throw new MisuseError(`Cannot set the pace to "${values.minutes}" as it must be minutes, 0 to 43200`);
    }
    await client.setPluginPace(Math.round(minutes * 60_000));
    if (out.isJson) out.json({ minutes });
    else out.data(minutes === 0 ? "a version may decide everywhere at once" : `everywhere after ${minutes} minutes`);
  },
});
