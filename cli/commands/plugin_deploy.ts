import { CANARY_ARGS, canaryOf, requireCanary } from "../canary_args.ts";
import { command } from "../command.ts";
import { MisuseError } from "../errors.ts";
import { bundlePlugin, stopBundler } from "../../runtime/plugin_host/mod.ts";

/** Names of a plan's numbers at the command line, and what they are of the plan's. */
const RING: Record<string, [name: string, times: number]> = {
  minutes: ["stepMs", 60_000],
  messages: ["messagesMin", 1],
  actors: ["actorsMin", 1],
  errors: ["errorsMax", 1],
  differences: ["differencesMax", 1],
  latency: ["latencyMax", 1],
};

function ringsOf({ rings, ring }: { rings: boolean; ring?: string }): Record<string, number> | undefined {
  const misuse = (state: string) =>
    new MisuseError(`Cannot use --ring as it must be NAME=N,... beside --rings: ${state}`, "--rings --ring minutes=30");
  if (!rings && ring !== undefined) throw misuse("there is no --rings");
  if (!rings) return undefined;
  const plan: Record<string, number> = {};
  for (const part of (ring ?? "").split(",").filter((text) => text !== "")) {
    const [name, text] = part.split("=");
    const number = Number(text);
    const known = Object.hasOwn(RING, name) ? RING[name] : null;
    if (known === null) throw misuse(`there is no ${name}, but ${Object.keys(RING).join(", ")}`);
    if (text === undefined || text === "" || !Number.isFinite(number) || number < 0) throw misuse(part);
    plan[known[0]] = number * known[1];
  }
  return plan;
}

/** `waterpark plugin deploy` */
export const pluginDeploy = command({
  description: "bundles a plugin and has the whole cluster run it; a new version takes over from the old",
  args: {
    url: { type: "positional", description: "its main module: a file, an http(s) URL, or npm:package@1.2.3" },
    stage: {
      type: "enum",
      choices: ["live", "canary", "dark"],
      default: "live",
      description: "dark is compared only, a canary decides for a part of the actors",
    },
    ...CANARY_ARGS,
    rings: {
      type: "boolean",
      default: false,
      description: "goes by itself from 1 % (or --actor) to a node, zone, data center and all, or back",
    },
    ring: {
      type: "string",
      metavar: "NAME=N,...",
      description: "of --rings: minutes=10, messages=1000, actors=100, errors=0, differences=0, latency=3",
    },
  },
  examples: [
    "plugin deploy plugins/patient/mod.ts",
    "plugin deploy https://example.org/census.ts --stage dark",
    "plugin deploy npm:@hospital/census@1.2.3",
    "plugin deploy census.ts --stage canary --percent 5 --actor HOSPX/1001",
    "plugin deploy census.ts --rings --ring minutes=30,differences=5",
  ],
  async run({ values, client, out }) {
    const stage = values.rings ? "canary" : values.stage;
    requireCanary(stage, values);
    const rings = ringsOf(values);
    try {
      out.progress(`bundling ${values.url}`);
      const { name, kind, actorKind, hash, bytes } = await bundlePlugin(values.url);
      out.progress(`deploying ${name}`);
      const view = await client.deploy({
        name,
        kind,
        actorKind,
        hash,
        url: values.url,
        bundle: bytes,
        stage,
        ...canaryOf(values),
        ...rings === undefined ? {} : { rings },
        // the first ring: one actor where one is named, else one of a hundred
        ...rings !== undefined && values.actor === undefined && values.percent === undefined ? { percent: 1 } : {},
      });
      if (out.isJson) return out.json(view);
      out.talk(`${bytes.length} bytes, SHA-256 ${hash}`);
      out.data(`${out.paint("green", "deployed")} ${view.name} version ${view.version} (${view.stage})`);
    } finally {
      await stopBundler();
    }
  },
});
