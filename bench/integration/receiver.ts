/**
 * An MLLP receiver that acknowledges all that it reads with AA, as fast as it can. It prints a line with its port, and on
 * every line of its standard input one with what it has received: how many, how many ids more than once, and of how many
 * patients a message came before an earlier one.
 */
import { TextLineStream } from "../lines.ts";

/** What it has received. */
export interface Received {
  messages: number;
  repeated: number;
  disordered: number;
}

const DECODER = new TextDecoder("latin1");
const ENCODER = new TextEncoder();

const seen = new Set<string>();
const last = new Map<string, number>();
const result: Received = { messages: 0, repeated: 0, disordered: 0 };

const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
console.log(JSON.stringify({ port: (listener.addr as Deno.NetAddr).port }));

async function serve(connection: Deno.TcpConn): Promise<void> {
  connection.setNoDelay(true);
  const buffer = new Uint8Array(65_536);
  let rest = "";
  for (let length = await connection.read(buffer); length !== null; length = await connection.read(buffer)) {
    rest += DECODER.decode(buffer.subarray(0, length));
    for (let end = rest.indexOf("\x1c\r"); end >= 0; end = rest.indexOf("\x1c\r")) {
      const message = rest.slice(1, end);
      rest = rest.slice(end + 2);
      const id = take(message);
      const answer = ENCODER.encode(`\x0bMSH|^~\\&|R|R|W|W|20260101||ACK|${id}|P|2.5\rMSA|AA|${id}\r\x1c\r`);
      for (let at = 0; at < answer.length;) at += await connection.write(answer.subarray(at));
    }
  }
}

/** Counts a message; answers its control id, which ends with its number on its connection. */
function take(message: string): string {
  const [header, patientLine] = message.split("\r", 2);
  const id = header.split("|")[9];
  const patient = patientLine.split("|")[3];
  result.messages++;
  if (seen.has(id)) result.repeated++;
  else {
    const dash = id.lastIndexOf("-");
    const number = Number(id.slice(dash + 1));
    // of one run: the next one counts from 0 again
    const of = `${patient} ${id.slice(0, dash)}`;
    if (number < (last.get(of) ?? -1)) result.disordered++;
    last.set(of, number);
  }
  seen.add(id);
  return id;
}

(async () => {
  for await (const connection of listener) serve(connection).catch(() => {});
})();

const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
for await (const _line of lines) console.log(JSON.stringify(result));
Deno.exit(0);
