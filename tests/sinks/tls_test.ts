/**
 * Sinks over TLS, with an authority of their own in a file: whoever is not vouched for by it is not talked to.
 */
import assert from "node:assert/strict";
import { type BundledSink, startSink } from "./bundled_sink.ts";
import { withCertificate } from "./certificate.ts";
import { delivery } from "./deliver_all.ts";
import { accepts, freePort, ServerProcess } from "./server_process.ts";

async function endOf(sink: BundledSink): Promise<string> {
  try {
    const [end] = await sink.deliver([delivery(1, 1)]);
    return end.state === "done" ? "done" : end.code;
  } catch {
    // it cannot be opened, or its process ends over the broken handshake: either way it is tried again
    return "not opened";
  }
}

Deno.test("tls: http, with an authority of its own", async () => {
  await withCertificate(async ({ caFile, cert, key }) => {
    const onListen = () => {};
    await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, cert, key, onListen }, () => new Response("ok"));
    const url = `https://localhost:${(server.addr as Deno.NetAddr).port}/`;
    await using trusting = await startSink("http httpSink", { url, tls: { caFile } });
    assert.deepEqual(trusting.about.permissions.read, [caFile]);
    assert.equal(await endOf(trusting), "done");
    await using strange = await startSink("http httpSink", { url });
    assert.equal(await endOf(strange), "http/unreachable");
  });
});

const nats = await new Deno.Command("nats-server", { args: ["--version"] }).output().catch(() => null);

Deno.test({
  name: "tls: nats, which wants a certificate of ours, too",
  ignore: nats === null,
  async fn() {
    await withCertificate(async ({ caFile, certFile, keyFile }) => {
      const port = freePort();
      const tls = ["--tlsverify", `--tlscert=${certFile}`, `--tlskey=${keyFile}`, `--tlscacert=${caFile}`];
      await using _server = await ServerProcess.start((folder) => {
        const args = ["-a", "127.0.0.1", "-p", String(port), "-js", "-sd", folder, ...tls];
        return new Deno.Command("nats-server", { args, stdin: "null", stdout: "null", stderr: "null" });
      }, () => accepts(port));
      const options = { servers: [`localhost:${port}`], subject: "nobody" };
      await using known = await startSink("nats natsSink", { ...options, tls: { caFile, certFile, keyFile } });
      // let in, and told that no stream listens
      assert.equal(await endOf(known), "nats/no-stream");
      await using nameless = await startSink("nats natsSink", { ...options, tls: { caFile } });
      assert.equal(await endOf(nameless), "not opened");
      await using strange = await startSink("nats natsSink", { ...options, tls: true });
      assert.equal(await endOf(strange), "not opened");
    });
  },
});
