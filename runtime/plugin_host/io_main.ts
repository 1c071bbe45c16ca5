/**
 * The process of a function, a sink or a source: reads frames from stdin, has the plugin do what they ask, writes answers
 * to stdout. Started by `io_process.ts` with the permissions that the plugin declares and no others; everything imported
 * here is a relative file.
 *
 * Unlike a handler's host it has an event loop, and one plugin to itself: what that does to the process it does to itself.
 * When the node dies, stdin ends, and so does this.
 *
 * @module
 */
import { gates } from "../world/mod.ts";
import { FrameCutter, joinFrames } from "./host_protocol.ts";
import { decodeIo, deliveriesOf, encodeIo, IO_FRAME, type IoFrame } from "./io_protocol.ts";
import type {
  DeliveryEnd,
  FunctionDefinition,
  SinkConnection,
  SinkDefinition,
  SourceContext,
  SourceDefinition,
} from "./io_sdk.ts";
import { endsOf } from "./io_ends.ts";

const BODY_BYTES_MAX = 16 * 1024 * 1024;

type Definition = (SinkDefinition | SourceDefinition | FunctionDefinition) & { plugin: string };

let plugin: Definition | null = null;
let opening: Promise<SinkConnection> | null = null;
let stopping = new AbortController();

async function serve(frame: IoFrame): Promise<void> {
  const { kind, call } = frame;
  if (kind === IO_FRAME.told) return told(frame);
  if (kind === IO_FRAME.stop) return stopping.abort();
  try {
    const [value, blobs] = await resultOf(frame);
    write(encodeIo(kind === IO_FRAME.load ? IO_FRAME.loaded : IO_FRAME.answer, call, { value }, blobs));
  } catch (error) {
    const answer = kind === IO_FRAME.load ? IO_FRAME.loaded : IO_FRAME.answer;
    write(encodeIo(answer, call, { code: codeOf(error), text: textOf(error) }));
  }
}

async function resultOf(frame: IoFrame): Promise<[value: unknown, blobs?: Uint8Array[]]> {
  if (frame.kind === IO_FRAME.load) return [await load(frame.blobs[0])];
  if (plugin === null) throw new Error("there is no plugin yet");
  switch (frame.kind) {
    case IO_FRAME.deliver:
      return [await deliver(frame)];
    case IO_FRAME.check:
      return [await (await connection()).check?.() ?? ""];
    case IO_FRAME.fetch:
      return await answerTo(frame);
    case IO_FRAME.run:
      stopping = new AbortController();
      await (plugin as SourceDefinition).run(context(stopping.signal));
      return [null];
    default:
      throw new Error(`there is no frame ${frame.kind}`);
  }
}

async function load(bundle: Uint8Array): Promise<unknown> {
  const url = URL.createObjectURL(new Blob([bundle as Uint8Array<ArrayBuffer>], { type: "text/javascript" }));
  const module = await import(url);
  URL.revokeObjectURL(url);
  const found = module.default;
  if (typeof found !== "object" || found === null || !["sink", "source", "function"].includes(found.plugin)) {
    throw coded("plugin_host/not-a-plugin", "it must export a sink, a source or a function by default");
  }
  plugin = found as Definition;
  const { name, permissions, limits, batchMax, retry, whenDead, runsOn } = found;
  return { plugin: found.plugin, name, permissions, limits, batchMax, retry, whenDead, runsOn };
}

function connection(): Promise<SinkConnection> {
  if (opening === null) {
    const mine = opening = (plugin as SinkDefinition).open();
    // who cannot open is asked again by the next call
    mine.catch(() => opening = opening === mine ? null : opening);
  }
  return opening;
}

async function closed(): Promise<void> {
  try {
    await (await opening)?.close?.();
  } catch {
    // it is of no use any more
  }
}

async function deliver(frame: IoFrame): Promise<DeliveryEnd[]> {
  const deliveries = deliveriesOf(frame);
  try {
    return endsOf(await (await connection()).deliver(deliveries), deliveries.length);
  } catch (error) {
    const end: DeliveryEnd = { state: "retry", code: codeOf(error), text: textOf(error) };
    return deliveries.map(() => end);
  }
}

async function answerTo({ head, blobs }: IoFrame): Promise<[unknown, Uint8Array[]]> {
  const { method, url, headers } = head as { method: string; url: string; headers: [string, string][] };
  const hasBody = method !== "GET" && method !== "HEAD";
  const body = hasBody ? { body: blobs[0] as Uint8Array<ArrayBuffer> } : {};
  const request = new Request(url, { method, headers, ...body });
  const response = await (plugin as FunctionDefinition).fetch(request, {
    send: (key, message) => ask("send", ...messageOf(key, message)) as ReturnType<SourceContext["send"]>,
    read: (key) => ask("read", { key }) as never,
  });
  if (!(response instanceof Response)) throw coded("plugin_host/bad-answer", "fetch must answer with a Response");
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (bytes.length > BODY_BYTES_MAX) {
    throw coded("plugin_host/too-large", `an answer has at most ${BODY_BYTES_MAX} bytes: ${bytes.length}`);
  }
  return [{ status: response.status, headers: [...response.headers] }, [bytes]];
}

function context(signal: AbortSignal): SourceContext {
  return {
    signal,
    send: (key, message) => ask("send", ...messageOf(key, message)) as ReturnType<SourceContext["send"]>,
    cursor: () => ask("cursor", {}),
    keep: async (cursor) => void await ask("keep", { cursor }),
  };
}

function messageOf(key: unknown, message: { body: unknown; contentType?: string }): [unknown, Uint8Array[]] {
  const { body, ...head } = message;
  if (body instanceof Uint8Array) return [{ key, ...head, contentType: head.contentType ?? OCTETS }, [body]];
  if (typeof body === "string") {
    return [{ key, ...head, contentType: head.contentType ?? "text/plain" }, [new TextEncoder().encode(body)]];
  }
  const text = JSON.stringify(body ?? null);
  return [{ key, ...head, contentType: head.contentType ?? "application/json" }, [new TextEncoder().encode(text)]];
}

const OCTETS = "application/octet-stream";

const asked = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
let lastAsk = 0;

function ask(verb: string, value: unknown, blobs: Uint8Array[] = []): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const call = lastAsk = (lastAsk + 1) >>> 0;
    asked.set(call, { resolve, reject });
    write(encodeIo(IO_FRAME.ask, call, { verb, value }, blobs));
  });
}

function told({ call, head }: IoFrame): void {
  const question = asked.get(call);
  asked.delete(call);
  if (head.code === undefined) question?.resolve(head.value);
  else question?.reject(Object.assign(new Error(head.text), { code: head.code, outcome: head.outcome }));
}

function coded(code: string, text: string): Error {
  return Object.assign(new Error(text), { code });
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" && /^[a-z_]+\/[a-z-]+$/.test(code) ? code : "plugin_host/threw";
}

function textOf(error: unknown): string {
  return (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(0, 1_000);
}

// What one turn leads to goes out in one write.
let held: Uint8Array[] = [];

function write(frame: Uint8Array): void {
  held.push(frame);
  if (held.length > 1) return;
  queueMicrotask(() => {
    const bytes = joinFrames(held);
    held = [];
    for (let at = 0; at < bytes.length;) at += gates.stdio.stdout.writeSync(bytes.subarray(at));
  });
}

// A promise that nobody waits for must not end the process, and with it all that is under way.
globalThis.addEventListener("unhandledrejection", (event) => event.preventDefault());

const cutter = new FrameCutter();
for await (const chunk of gates.stdio.stdin.readable) {
  for (const frame of cutter.push(chunk)) void serve(decodeIo(frame));
}
await closed();
gates.process.exit(0);
