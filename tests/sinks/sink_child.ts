/** What runs in a sink's process in these tests: requests come in as lines, answers go out as lines. */
import type { Delivery, SinkConnection, SinkDefinition } from "@waterpark/waterpark";

interface Request {
  call: number;
  deliver?: (Omit<Delivery, "bytes"> & { base64: string })[];
  check?: boolean;
}

/** Serves a sink until its input ends; asked `about`, it says what the sink declares, and ends. */
export async function serve(sink: SinkDefinition): Promise<void> {
  if (Deno.args[0] === "about") {
    const { name, batchMax, permissions = {}, limits } = sink;
    return await say({ name, batchMax, permissions, limits });
  }
  let connection: Promise<SinkConnection> | null = null;
  const answer = async ({ call, deliver, check }: Request) => {
    try {
      connection ??= sink.open();
      const open = await connection.catch((error) => {
        connection = null;
        throw error;
      });
      if (check) return await say({ call, answer: await open.check!() });
      const deliveries = deliver!.map(({ base64, ...rest }) => ({
        ...rest,
        bytes: Uint8Array.fromBase64(base64),
      }));
      await say({ call, answer: await open.deliver(deliveries) });
    } catch (error) {
      await say({ call, error: (error as Error).message });
    }
  };
  let rest = "";
  for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) answer(JSON.parse(line));
  }
  await (await (connection as Promise<SinkConnection> | null)?.catch(() => null))?.close?.();
}

let writing = Promise.resolve();

function say(value: unknown): Promise<void> {
  const bytes = new TextEncoder().encode(JSON.stringify(value) + "\n");
  return writing = writing.then(async () => {
    for (let at = 0; at < bytes.length;) at += await Deno.stdout.write(bytes.subarray(at));
  });
}
