/**
 * One node as a process of its own, for the tests and the demo. Its only argument is `StartOptions` as JSON; once it
 * takes requests it prints one line of JSON: `{"ready":true,"name","pid","addresses"}`. What goes wrong is said on
 * stderr as `code: message`, and the exit code is 1. SIGTERM hands over and ends; a node that was removed ends with 1.
 * SIGUSR2 has it collect its garbage, and say in a line `{"heap":BYTES}` what is left.
 */
import { configureLog, startNode, type StartOptions, WaterparkError } from "@waterpark/waterpark";

await configureLog({ to: "stderr", level: "info" });
dieWithParent();
try {
  const node = await startNode(JSON.parse(Deno.args[0]) as StartOptions);
  Deno.addSignalListener("SIGUSR2", () => void sayHeap());
  Deno.addSignalListener("SIGTERM", () => void node.drain({ fast: true }));
  node.ended.then(({ reason }) => {
    if (reason === "removed") console.error("node/removed: the topology has this node no more");
    Deno.exit(reason === "removed" ? 1 : 0);
  });
  const ready = { ready: true, name: node.name, pid: Deno.pid, addresses: node.addresses };
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(ready) + "\n"));
} catch (error) {
  console.error(error instanceof WaterparkError ? `${error.code}: ${error.message}` : error);
  Deno.exit(1);
}

async function sayHeap(): Promise<void> {
  const { Session } = await import("node:inspector");
  const session = new Session();
  session.connect();
  await new Promise<void>((resolve) => session.post("HeapProfiler.collectGarbage", () => resolve()));
  session.disconnect();
  console.log(JSON.stringify({ heap: Deno.memoryUsage().heapUsed }));
}

// The other end of stdin is held by who started this process. When that one is gone, however it went, nobody would
// ever stop this node.
async function dieWithParent(): Promise<void> {
  for await (const _ of Deno.stdin.readable);
  Deno.exit(1);
}
