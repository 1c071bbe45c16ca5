/**
 * A sink or source as a node runs it: bundled to one module, in a process that has the permissions that it declares and no
 * others, no packages and no network beyond. Requests go to it and answers come back as lines of JSON.
 */
import { inlineFiles } from "../../runtime/plugin_host/inlined_files.ts";

const ROOT = new URL("../../", import.meta.url);

/** What a plugin declares. */
export interface PluginAbout {
  name: string;
  permissions: Record<string, string[]>;
  batchMax?: number;
  limits?: { openMax?: number };
}

/** A plugin's process. */
export class PluginProcess {
  readonly about: PluginAbout;
  readonly #child: Deno.ChildProcess;
  readonly #folder: string;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;

  private constructor(child: Deno.ChildProcess, about: PluginAbout, folder: string) {
    this.#child = child;
    this.#folder = folder;
    this.#writer = child.stdin.getWriter();
    this.about = about;
  }

  /**
   * Bundles and starts a plugin.
   *
   * @param text of the plugin's module
   * @param runner module in this folder whose `serve` runs it
   * @param env environment variables that the process has; it may read those that the plugin declares
   */
  static async start(text: string, runner: string, env: Record<string, string> = {}): Promise<PluginProcess> {
    const folder = await Deno.makeTempDir({ prefix: "waterpark-plugin-" });
    await Deno.writeTextFile(`${folder}/plugin.ts`, text);
    await bundle(`${folder}/plugin.ts`, `${folder}/plugin.js`);
    await bundle(new URL(runner, import.meta.url).pathname, `${folder}/runner.js`);
    const main = `import plugin from "./plugin.js";\nimport { serve } from "./runner.js";\nawait serve(plugin);\n`;
    await Deno.writeTextFile(`${folder}/main.js`, main);
    // what it may do is read off the bundle itself, with no permission at all
    const walls = ["run", "--no-prompt", "--no-remote", "--no-npm", "--no-config"];
    const about = JSON.parse(await output([...walls, `${folder}/main.js`, "about"])) as PluginAbout;
    const allowed = Object.entries(about.permissions).filter(([, names]) => names.length > 0)
      .map(([what, names]) => `--allow-${what}=${names.join(",")}`);
    const child = new Deno.Command(Deno.execPath(), {
      args: [...walls, ...allowed, `${folder}/main.js`],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
      env: { NO_COLOR: "1", ...env },
    }).spawn();
    return new PluginProcess(child, about, folder);
  }

  /** Rejects when the process has ended. */
  async write(value: unknown): Promise<void> {
    await this.#writer.write(new TextEncoder().encode(JSON.stringify(value) + "\n"));
  }

  /** What it says, until it ends; what is no JSON is shown. */
  async *lines(): AsyncGenerator<Record<string, unknown>> {
    let rest = "";
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        if (line.startsWith("{")) yield JSON.parse(line);
        else console.log(`plugin: ${line}`);
      }
    }
  }

  /** SIGKILL, as a node's crash would do to it. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended();
  }

  /** Ends its input, and it. */
  async end(): Promise<void> {
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 5_000);
    await this.#writer.close().catch(() => {});
    await this.#ended();
    clearTimeout(timer);
  }

  async #ended(): Promise<void> {
    await this.#child.status;
    await Deno.remove(this.#folder, { recursive: true }).catch(() => {});
  }
}

async function bundle(from: string, to: string): Promise<void> {
  const imports: Record<string, string> = {
    "@waterpark/waterpark": new URL("runtime/plugin_host/plugin_door.ts", ROOT).href,
  };
  for (const kind of ["sinks", "sources"]) {
    for await (const { name } of Deno.readDir(new URL(`plugins/${kind}`, ROOT))) {
      imports[`@waterpark/waterpark/${kind}/${name.replace(".ts", "")}`] =
        new URL(`plugins/${kind}/${name}`, ROOT).href;
    }
  }
  const map = `${to}.imports.json`;
  await Deno.writeTextFile(map, JSON.stringify({ imports }));
  // with --config instead, the package's own name would win over the map, and draw the whole package in
  const plain = ["--quiet", "--no-lock", "--no-config", "--import-map", map, "--platform", "deno", "--format", "esm"];
  await output(["bundle", ...plain, "-o", to, from]);
  const read = (file: URL) => Deno.readFileSync(file);
  const text = inlineFiles(await Deno.readTextFile(to), { from: new URL(`file://${Deno.cwd()}/`), read });
  await Deno.writeTextFile(to, text);
}

async function output(args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, stdin: "null" }).output();
  if (!success) throw new Error(`deno ${args[0]} failed: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}
