import type { PluginView, WaterparkClient } from "../../client.ts";
import { bundlePlugin, stopBundler } from "../../runtime/plugin_host/mod.ts";

/** Bundles the plugin at `url` and has the cluster run it, as `waterpark plugin deploy` does. */
export async function deployPlugin(client: WaterparkClient, url: string | URL): Promise<PluginView> {
  try {
    const { name, kind, actorKind, hash, bytes } = await bundlePlugin(url);
    return await client.deploy({ name, kind, actorKind, hash, bundle: bytes, url: String(url).slice(0, 400) });
  } finally {
    await stopBundler();
  }
}
