/**
 * One node in a process of its own. Prints one JSON line when it takes requests, and ends when its standard input does:
 * so it goes when the bench is gone, however that ended. What comes in there before are lines: `{"profile":"start"}`
 * begins a CPU profile, `{"profile":"stop","to":FILE}` writes it; a line answers each.
 *
 *     deno run -A bench/node_process.ts NAME LISTEN JOIN|- EXPECT TRANSPORT SHARDS
 */
import { configureLog, startNode } from "../mod.ts";
import { CpuRecording } from "./inspector.ts";
import { TextLineStream } from "./lines.ts";

/** A line of the standard input. */
export type NodeCommand = { profile: "start" } | { profile: "stop"; to: string };

const [name, listen, join, expect, transport, shards] = Deno.args;

const inputEnded = (async () => {
  let recording: CpuRecording | null = null;
  for await (const line of Deno.stdin.readable.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())) {
    const command = JSON.parse(line) as NodeCommand;
    if (command.profile === "start") recording = new CpuRecording();
    else await Deno.writeTextFile(command.to, JSON.stringify(await recording!.stop()));
    console.log("{}");
  }
})();
// Who has not started yet has nothing to close.
inputEnded.then(() => setTimeout(() => Deno.exit(0), 2000));

await configureLog({ to: "stderr", level: "warning" });
const node = await startNode({
  name,
  listen,
  http: "127.0.0.1:0",
  mllp: "127.0.0.1:0",
  join: join === "-" ? undefined : [join],
  expect: Number(expect),
  shards: Number(shards),
  transport: transport as "auto" | "quic" | "websocket",
});
console.log(JSON.stringify({ name, ...node.addresses }));
await inputEnded;
await node.close();
Deno.exit(0);
