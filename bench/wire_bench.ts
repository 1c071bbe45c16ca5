/**
 * What do the ways in cost by themselves? A gateway whose node answers at once in one process, the client in this one:
 * microseconds of CPU per message on each side, and the round trip. No cluster, no replication.
 *
 *     deno run -A bench/wire_bench.ts [--way wire,wire-send,ndjson,http] [--in-flight 1,64,1024] [--seconds 2]
 *                                     [--message-bytes 300] [--profile]
 */
import { parseArgs } from "node:util";
import { connect } from "../client.ts";
import { Child } from "./child.ts";
import { Latencies } from "./latencies.ts";
import { facilityOf, type Message, Messages, nameOf } from "./messages.ts";
import { cpuSeconds } from "./processes.ts";

const SERVER = new URL("wire_bench_server.ts", import.meta.url).pathname;
const WARM_UP_MS = 700;
const ENCODER = new TextEncoder();

type Way = (url: string, inFlight: number, next: () => Message | null, done: (sentMs: number) => void) => Promise<void>;

const WAYS: Record<string, Way> = { wire: byPost, "wire-send": bySend, ndjson: byLines, http: byRequests };

/** Callbacks over the wire. */
async function byPost(url: string, inFlight: number, next: () => Message | null, done: (sentMs: number) => void) {
  using client = connect(url, { wire: "websocket" });
  await new Promise<void>((resolve) => {
    let open = 0;
    const send = () => {
      const message = next();
      if (message === null) return void (open === 0 && resolve());
      open++;
      const sentMs = performance.now();
      client.post(sendingOf(message), (answer) => {
        if (answer.state !== "recorded") throw answer.error;
        open--;
        done(sentMs);
        send();
      });
    };
    for (let i = 0; i < inFlight; i++) send();
  });
}

/** Promises over the wire. */
async function bySend(url: string, inFlight: number, next: () => Message | null, done: (sentMs: number) => void) {
  using client = connect(url, { wire: "websocket" });
  await Promise.all(Array.from({ length: inFlight }, async () => {
    for (let message = next(); message !== null; message = next()) {
      const sentMs = performance.now();
      const { key, message: body, ...options } = sendingOf(message);
      await client.send(key, body, options);
      done(sentMs);
    }
  }));
}

function sendingOf({ actor, id, value }: Message) {
  return { key: { facility: facilityOf(actor), id: nameOf(actor) }, id, message: value };
}

/** One NDJSON stream. */
async function byLines(url: string, inFlight: number, next: () => Message | null, done: (sentMs: number) => void) {
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  const body = new ReadableStream<Uint8Array>({ start: (c) => void (controller = c) });
  const waiting: number[] = [];
  let isClosed = false;
  const send = (count: number) => {
    let text = "";
    const sentMs = performance.now();
    while (count-- > 0 && !isClosed) {
      const message = next();
      if (message === null) isClosed = true;
      else {
        waiting.push(sentMs);
        text += `{"key":"${message.key}","id":"${message.id}","message":${message.body}}\n`;
      }
    }
    if (text !== "") controller.enqueue(ENCODER.encode(text));
    if (isClosed) controller.close();
  };
  send(inFlight);
  const headers = { "content-type": "application/x-ndjson" };
  const response = await fetch(`${url}/v1/messages`, { method: "POST", headers, body });
  let rest = "";
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      if ("code" in JSON.parse(line)) throw new Error(line);
      done(waiting.shift()!);
    }
    if (!isClosed) send(lines.length);
  }
}

/** A request each. */
async function byRequests(url: string, inFlight: number, next: () => Message | null, done: (sentMs: number) => void) {
  await Promise.all(Array.from({ length: inFlight }, async () => {
    for (let message = next(); message !== null; message = next()) {
      const sentMs = performance.now();
      const headers = { "content-type": "application/json", "idempotency-key": message.id };
      const response = await fetch(`${url}/v1/actors/${message.key}/messages`, {
        method: "POST",
        headers,
        body: message.body,
      });
      if (response.status !== 201) throw new Error(await response.text());
      await response.json();
      done(sentMs);
    }
  }));
}

interface Options {
  server: Child;
  url: string;
  inFlight: number;
  seconds: number;
  messageBytes: number;
}

async function measure(name: string, { server, url, inFlight, seconds, messageBytes }: Options): Promise<void> {
  const messages = new Messages({ first: 0, count: 10_000 }, { prefix: `${name}-${inFlight}`, messageBytes });
  const latencies = new Latencies();
  let count = 0;
  let isOver = false;
  let from = read();
  let to = from;
  setTimeout(() => (latencies.clear(), count = 0, from = read()), WARM_UP_MS);
  setTimeout(() => (isOver = true, to = read()), WARM_UP_MS + seconds * 1000);
  await WAYS[name](url, inFlight, () => isOver ? null : messages.next(), (sentMs) => {
    if (isOver) return;
    count++;
    latencies.add((performance.now() - sentMs) * 1000);
  });
  const each = (cpu: number) => (cpu * 1e6 / count).toFixed(2).padStart(8);
  const rate = Math.round(count / (to.ms - from.ms) * 1000).toLocaleString("en-US").padStart(9);
  const us = (share: number) => String(latencies.percentile(share)).padStart(7);
  console.log(
    `${name.padEnd(10)} ${String(inFlight).padStart(5)} in flight ${rate}/s  p50 ${us(0.5)} us  p99 ${us(0.99)} us  ` +
      `CPU gateway ${each(to.server - from.server)} us  client ${each(to.client - from.client)} us`,
  );

  function read() {
    return { ms: performance.now(), server: cpuSeconds([server.pid]), client: cpuSeconds([Deno.pid]) };
  }
}

const { values } = parseArgs({
  options: {
    way: { type: "string", default: Object.keys(WAYS).join(",") },
    "in-flight": { type: "string", default: "1,64,1024" },
    seconds: { type: "string", default: "2" },
    "message-bytes": { type: "string", default: "300" },
    "server-flags": { type: "string", default: "" },
  },
});
const flags = values["server-flags"].split(" ").filter((flag) => flag !== "");
const server = new Child({ name: "the gateway", args: [...flags, SERVER] });
try {
  const { url } = await server.answer<{ url: string }>();
  for (const way of values.way.split(",")) {
    for (const inFlight of values["in-flight"].split(",").map(Number)) {
      const messageBytes = Number(values["message-bytes"]);
      await measure(way, { server, url, inFlight, seconds: Number(values.seconds), messageBytes });
    }
  }
} finally {
  await server.end();
}
Deno.exit(0);
