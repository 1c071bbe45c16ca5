/**
 * A feed: HL7 v2 over MLLP as engines send it, in original mode, one message under way on each connection. A process of its
 * own, told by lines of its standard input:
 *
 *     {"addresses": ["127.0.0.1:2575"], "connections": 16, "patients": 2000, "hospitals": 8, "seconds": 10, "prefix": "a"}
 *
 * answered by a line with what was acknowledged, how fast, and how often what was not `AA`.
 */
import { TextLineStream } from "../lines.ts";

interface Order {
  addresses: string[];
  connections: number;
  patients: number;
  /** that the patients are of: each hospital's patients are written in one data center */
  hospitals: number;
  /** how long, and how much at most: what comes out is waited for afterwards */
  seconds: number;
  messagesMax: number;
  prefix: string;
}

/** What a feed has seen. */
export interface FeedResult {
  acknowledged: number;
  refused: number;
  seconds: number;
  p50Us: number;
  p99Us: number;
}

const ENCODER = new TextEncoder();
/** A result message of some 300 bytes, `%` where hospital, id, patient and hospital stand. */
const FRAME = "\x0b" + [
  "MSH|^~\\&|LAB|%|WP|HUB|20260102030405||ORU^R01|%|P|2.5",
  "PID|1||%^^^%^MRN||Doe^Jane^^^^^L||19800101|F|||1 Main St^^Nashville^TN^37203",
  "OBR|1||A77|24323-8^Comprehensive metabolic panel^LN|||20260102030000",
  "OBX|1|NM|2160-0^Creatinine^LN||1.1|mg/dL|0.5-1.2|N|||F",
].join("\r") + "\r\x1c\r";

async function run(order: Order): Promise<FeedResult> {
  const latencies: number[] = [];
  let refused = 0;
  let started = 0;
  const startMs = performance.now();
  const untilMs = startMs + order.seconds * 1000;
  await Promise.all(Array.from({ length: order.connections }, async (_, connection) => {
    const [hostname, port] = order.addresses[connection % order.addresses.length].split(":");
    const socket = await Deno.connect({ hostname, port: Number(port) });
    socket.setNoDelay(true);
    const answer = new Uint8Array(4096);
    // Each patient's messages on one connection, as a feed keeps them in order.
    let patient = connection;
    for (let n = 0; performance.now() < untilMs && started < order.messagesMax; n++) {
      started++;
      const hospital = `HOSP${patient % order.hospitals}`;
      const parts = [hospital, `${order.prefix}${connection}-${n}`, String(patient), hospital];
      const frame = parts.reduce((text, part) => text.replace("%", part), FRAME);
      patient += order.connections;
      if (patient >= order.patients) patient = connection;
      const sentMs = performance.now();
      const bytes = ENCODER.encode(frame);
      for (let at = 0; at < bytes.length;) at += await socket.write(bytes.subarray(at));
      let text = "";
      while (!text.endsWith("\x1c\r")) {
        const length = await socket.read(answer);
        if (length === null) throw new Error("the connection was closed");
        text += String.fromCharCode(...answer.subarray(0, length));
      }
      latencies.push(performance.now() - sentMs);
      if (!text.includes("MSA|AA|")) refused++;
    }
    socket.close();
  }));
  const seconds = (performance.now() - startMs) / 1000;
  latencies.sort((a, b) => a - b);
  const at = (share: number) => Math.round((latencies[Math.floor(latencies.length * share)] ?? 0) * 1000);
  return { acknowledged: latencies.length - refused, refused, seconds, p50Us: at(0.5), p99Us: at(0.99) };
}

const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
for await (const line of lines) {
  if (line !== "") console.log(JSON.stringify(await run(JSON.parse(line))));
}
