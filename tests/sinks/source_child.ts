/** What runs in a source's process in these tests: what it asks of the node goes out as lines, answers come in as lines. */
import type { SourceDefinition } from "@waterpark/waterpark";

/** Runs a source until its input ends; asked `about`, it says what the source declares, and ends. */
export async function serve(source: SourceDefinition): Promise<void> {
  if (Deno.args[0] === "about") return await say({ name: source.name, permissions: source.permissions ?? {} });
  const ending = new AbortController();
  const open = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  let calls = 0;
  const ask = (request: Record<string, unknown>) => {
    const call = ++calls;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    open.set(call, { resolve, reject });
    say({ call, ...request });
    return promise;
  };
  const running = source.run({
    signal: ending.signal,
    send: (key, { body, ...message }) => {
      const bytes = body instanceof Uint8Array ? body : new TextEncoder().encode(JSON.stringify(body));
      return ask({ send: { key, ...message, base64: bytes.toBase64() } }) as ReturnType<
        Parameters<SourceDefinition["run"]>[0]["send"]
      >;
    },
    cursor: () => ask({ cursor: true }),
    keep: async (cursor) => void await ask({ keep: cursor }),
  }).catch((error) => say({ failed: String(error?.message ?? error) }));
  let rest = "";
  for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      const { call, answer, error } = JSON.parse(line);
      const { resolve, reject } = open.get(call)!;
      open.delete(call);
      if (error === undefined) resolve(answer);
      else reject(Object.assign(new Error(error.code), error));
    }
  }
  ending.abort();
  for (const { reject } of open.values()) reject(new Error("the node has ended"));
  await running;
  Deno.exit(0);
}

let writing = Promise.resolve();

function say(value: unknown): Promise<void> {
  const bytes = new TextEncoder().encode(JSON.stringify(value) + "\n");
  return writing = writing.then(async () => {
    for (let at = 0; at < bytes.length;) at += await Deno.stdout.write(bytes.subarray(at));
  });
}
