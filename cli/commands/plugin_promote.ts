import { CANARY_ARGS, canaryOf, requireCanary } from "../canary_args.ts";
import { command } from "../command.ts";

/** `waterpark plugin promote` */
export const pluginPromote = command({
  description: "has a version decide: for a part of the actors, or for all",
  args: {
    name: { type: "positional", description: "plugin" },
    version: { type: "number", metavar: "N", description: "which; the newest that was not taken back" },
    stage: { type: "enum", choices: ["live", "canary"], default: "live", description: "for all, or for a part" },
    ...CANARY_ARGS,
    "accept-diff": { type: "boolean", default: false, description: "its effects are others, as they should be" },
  },
  examples: ["plugin promote census", "plugin promote census --stage canary --percent 25 --accept-diff"],
  async run({ values, client, out }) {
    requireCanary(values.stage, values);
    const { version, stage } = values;
    const view = await client.promotePlugin(values.name, {
      ...version === undefined ? {} : { version },
      stage,
      ...canaryOf(values),
      acceptDiff: values["accept-diff"],
    });
    if (out.isJson) out.json(view);
    else out.data(`${out.paint("green", "promoted")} ${view.name} version ${view.version} (${view.stage})`);
  },
});
