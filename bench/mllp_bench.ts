/**
 * What does the MLLP listener take in, and what does a message cost it? The listener in a process of its own, a sender of
 * raw frames in this one: one acknowledgement in original mode for each message, one message under way on a connection
 * (MLLP's rule), and then several. The node behind the listener answers at once, or is one node with one copy.
 *
 *     deno run -A bench/mllp_bench.ts [--connections 1,16] [--in-flight 1,16] [--seconds 3] [--message-bytes 300]
 *                                     [--node] [--patients 10000]
 */
import { parseArgs } from "node:util";
import { Child } from "./child.ts";
import { Latencies } from "./latencies.ts";
import { cpuSeconds } from "./processes.ts";

const SERVER = new URL("mllp_bench_server.ts", import.meta.url).pathname;
const WARM_UP_MS = 1_500;
const FS = 0x1c;
const ID_DIGITS = 10;

/** Frames of equal length whose patient and control id are written into place. */
class Frames {
  readonly #frame: Uint8Array<ArrayBuffer>;
  readonly #idAt: number;
  readonly #patientAt: number;
  readonly #patients: number;
  #next = 0;

  constructor(messageBytes: number, patients: number) {
    this.#patients = patients;
    const digits = "0".repeat(ID_DIGITS);
    const head = `MSH|^~\\&|EHR|HOSPX|WP|DC|20260101120000||ADT^A08^ADT_A01|${digits}|P|2.5\rEVN|A08|20260101120000\r`;
    const text = `${head}PID|1||${digits}^^^HOSPX^MR||Doe^Jane||19700101|F\rPV1|1|I|5W^501^1\rNTE|1||`;
    const message = text + "x".repeat(Math.max(0, messageBytes - text.length - 1)) + "\r";
    this.#frame = new TextEncoder().encode(`\x0b${message}\x1c\r`);
    this.#idAt = message.indexOf(digits) + 1;
    this.#patientAt = message.indexOf(digits, this.#idAt) + 1;
  }

  /** Writes the next `count` frames into one piece of bytes. */
  take(count: number): Uint8Array<ArrayBuffer> {
    const frame = this.#frame;
    const bytes = new Uint8Array(frame.length * count);
    for (let i = 0; i < count; i++) {
      const n = ++this.#next;
      bytes.set(frame, i * frame.length);
      this.#digits(bytes, i * frame.length + this.#idAt, n);
      this.#digits(bytes, i * frame.length + this.#patientAt, n * 7919 % this.#patients);
    }
    return bytes;
  }

  #digits(bytes: Uint8Array, at: number, value: number): void {
    for (let i = at + ID_DIGITS - 1; i >= at; i--, value = Math.floor(value / 10)) bytes[i] = 48 + value % 10;
  }
}

/** Keeps `inFlight` messages under way on one connection until told to stop. */
async function send(
  port: number,
  inFlight: number,
  run: { frames: Frames; isOver: boolean; done(sentMs: number): void },
) {
  using connection = await Deno.connect({ port });
  connection.setNoDelay(true);
  const buffer = new Uint8Array(64 * 1024);
  const sentMs: number[] = [];
  let wanted = inFlight;
  while (!run.isOver || sentMs.length > 0) {
    if (wanted > 0 && !run.isOver) {
      const nowMs = performance.now();
      for (let i = 0; i < wanted; i++) sentMs.push(nowMs);
      const bytes = run.frames.take(wanted);
      for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
    }
    const length = await connection.read(buffer);
    if (length === null) throw new Error("the listener hung up");
    wanted = 0;
    for (let at = buffer.indexOf(FS); at >= 0 && at < length; at = buffer.indexOf(FS, at + 1)) {
      wanted++;
      run.done(sentMs.shift()!);
    }
  }
}

async function measure(
  server: Child,
  port: number,
  options: { connections: number; inFlight: number; frames: Frames; seconds: number },
) {
  const latencies = new Latencies();
  let isCounting = false;
  const run = {
    frames: options.frames,
    isOver: false,
    done(sentMs: number) {
      if (isCounting) latencies.add((performance.now() - sentMs) * 1000);
    },
  };
  const senders = Promise.all(Array.from({ length: options.connections }, () => send(port, options.inFlight, run)));
  await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS));
  const serverFrom = cpuSeconds([server.pid]), ownFrom = cpuSeconds([Deno.pid]), fromMs = performance.now();
  isCounting = true;
  await new Promise((resolve) => setTimeout(resolve, options.seconds * 1000));
  isCounting = false;
  const seconds = (performance.now() - fromMs) / 1000;
  const server_ = cpuSeconds([server.pid]) - serverFrom, own = cpuSeconds([Deno.pid]) - ownFrom;
  run.isOver = true;
  await senders;
  const { count } = latencies;
  return {
    rate: count / seconds,
    serverUs: server_ * 1e6 / count,
    senderUs: own * 1e6 / count,
    serverCores: server_ / seconds,
    p50: latencies.percentile(0.5) / 1000,
    p99: latencies.percentile(0.99) / 1000,
  };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      "connections": { type: "string", default: "1,16" },
      "in-flight": { type: "string", default: "1,16" },
      "seconds": { type: "string", default: "3" },
      "message-bytes": { type: "string", default: "300" },
      "patients": { type: "string", default: "10000" },
      "node": { type: "boolean", default: false },
    },
  });
  const frames = new Frames(Number(values["message-bytes"]), Number(values.patients));
  const server = new Child({ name: "the listener", args: [SERVER, ...values.node ? ["--node"] : []] });
  const { port } = await server.answer<{ port: number }>();
  console.log("connections  in flight each  messages/s  listener us  sender us  listener cores  p50 ms  p99 ms");
  for (const connections of values.connections.split(",").map(Number)) {
    for (const inFlight of values["in-flight"].split(",").map(Number)) {
      const found = await measure(server, port, { connections, inFlight, frames, seconds: Number(values.seconds) });
      console.log([
        String(connections).padStart(11),
        String(inFlight).padStart(14),
        found.rate.toFixed(0).padStart(10),
        found.serverUs.toFixed(1).padStart(11),
        found.senderUs.toFixed(1).padStart(9),
        found.serverCores.toFixed(2).padStart(14),
        found.p50.toFixed(2).padStart(6),
        found.p99.toFixed(2).padStart(6),
      ].join("  "));
    }
  }
  await server.end();
}
