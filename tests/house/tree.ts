/**
 * The tree as the house rules see it: its files, who imports whom, and which of them are the product (reached from the
 * package's doors, the command line, the built-in plugins or a process's main module) and which only serve tests.
 */

/** A source file. */
export interface SourceFile {
  /** from the root, `runtime/base/mod.ts` */
  path: string;
  text: string;
  /** false: only tests reach it */
  isProduct: boolean;
  /** what it imports: paths from the root, or `npm:package` */
  imports: string[];
}

const ROOT = new URL("../../", import.meta.url);
const FOLDERS = ["runtime", "cli", "client", "testing", "plugins", "tests", "bench"];
const DOORS = ["mod.ts", "client.ts", "testing.ts"];

/** All source files of the project. */
export async function readTree(): Promise<SourceFile[]> {
  const paths = (await Promise.all(FOLDERS.map((folder) => listTs(folder)))).flat();
  for (const door of DOORS) if (await exists(door)) paths.push(door);
  const graph = await moduleGraph(paths);
  const reached = reachable(graph, paths.filter(isEntry));
  return await Promise.all(
    paths.sort().map(async (path) => ({
      path,
      text: await readText(path) ?? "",
      isProduct: reached.has(path),
      imports: graph.get(path) ?? [],
    })),
  );
}

/** A file's text; null where there is none. */
export function readText(path: string): Promise<string | null> {
  return Deno.readTextFile(new URL(path, ROOT)).catch(() => null);
}

/** Whether there is something at this path from the root. */
export function exists(path: string): Promise<boolean> {
  return Deno.stat(new URL(path, ROOT)).then(() => true, () => false);
}

/** The room or folder that a path belongs to: `runtime/base`, `cli`, `` for the root. */
export function folderOf(path: string): string {
  const parts = path.split("/");
  return parts[0] === "runtime" ? parts.slice(0, 2).join("/") : parts.length === 1 ? "" : parts[0];
}

function isEntry(path: string): boolean {
  return DOORS.includes(path) || /^cli\/.*(?<!_test)\.ts$/.test(path) || /^plugins\/[^/]+\/mod\.ts$/.test(path) ||
    /^runtime\/.*_main\.ts$/.test(path) || /^runtime\/[^/]+\/mod\.ts$/.test(path);
}

function reachable(graph: Map<string, string[]>, roots: string[]): Set<string> {
  const reached = new Set<string>();
  const visit = (path: string) => {
    if (reached.has(path)) return;
    reached.add(path);
    for (const next of graph.get(path) ?? []) visit(next);
  };
  roots.forEach(visit);
  return reached;
}

async function listTs(folder: string): Promise<string[]> {
  if (!await exists(folder)) return [];
  const found: string[] = [];
  for await (const entry of Deno.readDir(new URL(folder, ROOT))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) found.push(...await listTs(path));
    else if (entry.name.endsWith(".ts")) found.push(path);
  }
  return found;
}

interface GraphJson {
  modules: {
    specifier: string;
    dependencies?: { code?: { specifier?: string }; type?: { specifier?: string } }[];
  }[];
}

/** One module that imports all of them, so that Deno is asked once. */
async function moduleGraph(paths: string[]): Promise<Map<string, string[]>> {
  const entry = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(
      entry,
      paths.map((path) => `import ${JSON.stringify(new URL(path, ROOT).href)};`).join("\n"),
    );
    const command = new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", "--no-lock", "--config", new URL("deno.json", ROOT).pathname, entry],
      stderr: "inherit",
    });
    const { stdout } = await command.output();
    const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as GraphJson;
    return new Map(modules.map(({ specifier, dependencies = [] }) => [
      pathOf(specifier),
      [...new Set(dependencies.map(({ code, type }) => pathOf(code?.specifier ?? type?.specifier ?? "")))],
    ]));
  } finally {
    await Deno.remove(entry);
  }
}

function pathOf(specifier: string): string {
  if (specifier.startsWith(ROOT.href)) return specifier.slice(ROOT.href.length);
  const npm = /^npm:\/?((?:@[^/]+\/)?[^@/]+)/.exec(specifier);
  return npm === null ? specifier : `npm:${npm[1]}`;
}
