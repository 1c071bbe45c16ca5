/**
 * A sink as a node runs it: bundled to one module, in a process that has the declared permissions and no others, no
 * packages and no network beyond. What stands in for the node here keeps its contract: of an actor's deliveries one at a
 * time, each again until it is done or dead.
 */
import type { Delivery, DeliveryEnd } from "@waterpark/waterpark";
import { inlineFiles } from "../../runtime/plugin_host/inlined_files.ts";

const ROOT = new URL("../../", import.meta.url);

/** What the process says it is. */
export interface SinkAbout {
  name: string;
  batchMax?: number;
  permissions?: Record<string, string[]>;
  limits?: { openMax?: number };
}

/** A running sink. */
export interface BundledSink extends AsyncDisposable {
  readonly about: SinkAbout;
  /** bytes of the bundle */
  readonly bytes: number;
  deliver(deliveries: readonly Delivery[]): Promise<DeliveryEnd[]>;
  check(): Promise<string>;
  /** SIGKILL, as a node's crash would do to it */
  kill(): Promise<void>;
}

/**
 * Bundles and starts a sink.
 *
 * @param factory module under plugins/sinks/ and its factory, as `http.ts httpSink`
 * @param options what the factory is given; plain data
 * @param env environment variables that the process has; it may read those that the sink declares
 */
export async function startSink(
  factory: `${string}.ts ${string}`,
  options: unknown,
  env: Record<string, string> = {},
): Promise<BundledSink> {
  const [module, name] = factory.split(" ");
  const folder = await Deno.makeTempDir({ prefix: "waterpark-sink-" });
  const plugin = `${folder}/plugin.ts`;
  const from = new URL(`plugins/sinks/${module}`, ROOT).href;
  await Deno.writeTextFile(
    plugin,
    `import { ${name} } from "${from}";\nexport default ${name}(${JSON.stringify(options)});\n`,
  );
  await bundle(plugin, `${folder}/plugin.js`);
  await bundle(new URL("tests/sinks/sink_child.ts", ROOT).pathname, `${folder}/child.js`);
  await Deno.writeTextFile(
    `${folder}/main.js`,
    `import sink from "./plugin.js";\nimport { serve } from "./child.js";\nawait serve(sink);\n`,
  );
  // what it may do is read off the bundle itself, with no permission at all
  const about = JSON.parse(
    await output(["run", "--no-prompt", "--no-remote", "--no-npm", `${folder}/main.js`, "about"]),
  );
  const allowed = Object.entries(about.permissions as Record<string, string[]>)
    .filter(([, names]) => names.length > 0).map(([what, names]) => `--allow-${what}=${names.join(",")}`);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-remote", "--no-npm", "--no-config", ...allowed, `${folder}/main.js`],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
    env: { NO_COLOR: "1", ...env },
  }).spawn();
  const { size } = await Deno.stat(`${folder}/plugin.js`);
  return new SinkProcess(child, { about, bytes: size, folder });
}

class SinkProcess implements BundledSink {
  readonly about: SinkAbout;
  readonly bytes: number;
  readonly #child: Deno.ChildProcess;
  readonly #folder: string;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #open = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #calls = 0;

  constructor(child: Deno.ChildProcess, { about, bytes, folder }: { about: SinkAbout; bytes: number; folder: string }) {
    this.#child = child;
    this.#folder = folder;
    this.#writer = child.stdin.getWriter();
    this.about = about;
    this.bytes = bytes;
    this.#read();
  }

  deliver(deliveries: readonly Delivery[]): Promise<DeliveryEnd[]> {
    const plain = deliveries.map(({ bytes, ...rest }) => ({ ...rest, base64: bytes.toBase64() }));
    return this.#call({ deliver: plain }) as Promise<DeliveryEnd[]>;
  }

  check(): Promise<string> {
    return this.#call({ check: true }) as Promise<string>;
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 5_000);
    await this.#writer.close().catch(() => {});
    await this.#end();
    clearTimeout(timer);
  }

  async #end(): Promise<void> {
    await this.#child.status;
    await Deno.remove(this.#folder, { recursive: true }).catch(() => {});
  }

  #call(request: Record<string, unknown>): Promise<unknown> {
    const call = ++this.#calls;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#open.set(call, { resolve, reject });
    this.#writer.write(new TextEncoder().encode(JSON.stringify({ call, ...request }) + "\n"))
      .catch(() => reject(new Error("the sink's process has ended")));
    return promise;
  }

  async #read(): Promise<void> {
    let rest = "";
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        if (!line.startsWith("{")) {
          console.log(`sink: ${line}`);
          continue;
        }
        const { call, answer, error } = JSON.parse(line);
        const { resolve, reject } = this.#open.get(call)!;
        this.#open.delete(call);
        if (error === undefined) resolve(answer);
        else reject(new Error(error));
      }
    }
    for (const { reject } of this.#open.values()) reject(new Error("the sink's process has ended"));
  }
}

async function bundle(from: string, to: string): Promise<void> {
  const map = `${to}.imports.json`;
  const door = new URL("runtime/plugin_host/plugin_door.ts", ROOT).href;
  await Deno.writeTextFile(map, JSON.stringify({ imports: { "@waterpark/waterpark": door } }));
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
