import { KEY_ARG, keyOf } from "../actor_key.ts";
import { command } from "../command.ts";
import { MisuseError } from "../errors.ts";
import { showVersions, type VersionValues } from "../version_view.ts";

/** `waterpark actor show` */
export const actorShow = command({
  description: "shows what each plugin keeps of an actor, now or at a past seq",
  args: {
    ...KEY_ARG,
    at: { type: "number", metavar: "SEQ", description: "as it was after this message" },
    plugin: { type: "string", metavar: "NAME", description: "of the versions; left out: the only one there is" },
    "plugin-version": { type: "number", metavar: "N", description: "as that version sees it, whatever its stage" },
    against: { type: "number", metavar: "N", description: "another version beside it" },
    after: { type: "number", metavar: "SEQ", description: "wait until it has got there: a receipt's seq" },
    read: {
      type: "enum",
      choices: ["writer", "fresh", "nearest"],
      default: "writer",
      description: "whom to ask: fresh is linearizable, nearest may be behind",
    },
  },
  examples: [
    "actor show HOSPX/1001",
    "actor show ward/HOSPX/5W --at 12 --json",
    "actor show HOSPX/1001 --plugin-version 3 --against 2",
  ],
  async run({ values, client, out }) {
    if (values["plugin-version"] !== undefined) return await showVersions(values as VersionValues, { client, out });
    if (values.against !== undefined) {
      throw new MisuseError("Cannot use --against as it must be beside another version", "--plugin-version N");
    }
    const view = await client.read(keyOf(values.key), { at: values.at, after: values.after, read: values.read });
    if (out.isJson) return out.json(view);
    const behind = view.behind > 0 ? out.paint("yellow", `  ${view.behind} behind`) : "";
    out.data(`${out.paint("bold", view.key)}  seq ${view.seq}${behind}`);
    out.data(
      `  writer ${view.writer || out.paint("red", "none now")}  followers ${view.followers.join(", ") || "none"}`,
    );
    for (const [plugin, { seq, code, message, version, stack = "" }] of Object.entries(view.parked)) {
      const which = version === undefined ? plugin : `${plugin} version ${version}`;
      out.data(out.paint("red", `  ${which} stands still at seq ${seq}: ${code}: ${message}`));
      for (const frame of stack.split("\n")) if (frame !== "") out.data(out.paint("red", `    ${frame}`));
    }
    for (const [plugin, projection] of Object.entries(view.projections)) {
      out.data(`${out.paint("cyan", plugin)} ${JSON.stringify(projection, null, 2)}`);
    }
  },
});
