/**
 * Alerts, end to end: a source deployed to a node gives alarm by a webhook and to an actor when a sink gets nothing
 * through and when a feed falls silent, and says when it is over.
 */
import assert from "node:assert/strict";
import { bundlePlugin, stopBundler } from "../../runtime/plugin_host/mod.ts";
import type { WaterparkClient } from "../../client.ts";
import { withCluster } from "../cluster/cluster_of_processes.ts";
import { until } from "../cluster/waiting.ts";

async function deploy(client: WaterparkClient, text: string): Promise<void> {
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(file, text);
    const { name, kind, actorKind, hash, bytes } = await bundlePlugin(file);
    await client.deploy({ name, kind, actorKind, hash, bundle: bytes, url: "file:" });
  } finally {
    await stopBundler();
    await Deno.remove(file);
  }
}

Deno.test("alerts: a target that is down and a feed that is silent are told of, and when that is over", async () => {
  const told: { id: string; state: string; text: string }[] = [];
  let isDown = true;
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async (request) => {
    if (new URL(request.url).pathname === "/target") return new Response(null, { status: isDown ? 503 : 204 });
    told.push(await request.json());
    return new Response(null, { status: 204 });
  });
  const url = `http://127.0.0.1:${server.addr.port}`;
  await withCluster({ names: ["TN-A-1"] }, async (cluster) => {
    const client = cluster.client();
    await deploy(
      client,
      `import { httpSink } from "@waterpark/waterpark/sinks/http";
       export default httpSink({ name: "target", url: "${url}/target", retry: { firstMs: 100, mostMs: 200 } });`,
    );
    await deploy(
      client,
      `import { defineChannel } from "@waterpark/waterpark";
       export default defineChannel({ name: "out", destinations: [{ name: "target", sink: "target" }] });`,
    );
    await deploy(
      client,
      `import { alerts } from "@waterpark/waterpark/sources/alerts";
       export default alerts({
         everySeconds: 0.5,
         rules: [{ when: "failing" }, { when: "silence", facility: "QUIET", minutes: 1 }],
         to: [{ webhook: "${url}/hook" }, { actor: { kind: "alarm", facility: "ALL", id: "ops" } }],
       });`,
    );
    await client.send({ facility: "H", id: "1" }, { type: "note" });
    const states = (id: string) => told.filter((alert) => alert.id === id).map(({ state }) => state).join();
    await until(20_000, "the target is told of", () => states("failing target").startsWith("begins") ? true : null);
    await until(10_000, "the silence is told of", () => states("silence QUIET") === "begins" ? true : null);
    await client.send({ facility: "QUIET", id: "1" }, { type: "note" });
    isDown = false;
    await until(10_000, "the silence is over", () => states("silence QUIET") === "begins,is over" ? true : null);
    await until(10_000, "the target is well", () => states("failing target").endsWith("is over") ? true : null);
    assert.match(told[0].text, /^nothing /);
    // The actor is told after the webhook.
    const events = await until(10_000, "the actor is told of all four", async () => {
      const { events } = await client.history({ kind: "alarm", facility: "ALL", id: "ops" });
      return events.length >= 4 ? events : null;
    });
    assert.ok(events.every(({ type }) => type === "alert"));
  });
});
