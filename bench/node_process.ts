/**
 * One node in a process of its own. Prints one JSON line when it takes requests, and ends when its standard input does:
 * so it goes when the bench is gone, however that ended.
 *
 *     deno run -A bench/node_process.ts NAME LISTEN JOIN|- EXPECT TRANSPORT
 */
import { configureLog, startNode } from "../mod.ts";

const [name, listen, join, expect, transport] = Deno.args;

const inputEnded = (async () => {
  for await (const _ of Deno.stdin.readable);
})();
// Who has not started yet has nothing to close.
inputEnded.then(() => setTimeout(() => Deno.exit(0), 2000));

await configureLog({ to: "stderr", level: "warning" });
const node = await startNode({
  name,
  listen,
  http: "127.0.0.1:0",
  join: join === "-" ? undefined : [join],
  expect: Number(expect),
  transport: transport as "auto" | "quic" | "websocket",
});
console.log(JSON.stringify({ name, ...node.addresses }));
await inputEnded;
await node.close();
Deno.exit(0);
