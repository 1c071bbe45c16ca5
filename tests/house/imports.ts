/**
 * Who may import whom.
 */
import { folderOf, type SourceFile } from "./tree.ts";

/** The rooms by floor, lowest first. */
export const FLOORS: readonly (readonly string[])[] = [
  ["base"],
  ["world", "telemetry"],
  ["topology", "wire"],
  ["transport", "membership", "storage", "journal"],
  ["mailroom", "replication"],
  ["effects"],
  ["actors"],
  ["plugin_host"],
  ["gateway"],
  ["node"],
];

/**
 * Ways in beside the door. The plugin host's process may load no package, and wire's door would draw MessagePack in. Nor
 * should the client, which is to run wherever there is a network.
 */
const SIDE_DOORS: readonly { from: RegExp; to: RegExp }[] = [
  { from: /^runtime\/plugin_host\//, to: /^runtime\/wire\/(bytes|hl7\w*)\.ts$/ },
  {
    from: /^client\//,
    to:
      /^runtime\/(wire\/(client_protocol|post_batch|post_batch_writer|answer_batch|websocket_client|websocket_frames)|topology\/shard)\.ts$/,
  },
];

/** Above all rooms. */
const ROOF = ["", "cli", "client", "testing", "plugins", "bench"];

/** Rooms import from floors below only; nothing in a room imports the roof. */
export function floorComplaints(files: SourceFile[]): string[] {
  return product(files).flatMap(({ path, imports }) => {
    const own = floorOf(path);
    if (own === undefined) return folderOf(path).startsWith("runtime/") ? [`${path}: its room is on no floor`] : [];
    return imports.filter((to) => folderOf(to) !== folderOf(path))
      .filter((to) => isInTree(to) && !((floorOf(to) ?? Infinity) < own))
      .map((to) => `${path} imports ${to}, which is not on a floor below`);
  });
}

/** Another room is entered through its door. */
export function doorComplaints(files: SourceFile[]): string[] {
  return product(files).flatMap(({ path, imports }) =>
    imports.filter((to) => to.startsWith("runtime/") && folderOf(to) !== folderOf(path))
      .filter((to) => !/^[^/]+\/[^/]+\/mod\.ts$/.test(to))
      .filter((to) => !SIDE_DOORS.some((side) => side.from.test(path) && side.to.test(to)))
      .map((to) => `${path} imports ${to}, past the door of ${folderOf(to)}`)
  );
}

/** Plugins are the examples: they import what a user's would, the package's door and their own files. */
export function pluginComplaints(files: SourceFile[]): string[] {
  return product(files).filter(({ path }) => path.startsWith("plugins/")).flatMap(({ path, imports }) => {
    const own = path.split("/").slice(0, 2).join("/") + "/";
    return imports.filter((to) => to !== "mod.ts" && !to.startsWith(own)).map((to) => `${path} imports ${to}`);
  });
}

/** A dependency has one importer, behind which it could be replaced. */
export function dependencyComplaints(files: SourceFile[]): string[] {
  const importers = new Map<string, Set<string>>();
  for (const { path, imports } of product(files)) {
    for (const to of imports.filter((to) => to.startsWith("npm:"))) {
      importers.set(to, (importers.get(to) ?? new Set()).add(folderOf(path)));
    }
  }
  return [...importers].filter(([, folders]) => folders.size > 1)
    .map(([name, folders]) => `${name} is imported by ${[...folders].sort().join(" and ")}: one is enough`);
}

function product(files: SourceFile[]): SourceFile[] {
  return files.filter((file) => file.isProduct);
}

function isInTree(path: string): boolean {
  return !/^\w+:/.test(path) && (path.startsWith("runtime/") || ROOF.includes(folderOf(path)));
}

function floorOf(path: string): number | undefined {
  const [first, room] = path.split("/");
  const floor = first === "runtime" ? FLOORS.findIndex((rooms) => rooms.includes(room)) : -1;
  return floor < 0 ? undefined : floor;
}
