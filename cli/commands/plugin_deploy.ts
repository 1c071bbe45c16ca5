import { CANARY_ARGS, canaryOf, requireCanary } from "../canary_args.ts";
import { command } from "../command.ts";
import { bundlePlugin, stopBundler } from "../../runtime/plugin_host/mod.ts";

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
  },
  examples: [
    "plugin deploy plugins/patient/mod.ts",
    "plugin deploy https://example.org/census.ts --stage dark",
    "plugin deploy npm:@hospital/census@1.2.3",
    "plugin deploy census.ts --stage canary --percent 5 --actor HOSPX/1001",
  ],
  async run({ values, client, out }) {
    requireCanary(values.stage, values);
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
        stage: values.stage,
        ...canaryOf(values),
      });
      if (out.isJson) return out.json(view);
      out.talk(`${bytes.length} bytes, SHA-256 ${hash}`);
      out.data(`${out.paint("green", "deployed")} ${view.name} version ${view.version} (${view.stage})`);
    } finally {
      await stopBundler();
    }
  },
});
