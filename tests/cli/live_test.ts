/**
 * The command line against real nodes, as a person uses it.
 */
import assert from "node:assert/strict";
import { waterpark } from "./transcript.ts";

const ROOT = new URL("../../", import.meta.url);
const READY_MS_MAX = 60_000;

/** A node in a process of its own, on free ports. */
async function startNode(...more: string[]) {
  const args = [
    "node",
    "start",
    "--listen",
    "127.0.0.1:0",
    "--http",
    "127.0.0.1:0",
    "--mllp",
    "off",
    "--json",
    ...more,
  ];
  const process = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--config",
      new URL("deno.json", ROOT).pathname,
      new URL("cli/main.ts", ROOT).pathname,
      ...args,
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { done, value } = await reader.read();
    assert.ok(!done, "the node has ended before it was ready");
    text += value;
  }
  const ready = JSON.parse(text.split("\n")[0]);
  return {
    ready,
    run: (...args: string[]) => waterpark(args, { WATERPARK_NODE: ready.http }),
    async [Symbol.asyncDispose]() {
      try {
        process.kill("SIGKILL");
      } catch {
        // it has ended by itself
      }
      await process.status;
      await reader.cancel();
    },
    process,
  };
}

Deno.test("a node: messages in, histories out, SIGTERM ends it well", { timeout: READY_MS_MAX }, async (t) => {
  await using node = await startNode();
  assert.equal(node.ready.ready, true);
  assert.equal(node.ready.name, "TN-A-1");

  await t.step("actor send tells the receipt, twice is once", async () => {
    const first = await node.run("actor", "send", "HOSPX/1001", '{"type":"admit","ward":"5W"}', "--id", "m1", "--json");
    const { key, id, seq, writer } = JSON.parse(first.stdout);
    assert.deepEqual([key, id, seq, writer], ["patient/HOSPX/1001", "m1", 1, "TN-A-1"]);
    const again = await node.run("actor", "send", "HOSPX/1001", '{"type":"admit","ward":"5W"}', "--id", "m1");
    assert.match(again.stdout, /as seq 1 \(was recorded before\)/);
    const other = await node.run("actor", "send", "HOSPX/1001", "{}", "--id", "m1");
    assert.equal(other.code, 1);
    assert.match(other.stderr, /waterpark explain mailroom\/conflict/);
  });

  await t.step("actor send takes files, and knows HL7", async () => {
    const file = await Deno.makeTempFile({ suffix: ".hl7" });
    await Deno.writeTextFile(file, "MSH|^~\\&|LAB|HOSPX|||20260101||ADT^A01|7|P|2.5\rPID|1||1001\r");
    const { code } = await node.run("actor", "send", "HOSPX/1001", `@${file}`);
    await Deno.remove(file);
    assert.equal(code, 0);
    const { stdout } = await node.run("actor", "history", "HOSPX/1001", "--json");
    const events = stdout.trim().split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(events.map(({ seq, type }) => [seq, type]), [[1, "admit"], [2, "ADT^A01"]]);
    assert.equal(events[1].contentType, "x-application/hl7-v2+er7");
  });

  await t.step("what actor history prints is what plugin test takes", async () => {
    const { stdout } = await node.run("actor", "history", "HOSPX/1001", "--all", "--json");
    assert.deepEqual(JSON.parse(stdout.split("\n")[0]).key, "patient/HOSPX/1001");
    const file = await Deno.makeTempFile({ suffix: ".ndjson" });
    await Deno.writeTextFile(file, stdout);
    const tested = await node.run("plugin", "test", "plugins/counter.ts", "--recorded", file, "--seed", "1", "--json");
    await Deno.remove(file);
    const { verdict, report } = JSON.parse(tested.stdout);
    assert.deepEqual([verdict, Object.keys(report.types).sort()], ["held", ["ADT^A01", "admit"]], tested.stderr);
  });

  await t.step("actor show, list, unknown actors", async () => {
    assert.match((await node.run("actor", "show", "HOSPX/1001")).stdout, /^patient\/HOSPX\/1001 {2}seq 2\n/);
    assert.equal((await node.run("actor", "list")).stdout, "ACTOR               SEQ\npatient/HOSPX/1001    2\n");
    const unknown = await node.run("actor", "show", "HOSPX/2");
    assert.deepEqual([unknown.code, unknown.stdout], [1, ""]);
  });

  await t.step("topology inspect names writer and asked node", async () => {
    const { stdout } = await node.run("topology", "inspect", "--actor", "HOSPX/1001");
    assert.match(stdout, /● TN-A-1 .*✎ writer.*◂ asked/);
    const { nodes, actor } = JSON.parse(
      (await node.run("topology", "inspect", "--actor", "HOSPX/1001", "--json")).stdout,
    );
    assert.deepEqual([nodes.length, actor.writer], [1, "TN-A-1"]);
    assert.match((await node.run("node", "list")).stdout, /^NODE.*\nTN-A-1 {2}up {6}alive/);
  });

  await t.step("plugin deploy, list, inspect, remove", async () => {
    const file = await Deno.makeTempFile({ suffix: ".ts" });
    await Deno.writeTextFile(
      file,
      `import { defineHandler } from "@waterpark/waterpark";
       export default defineHandler({ name: "count", kind: "patient", initial: { n: 0 },
         handle: (_key, { n }) => ["ok", { n: n + 1 }, []] });`,
    );
    const deployed = await node.run("plugin", "deploy", file);
    await Deno.remove(file);
    assert.equal(deployed.stdout, "deployed count version 1 (live)\n", deployed.stderr);
    const sent = await node.run("actor", "send", "HOSPX/1001", "note", "--wait", "handled", "--json");
    assert.deepEqual(JSON.parse(sent.stdout).projections, { count: { n: 3 } });
    assert.match((await node.run("plugin", "list")).stdout, /^PLUGIN.*\ncount {3}handler/);
    assert.equal(JSON.parse((await node.run("plugin", "inspect", "count", "--json")).stdout).kind, "handler");
    assert.equal((await node.run("plugin", "rollback", "count")).code, 1);

    const counts = await node.run("plugin", "counts", "count");
    assert.match(counts.stdout, /^RECEIVED .*\n +1 /);
    const found = await node.run("actor", "find", "--state", "nothing", "--facility", "HOSPX");
    assert.match(found.stdout, /^ACTOR .* STATE\npatient\/HOSPX\/\d+ .* nothing\n/);
    const steps = await node.run("actor", "trace", "HOSPX/1001", "1", "--steps");
    assert.match(steps.stdout, /^came .* id m1\n {4}\{"type":"admit","ward":"5W"\}\n/);
    const filter = ["actor", "resend", "--id", "m1", "--to-kind", "audit"];
    assert.equal((await node.run(...filter, "--dry-run")).stdout, "patient/HOSPX/1001 1\n");
    assert.match((await node.run(...filter)).stdout, /recorded audit\/HOSPX\/1001 as seq 1, id m1~again1\n$/);
    assert.equal((await node.run("actor", "resend")).code, 2);
    assert.equal((await node.run("actor", "find", "--state", "lost")).code, 2);
    assert.equal((await node.run("actor", "find", "--since", "soon")).code, 2);
    assert.equal((await node.run("plugin", "remove", "count")).stdout, "removed count\n");
    assert.equal((await node.run("plugin", "inspect", "count")).code, 1);
  });

  await t.step("SIGTERM drains, then exits 0", async () => {
    node.process.kill("SIGTERM");
    assert.equal((await node.process.status).code, 0);
  });
});

Deno.test("a token shuts others out", { timeout: READY_MS_MAX }, async () => {
  await using node = await startNode("--tokens", "s3cret");
  const refused = await node.run("node", "list");
  assert.deepEqual([refused.code, refused.stdout], [1, ""]);
  assert.equal((await node.run("node", "list", "--token", "s3cret")).code, 0);
});

Deno.test("a cluster of processes: start, status, stop", { timeout: 2 * READY_MS_MAX }, async () => {
  const folder = await Deno.makeTempDir();
  const env = { WATERPARK_STATE: `${folder}/cluster.json` };
  const basePort = String(20_000 + Deno.pid % 400 * 50);
  try {
    const started = await waterpark(
      ["cluster", "start", "--nodes", "3", "--data-centers", "TN,TX,FL", "--base-port", basePort, "--detach", "--json"],
      env,
    );
    assert.equal(started.code, 0, started.stderr);
    const { nodes } = JSON.parse(started.stdout);
    assert.deepEqual(nodes.map((node: { name: string }) => node.name), ["TN-A-1", "TX-A-1", "FL-A-1"]);
    const second = await waterpark(["cluster", "start"], env);
    assert.equal(second.code, 2);
    const status = JSON.parse((await waterpark(["cluster", "status", "--json"], env)).stdout);
    assert.ok(status.nodes.every((node: { running: boolean; alive: boolean }) => node.running && node.alive));
    const url = `http://${nodes[2].http},http://${nodes[0].http}`;
    const sent = await waterpark(["actor", "send", "HOSPX/1001", "hello", "--node", url, "--json"]);
    assert.ok(JSON.parse(sent.stdout).copies.length >= 2, sent.stderr);
  } finally {
    const stopped = await waterpark(["cluster", "stop"], env);
    assert.equal(stopped.stdout, "stopped TN-A-1, TX-A-1, FL-A-1\n");
    assert.equal((await waterpark(["cluster", "status"], env)).stdout, "no cluster was started here\n");
    await Deno.remove(folder, { recursive: true });
  }
});
