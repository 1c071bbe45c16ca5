/**
 * A gateway over a node that answers at once and keeps nothing: the other process of `wire_bench.ts`. Ends with its
 * standard input.
 */
import { createApp, type NodeService, type PostAnswer, startHttp } from "../runtime/gateway/mod.ts";
import { FakeNode } from "../runtime/gateway/fake_node.ts";
import { systemWorld } from "../runtime/world/mod.ts";

const COPIES = ["TN-A-1", "TX-A-1", "FL-A-1"];

/** A node's receipts, without a node. */
class EchoNode extends FakeNode {
  #seq = 0;

  #recorded(key: string, id: string): PostAnswer {
    const seq = ++this.#seq;
    const place = { shard: "S05/017", generation: 1, term: 3, index: seq, writer: "TN-A-1" };
    const receipt = { key, id, seq, ...place, copies: COPIES, digest: "949ca2de525d9ac4" };
    return { state: "recorded", receipt, duplicate: false };
  }

  override postNow: NodeService["postNow"] = ({ key, id }, done) => {
    const answer = this.#recorded(key, id);
    queueMicrotask(() => done(answer));
  };

  override post: NodeService["post"] = ({ key, id = "" }) =>
    Promise.resolve(this.#recorded(`${key.kind}/${key.facility}/${key.id}`, id));
}

const app = createApp(new EchoNode(), { world: systemWorld() });
const server = startHttp(app, { hostname: "127.0.0.1", port: 0 });
console.log(JSON.stringify({ url: server.url }));
for await (const _ of Deno.stdin.readable);
Deno.exit(0);
