/** The journal on a real disk: one that fills up, a folder that somebody has, a journal that is another's. */
import assert from "node:assert/strict";
import { startNode, type StartOptions, WaterparkError, type WaterparkNode } from "../../mod.ts";
import { withFolder } from "./folder.ts";
import { until } from "./waiting.ts";

const KEY = { facility: "H", id: "1" };

async function refusal(options: StartOptions): Promise<string> {
  try {
    const node = await startNode(options);
    await node.close();
    return "";
  } catch (error) {
    assert(error instanceof WaterparkError, String(error));
    return error.code;
  }
}

async function seqs(node: WaterparkNode): Promise<number> {
  const { events } = await node.history(KEY, { limit: 1000 });
  return events.length;
}

Deno.test("journal: a folder has one process, one node, one cluster; everybody else is refused", async () => {
  await withFolder(async (data) => {
    const first = await startNode({ data });
    assert.equal((await first.send(KEY, { n: 1 })).seq, 1);
    assert.equal(await refusal({ data }), "journal/in-use");
    await first.drain();
    assert.equal(await refusal({ data, create: true }), "node/other-journal");
    assert.equal(await refusal({ data, name: "TX-A-1" }), "node/other-journal");
    await using other = await startNode({ name: "TX-A-1" });
    assert.equal(await refusal({ data, join: [other.addresses.mesh] }), "node/other-journal");
    assert.equal(await refusal({ data: "/proc/none" }), "journal/cannot-open");
    await using again = await startNode({ data });
    assert.equal((await again.send(KEY, { n: 2 })).seq, 2);
  });
});

Deno.test("journal: a node of a cluster that lives comes back to it, and makes none of its own meanwhile", async () => {
  await withFolder(async (data) => {
    const first = await startNode({ name: "TN-A-1", data: `${data}/1` });
    const join = [first.addresses.mesh];
    const second = await startNode({ name: "TX-A-1", data: `${data}/2`, join });
    await first.send(KEY, { n: 1 });
    await second.close();
    // Its journal knows where the other is.
    const back = await startNode({ name: "TX-A-1", data: `${data}/2` });
    assert.equal(back.topology.state.clusterId, first.topology.state.clusterId);
    assert.equal(back.topology.state.nodes.length, 2);
    await Promise.all([back.close(), first.close()]);
    // The topology's one member is missing: it waits, however long.
    assert.equal(await refusal({ name: "TX-A-1", data: `${data}/2`, join, readyTimeoutMs: 3000 }), "node/not-ready");
  });
});

Deno.test("journal: a full disk makes the node read-only; with room again it goes on, and nothing is lost", async (t) => {
  const path = await Deno.makeTempDir();
  const mount = (...args: string[]) => new Deno.Command("mount", { args, stderr: "null" }).output();
  const mounted = await mount("-t", "tmpfs", "-o", "size=1500k", "tmpfs", path).catch(() => null);
  if (mounted?.success !== true) {
    console.error("skipped: a file system of its own needs root");
    await Deno.remove(path);
    return;
  }
  try {
    let recorded = 0;
    const payload = "x".repeat(20_000);
    await t.step("it fills up", async () => {
      await using node = await startNode({ data: path, sync: "always", config: { requestMs: 2000 } });
      let code = "";
      for (let i = 0; i < 200 && code !== "node/read-only"; i++) {
        try {
          recorded = (await node.send(KEY, payload, { id: `m${i}` })).seq;
        } catch (error) {
          code = (error as WaterparkError).code;
          if (code !== "node/read-only") assert.equal((error as WaterparkError).outcome, "unknown");
        }
      }
      assert.equal(code, "node/read-only");
      assert(recorded > 20);
      assert.match(node.service.readiness().reason, /journal/);
      assert(await seqs(node) >= recorded, "it goes on reading");
      assert((await mount("-o", "remount,size=64m", path)).success);
      await until(5000, "it takes messages again", async () => {
        const { seq } = await node.send(KEY, payload, { id: "after" });
        recorded = seq;
        return seq;
      });
    });
    await t.step("and is all there in the next life", async () => {
      await using node = await startNode({ data: path });
      assert.equal(await seqs(node), recorded);
    });
  } finally {
    await new Deno.Command("umount", { args: [path] }).output();
    await Deno.remove(path);
  }
});
