/**
 * The MLLP listener over a node that answers at once and keeps nothing, or over one node with one copy (`--node`): the
 * other process of `mllp_bench.ts`. Ends with its standard input.
 */
import { startNode } from "../mod.ts";
import { MllpListener } from "../runtime/gateway/mod.ts";
import type { PostAnswer } from "../runtime/gateway/mod.ts";
import { systemWorld } from "../runtime/world/mod.ts";

const COPIES = ["TN-A-1"];

let seq = 0;
function recorded(key: string, id: string): PostAnswer {
  const place = { shard: "S05/017", generation: 1, term: 3, index: ++seq, writer: "TN-A-1" };
  return {
    state: "recorded",
    receipt: { key, id, seq, ...place, copies: COPIES, digest: "949ca2de525d9ac4" },
    duplicate: false,
  };
}

async function listen(): Promise<string> {
  if (Deno.args.includes("--node")) {
    const node = await startNode({ mllp: "127.0.0.1:0", copies: 1, ack: { dataCenters: 1 } });
    return node.addresses.mllp!;
  }
  const service = {
    newId: () => crypto.randomUUID().replaceAll("-", "").slice(0, 16),
    nowWallMs: () => Date.now(),
    post: (request: { key: { facility: string; id: string }; id?: string }) =>
      Promise.resolve(recorded(`patient/${request.key.facility}/${request.key.id}`, request.id ?? "")),
    whenHandled: () => Promise.resolve({ isHandled: true, standstill: "" }),
    postNow(request: { key: string; id: string }, done: (answer: PostAnswer) => void) {
      const answer = recorded(request.key, request.id);
      queueMicrotask(() => done(answer));
    },
  };
  return (await MllpListener.listen({ world: systemWorld(), service, hostname: "127.0.0.1", port: 0 })).address;
}

console.log(JSON.stringify({ port: Number((await listen()).split(":")[1]) }));
for await (const _ of Deno.stdin.readable);
Deno.exit(0);
