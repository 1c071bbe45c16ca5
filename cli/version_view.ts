/**
 * An actor as stored versions of a plugin see it, one or two side by side.
 */
import type { ActorView, WaterparkClient } from "../client.ts";
import { keyOf } from "./actor_key.ts";
import { MisuseError } from "./errors.ts";
import type { Output } from "./output.ts";

/** What the flags say. */
export interface VersionValues {
  key: string;
  at?: number;
  plugin?: string;
  "plugin-version": number;
  against?: number;
}

/** Shows it. */
export async function showVersions(
  values: VersionValues,
  { client, out }: { client: WaterparkClient; out: Output },
): Promise<void> {
  const { key, at, against } = values;
  const plugin = values.plugin ?? await onlyPlugin(client);
  const versions = [values["plugin-version"], ...against === undefined ? [] : [against]];
  const views = await Promise.all(
    versions.map((version) => client.read(keyOf(key), { at, version: `${plugin}@${version}` })),
  );
  if (out.isJson) return out.json(jsonOf(plugin, versions, views));
  out.data(`${out.paint("bold", views[0].key)}  seq ${views[0].seq}`);
  const texts = views.map(({ projections }) => (JSON.stringify(projections[plugin], null, 2) ?? "-").split("\n"));
  for (const [i, { parked }] of views.entries()) {
    for (const { seq, code } of Object.values(parked)) {
      out.data(out.paint("red", `  version ${versions[i]} stands still at seq ${seq}: ${code}`));
    }
  }
  if (texts.length === 1) {
    out.data(out.paint("cyan", `${plugin} version ${versions[0]}`));
    return out.data(texts[0].join("\n"));
  }
  const rows = Array.from(
    { length: Math.max(...texts.map((lines) => lines.length)) },
    (_, i) => [texts[0][i] === texts[1][i] ? " " : "*", texts[0][i] ?? "", texts[1][i] ?? ""],
  );
  out.table(["", ...versions.map((version) => `VERSION ${version}`)], rows);
}

function jsonOf(plugin: string, versions: readonly number[], views: readonly ActorView[]): unknown {
  const { key, seq } = views[0];
  return { key, seq, plugin, versions: views.map((view, i) => ({ version: versions[i], ...of(view, plugin) })) };
}

function of({ projections, parked }: ActorView, plugin: string): { projections: unknown; parked: unknown } {
  return { projections: projections[plugin], parked: parked[plugin] ?? null };
}

async function onlyPlugin(client: WaterparkClient): Promise<string> {
  const plugins = await client.plugins();
  if (plugins.length === 1) return plugins[0].name;
  throw new MisuseError("Cannot tell which plugin is meant as there must be one only", "--plugin NAME");
}
