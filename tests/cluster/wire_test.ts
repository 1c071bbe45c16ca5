/**
 * The client's wire against real processes: a crowd of messages while nodes are killed, restarted and drained under it.
 * What was acknowledged is there, each once, every actor's in the order in which they were sent.
 */
import assert from "node:assert/strict";
import { type ActorKey, connect, type SendingAnswer, type WaterparkClient } from "../../client.ts";
import { type ClusterOfProcesses, withCluster } from "./cluster_of_processes.ts";

const NAMES = ["TN-A-1", "TX-A-1", "FL-A-1", "UT-A-1", "TN-B-1"];
const ACTORS = 60;
const IN_FLIGHT = 200;
const keyOf = (actor: number): ActorKey => ({ facility: `H${actor % 7}`, id: String(actor) });

/** Messages without a pause, each actor's numbered; ends with `stop`. */
class Crowd {
  readonly sent: number[] = new Array(ACTORS).fill(0);
  readonly refused: SendingAnswer[] = [];
  answered = 0;
  #open = 0;
  #isStopping = false;
  #made = 0;
  readonly #done = Promise.withResolvers<void>();
  readonly #client: WaterparkClient;

  constructor(client: WaterparkClient) {
    this.#client = client;
    for (let i = 0; i < IN_FLIGHT; i++) this.#next();
  }

  async reaches(count: number): Promise<void> {
    const toMs = performance.now() + 60_000;
    while (this.answered < count) {
      assert.ok(performance.now() < toMs, `${this.answered} of ${count} were answered, ${this.#open} are open`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  stop(): Promise<void> {
    this.#isStopping = true;
    return this.#done.promise;
  }

  #next(): void {
    const actor = this.#made++ % ACTORS;
    const n = ++this.sent[actor];
    this.#open++;
    this.#client.post({ key: keyOf(actor), id: `m${n}`, message: { type: "note", n } }, (answer) => {
      this.#open--;
      this.answered++;
      if (answer.state === "refused") this.refused.push(answer);
      if (!this.#isStopping) this.#next();
      else if (this.#open === 0) this.#done.resolve();
    });
  }
}

async function assertOrder(cluster: ClusterOfProcesses, crowd: Crowd): Promise<void> {
  assert.deepEqual(crowd.refused, []);
  const client = cluster.client();
  for (let actor = 0; actor < ACTORS; actor++) {
    const ids: string[] = [];
    for (let after: number | null = 0; after !== null;) {
      const page: Awaited<ReturnType<WaterparkClient["history"]>> = await client.history(keyOf(actor), {
        after,
        limit: 1000,
      });
      ids.push(...page.events.map((event) => event.id));
      after = page.next;
    }
    assert.deepEqual(ids, Array.from({ length: crowd.sent[actor] }, (_, i) => `m${i + 1}`), `actor ${actor}`);
  }
}

Deno.test("wire: nodes are killed, restarted and drained under a crowd; all is there once and in order", async () => {
  await withCluster({ names: NAMES }, async (cluster) => {
    using client = connect(cluster.alive.map((node) => node.http), { wire: "websocket", deadlineMs: 30_000 });
    const crowd = new Crowd(client);
    await crowd.reaches(2000);
    await cluster.kill("TX-A-1");
    await crowd.reaches(crowd.answered + 2000);
    await cluster.restart("TX-A-1");
    await crowd.reaches(crowd.answered + 1000);
    // The one it leaves says so first.
    await cluster.kill("TN-A-1", "SIGTERM");
    await crowd.reaches(crowd.answered + 2000);
    await crowd.stop();
    await assertOrder(cluster, crowd);
    console.error(`${crowd.answered} messages, ${crowd.refused.length} refused`);
  });
});
