/**
 * The history of a run with a kill in it, checked by porcupine: a linearizability checker that others wrote, and that
 * shares nothing with this project. It must refuse histories in which one line has been doctored.
 */
import assert from "node:assert/strict";
import { withCluster } from "../cluster_of_processes.ts";
import { untilWhole } from "../faults/drills.ts";
import { HistoryFile } from "../faults/history_file.ts";
import { SteadyLoad } from "../faults/steady_load.ts";
import { buildChecker, type Checker } from "./checker.ts";

interface Line {
  process: number | string;
  type: string;
  value?: number;
  f: string;
  key?: string;
  id?: string;
  time: number;
}

/** A call of `id`, from time to time, as two lines; without an end it stays open. */
function call(id: string, [from, to]: [number, number?], end: { type: string; value?: number } = { type: "info" }) {
  const line = { process: Number(id.slice(1)), f: "append", key: `patient/H/${id[0]}`, id };
  const lines: Line[] = [{ ...line, type: "invoke", time: from }];
  return to === undefined ? lines : [...lines, { ...line, ...end, time: to }];
}

const ok = (value: number) => ({ type: "ok", value });

async function laws(checker: Checker): Promise<void> {
  const judge = async (...calls: Line[][]) => {
    const { code, said } = await checker.checkLines(calls.flat().sort((a, b) => a.time - b.time));
    return code === 1 ? said : code;
  };
  assert.equal(await judge(call("a1", [1, 2], ok(1)), call("a2", [3, 4], ok(2)), call("b1", [1, 2], ok(1))), 0);
  assert.equal(await judge(call("a1", [1, 4], ok(2)), call("a2", [2, 3], ok(1))), 0, "at once, in either order");
  const open = call("a1", [1, 2]);
  assert.equal(await judge(open, call("a2", [3, 4], ok(1))), 0, "it never took effect");
  assert.equal(await judge(open, call("a2", [3, 4], ok(2))), 0, "it did");
  assert.equal(await judge(call("a1", [1]), call("a2", [3, 4], ok(1)), call("a3", [5, 6], ok(3))), 0, "it did, late");
  assert.equal(await judge(call("a1", [1, 2], { type: "fail" }), call("a2", [3, 4], ok(1))), 0);
  const refused = "not linearizable: patient/H/a";
  assert.equal(await judge(call("a1", [1, 2], { type: "fail" }), call("a2", [3, 4], ok(2))), refused);
  assert.equal(await judge(call("a1", [1, 2], ok(2)), call("a2", [3, 4], ok(1))), refused, "real time");
  assert.equal(await judge(call("a1", [1, 4], ok(1)), call("a2", [2, 3], ok(1))), refused, "a seq given twice");
  const later = call("a2", [5, 6]);
  assert.equal(await judge(call("a1", [1, 2], ok(2)), later), refused, "what began later explains nothing");
  assert.equal(await judge([{ process: "nemesis", type: "info", f: "strike", time: 1 }]), 2, "nothing to check");
  assert.equal(await judge(call("a1", [1, 2], ok(1)), call("a1", [0, 1], ok(1)).slice(1)), 2, "no call");
}

/** Kills a node under the load of clients of all nodes, so that some are left without an answer. */
async function drill(path: string): Promise<void> {
  const names = ["TN-A-1", "TN-B-1", "TX-A-1", "FL-A-1", "UT-A-1"];
  await withCluster({ names }, async (cluster) => {
    await untilWhole(cluster);
    const { clusterId } = await cluster.client().topology();
    const history = new HistoryFile(path);
    const urls = cluster.nodes.map(({ http }) => http);
    const load = new SteadyLoad({ urls, sendersEach: 2, clusterId, receipts: `${path}.receipts`, history });
    await pause(1000);
    load.fault("strike FL-A-1");
    await cluster.kill("FL-A-1");
    await pause(1500);
    await cluster.restart("FL-A-1");
    load.fault("heal FL-A-1");
    await pause(1500);
    await load.stop();
    history.close();
  });
}

async function theRun(checker: Checker, folder: string): Promise<void> {
  const path = `${folder}/history.jsonl`;
  await drill(path);
  const { code, said } = await checker.check(path);
  assert.equal(code, 0, said);
  const lines: Line[] = (await Deno.readTextFile(path)).trimEnd().split("\n").map((line) => JSON.parse(line));
  const count = (type: string) => lines.filter((line) => line.type === type && line.process !== "nemesis").length;
  console.error(`${said}; ${count("ok")} recorded, ${count("info")} without a certain answer`);
  assert.ok(count("ok") > 500, "few say little");
  assert.ok(count("info") > 0, "somebody was left without an answer");

  // Doctored where all is certain: an append of which nobody knows may excuse its neighbours.
  const uncertain = new Set(lines.filter((line) => line.type === "info").map((line) => line.key));
  const at = lines.findIndex(({ type, key, value }) => type === "ok" && value! > 2 && !uncertain.has(key));
  const { key, value } = lines[at];
  const later = (line: Line, i: number, less: number) =>
    line.type === "ok" && line.key === key && i > at ? { ...line, value: line.value! - less } : line;
  // The append was acknowledged, and the next one got its seq, as if it had never been.
  const lost = lines.map((line, i) => later(line, i, 1));
  const twice = lines.map((line, i) => i === at ? { ...line, value: value! - 1 } : line);
  for (const doctored of [lost, twice]) {
    assert.deepEqual(await checker.checkLines(doctored), { code: 1, said: `not linearizable: ${key}` });
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

Deno.test("porcupine finds a run with a kill linearizable, and a doctored one not", async (t) => {
  const folder = await Deno.makeTempDir();
  try {
    const checker = await buildChecker(folder);
    const reason = typeof checker === "string" ? checker : null;
    if (reason !== null) console.error(`tests/cluster/porcupine is skipped: ${reason}`);
    const step = (name: string, fn: (checker: Checker) => Promise<void>) =>
      t.step({ name, ignore: reason !== null, fn: () => fn(checker as Checker) });
    await step("what is an order and what is none", laws);
    await step("a run, and the same run with one thing changed", (checker) => theRun(checker, folder));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
