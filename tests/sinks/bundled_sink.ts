/**
 * A sink in a process of its own. What stands in for the node here keeps its contract: of an actor's deliveries one at a
 * time, each again until it is done or dead.
 */
import type { Delivery, DeliveryEnd } from "@waterpark/waterpark";
import { type PluginAbout, PluginProcess } from "./plugin_process.ts";

/**
 * Bundles and starts a sink.
 *
 * @param factory module under plugins/sinks/ and its factory, as `http httpSink`
 * @param options what the factory is given; plain data
 * @param env environment variables that the process has; it may read those that the sink declares
 */
export async function startSink(
  factory: `${string} ${string}`,
  options: unknown,
  env: Record<string, string> = {},
): Promise<BundledSink> {
  const [module, name] = factory.split(" ");
  const text = `import { ${name} } from "@waterpark/waterpark/sinks/${module}";
export default ${name}(${JSON.stringify(options)});`;
  return new BundledSink(await PluginProcess.start(text, "./sink_child.ts", env));
}

/** A running sink. */
export class BundledSink implements AsyncDisposable {
  readonly #process: PluginProcess;
  readonly #open = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #calls = 0;

  constructor(process: PluginProcess) {
    this.#process = process;
    this.#read();
  }

  get about(): PluginAbout {
    return this.#process.about;
  }

  deliver(deliveries: readonly Delivery[]): Promise<DeliveryEnd[]> {
    const plain = deliveries.map(({ bytes, ...rest }) => ({ ...rest, base64: bytes.toBase64() }));
    return this.#call({ deliver: plain }) as Promise<DeliveryEnd[]>;
  }

  check(): Promise<string> {
    return this.#call({ check: true }) as Promise<string>;
  }

  kill(): Promise<void> {
    return this.#process.kill();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#process.end();
  }

  #call(request: Record<string, unknown>): Promise<unknown> {
    const call = ++this.#calls;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#open.set(call, { resolve, reject });
    this.#process.write({ call, ...request }).catch(() => reject(new Error("the sink's process has ended")));
    return promise;
  }

  async #read(): Promise<void> {
    for await (const { call, answer, error } of this.#process.lines()) {
      const { resolve, reject } = this.#open.get(call as number)!;
      this.#open.delete(call as number);
      if (error === undefined) resolve(answer);
      else reject(new Error(error as string));
    }
    for (const { reject } of this.#open.values()) reject(new Error("the sink's process has ended"));
  }
}
