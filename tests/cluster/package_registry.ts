/** A registry of npm's form with packages that a test writes down, so that what npm has today does not matter. */

/** A package: its fields in `package.json` beside name and version, and its files. */
export interface TestPackage {
  name: string;
  version: string;
  fields?: Record<string, unknown>;
  files: Record<string, string>;
}

/** The running registry. */
export interface TestRegistry extends AsyncDisposable {
  /** what has Deno ask it */
  readonly environment: Readonly<Record<string, string>>;
}

/** Starts a registry; it ends with what Deno has cached of it. */
export async function startRegistry(packages: readonly TestPackage[]): Promise<TestRegistry> {
  const folder = await Deno.makeTempDir();
  for (const one of packages) await pack(folder, one);
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname, origin } = new URL(request.url);
    const name = decodeURIComponent(pathname.slice(1));
    if (name.endsWith(".tgz")) return new Response(await Deno.readFile(`${folder}/${name}`));
    const found = packages.filter((one) => one.name === name);
    return found.length === 0 ? new Response("{}", { status: 404 }) : Response.json(packument(found, origin));
  });
  const { port } = server.addr;
  return {
    environment: { NPM_CONFIG_REGISTRY: `http://127.0.0.1:${port}/`, NO_PROXY: "127.0.0.1", no_proxy: "127.0.0.1" },
    async [Symbol.asyncDispose]() {
      await server.shutdown();
      await Deno.remove(folder, { recursive: true });
      await Deno.remove(`${await cacheFolder()}/${port}`, { recursive: true }).catch(() => {});
    },
  };
}

async function pack(folder: string, { name, version, fields, files }: TestPackage): Promise<void> {
  const root = `${folder}/${name}`;
  await Deno.mkdir(`${root}/package`, { recursive: true });
  const all = { "package.json": JSON.stringify({ name, version, ...fields }), ...files };
  for (const [file, text] of Object.entries(all)) await Deno.writeTextFile(`${root}/package/${file}`, text);
  const args = ["czf", `${folder}/${name}-${version}.tgz`, "-C", root, "package"];
  const { success } = await new Deno.Command("tar", { args }).output();
  if (!success) throw new Error("Cannot pack the test's packages as there must be tar");
  await Deno.remove(root, { recursive: true });
}

function packument(versions: readonly TestPackage[], origin: string): object {
  const latest = versions[versions.length - 1].version;
  return {
    name: versions[0].name,
    "dist-tags": { latest },
    versions: Object.fromEntries(versions.map(({ name, version, fields }) => [version, {
      name,
      version,
      ...fields,
      dist: { tarball: `${origin}/${name}-${version}.tgz` },
    }])),
  };
}

async function cacheFolder(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  return JSON.parse(new TextDecoder().decode(stdout)).npmCache;
}
