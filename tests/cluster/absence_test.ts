/**
 * A node that is dead for good, as an operator watches it: `topology inspect --watch` shows it silent, then absent; then an
 * actor's shard has five copies again, and its writer on the other node of the same data center and zone.
 */
import assert from "node:assert/strict";
import type { ActorPlace, TopologyView } from "../../client.ts";
import { type ClusterOfProcesses, withCluster } from "./cluster_of_processes.ts";
import { DRILL_NODES } from "./faults/drills.ts";
import { post } from "./faults/steady_load.ts";
import { until } from "./waiting.ts";

const GONE = "TN-A-1";
/** the other node of its zone */
const HEIR = "TN-A-2";
const ROOT = new URL("../../", import.meta.url).pathname;
const CONFIG = { absentAfterMs: 3000, replication: { stableAfterMs: 1000 } };

interface Step extends TopologyView {
  actor: ActorPlace;
}

Deno.test("a node that stays dead is absent, its copies are made anew, its writers go to its zone", async () => {
  await withCluster({ names: DRILL_NODES, config: CONFIG as never }, async (cluster) => {
    const key = await writtenBy(cluster, GONE);
    await using watch = new Watch(cluster.node("UT-A-1").http, key);
    await watch.until("it is alive and writes", ({ actor, nodes }) => actor.writer === GONE && aliveIn(nodes, GONE));
    const fromMs = performance.now();
    await cluster.kill(GONE);
    const at = () => `${((performance.now() - fromMs) / 1000).toFixed(1)} s`;
    const told: string[] = [];
    await watch.until("it is silent", ({ nodes }) => !aliveIn(nodes, GONE));
    told.push(`silent ${at()}`);
    const interim = await watch.until("another member writes", ({ actor }) => ![GONE, ""].includes(actor.writer));
    told.push(`${interim.actor.writer} writes ${at()}`);
    const absent = await watch.until("it is absent", ({ nodes }) => of(nodes, GONE).status === "absent");
    told.push(`absent ${at()}`);
    assert.ok(performance.now() - fromMs > CONFIG.absentAfterMs, "not before its time");
    assert.ok(!absent.actor.target.includes(GONE), "placement does without it");
    const home = await watch.until("its zone writes, with five copies", ({ actor }) => {
      const members = [actor.writer, ...actor.followers];
      return actor.writer === HEIR && members.length === 5 && !members.includes(GONE);
    });
    told.push(`five copies, ${HEIR} writes ${at()}`);
    assert.deepEqual([home.actor.writer, ...home.actor.followers].sort(), home.actor.target.toSorted());
    await until(60_000, "all shards have their copies", async () => (await cluster.client().whole()).whole || null);
    told.push(`all 1,024 shards have five ${at()}`);
    console.error(told.join(", "));

    await cluster.restart(GONE);
    await watch.until("it is back", ({ nodes }) => of(nodes, GONE).status === "up" && aliveIn(nodes, GONE));
    const back = await watch.until("and writes again", ({ actor }) => actor.writer === GONE);
    assert.equal(back.actor.key, key);
  });
});

/** The key of an actor that this node writes. */
async function writtenBy(cluster: ClusterOfProcesses, name: string): Promise<string> {
  for (let i = 0; i < 200; i++) {
    const key = `patient/W/${i}`;
    const answer = await post(cluster.node("UT-A-1").http, { key, id: "1", body: new TextEncoder().encode("{}") });
    if ("writer" in answer && answer.writer === name) return key;
  }
  throw new Error(`Cannot find an actor of ${name}`);
}

function of(nodes: TopologyView["nodes"], name: string): TopologyView["nodes"][number] {
  return nodes.find((node) => node.name === name)!;
}

function aliveIn(nodes: TopologyView["nodes"], name: string): boolean {
  return of(nodes, name).alive;
}

/** `waterpark topology inspect --watch` as a process, and what it has shown. */
class Watch implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #steps: Step[] = [];
  readonly #reading: Promise<void>;
  #seen = 0;

  constructor(url: string, key: string) {
    const args = ["topology", "inspect", "--watch", "--json", "--actor", key.replace("patient/", ""), "--node", url];
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-lock", "--config", `${ROOT}deno.json`, `${ROOT}cli/main.ts`, ...args],
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#reading = this.#read();
  }

  /** The first step, from the last one asked for on, of which it is true. */
  async until(what: string, isSo: (step: Step) => boolean): Promise<Step> {
    return await until(60_000, `${what}; last seen: ${JSON.stringify(this.#steps.at(-1)?.actor)}`, () => {
      for (; this.#seen < this.#steps.length; this.#seen++) {
        if (isSo(this.#steps[this.#seen])) return this.#steps[this.#seen];
      }
      return null;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGTERM");
    await Promise.all([this.#child.status, this.#reading]);
  }

  async #read(): Promise<void> {
    let rest = "";
    for await (
      const text of this.#child.stdout.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
    ) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) if (line !== "") this.#steps.push(JSON.parse(line));
    }
  }
}
