/**
 * A cluster as somebody at a terminal has it: `waterpark cluster start`, commands of the same kind, and at the end
 * `cluster stop` in any case. Its state file is its own, so it meets no other cluster of this machine.
 */
import assert from "node:assert/strict";
import { connect, type WaterparkClient } from "../../client.ts";
import { type Answer, waterpark } from "../cli/transcript.ts";
import type { Asked } from "./under_load.ts";

/** The cluster, and the way to type. */
export interface StartedCluster extends Asked {
  /** where HTTP is listened to, by node */
  readonly urls: readonly string[];
  /** where nodes listen to each other */
  readonly meshes: readonly string[];
  /** Types `waterpark ARGS`. */
  type(...args: string[]): Promise<Answer>;
}

/** Starts five nodes, runs `body`, stops them. */
export async function withStartedCluster(body: (cluster: StartedCluster) => Promise<void>): Promise<void> {
  const state = await Deno.makeTempDir();
  const type = (...args: string[]) => waterpark(args, { WATERPARK_STATE: `${state}/cluster.json` });
  try {
    const options = ["--nodes", "5", "--base-port", freePortBase(), "--detach", "--json"];
    const { code, stdout, stderr } = await type("cluster", "start", ...options);
    assert.equal(code, 0, stderr);
    const nodes = JSON.parse(stdout.trim()).nodes as { name: string; http: string; mesh: string }[];
    const urls = nodes.map(({ http }) => `http://${http}`);
    const client: WaterparkClient = connect(urls);
    const alive = urls.map((http) => ({ http }));
    await body({ alive, urls, meshes: nodes.map(({ mesh }) => mesh), client: () => client, type });
  } finally {
    await type("cluster", "stop");
    await Deno.remove(state, { recursive: true });
  }
}

/** Ports from which five nodes find room: mesh from here, HTTP 4000 above, MLLP 2025 below. */
function freePortBase(): string {
  // Below the ports that the system gives to whoever connects somewhere: one of those is taken again within moments.
  for (let base = 10_000 + Deno.pid % 100 * 100; base < 25_000; base += 100) {
    const ports = [base, base + 4000, base - 2025].flatMap((first) => Array.from({ length: 5 }, (_, i) => first + i));
    if (ports.every(isFree)) return String(base);
  }
  throw new Error("no run of free ports");
}

function isFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch {
    return false;
  }
}
