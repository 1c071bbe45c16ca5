/**
 * Actors that are counted while plugins change: a handler that counts and tells a ledger, in as many versions as wanted, and a
 * steady load whose every message is waited for. Like a turnstile and the cashier's book: at the end both must have the
 * same number, whoever stood at the till.
 */
import assert from "node:assert/strict";
import type { ActorKey, WaterparkClient } from "../../client.ts";
import { bundlePlugin, stopBundler } from "../../runtime/plugin_host/mod.ts";
import type { ClusterOfProcesses } from "./cluster_of_processes.ts";
import { until, within } from "./waiting.ts";

/** A bundle as `deploy` takes it. */
export type Version = Parameters<WaterparkClient["deploy"]>[0];

const NAME = "version-00000";

/** Makes versions of a counter that tells its ledger of every message; all of them decide the same. */
export async function counterVersions(): Promise<(version: number) => Promise<Version>> {
  const source = `
    import { defineHandler, effect } from "@waterpark/waterpark";
    export default defineHandler({
      name: "counter", kind: "patient", initial: { count: 0 },
      handle(key, { count }, message) {
        const note = effect.send({ kind: "ledger", facility: key.facility, id: key.id }, { type: "counted", seq: message.seq });
        return ["ok", { count: count + 1 }, message.type === "quiet" ? [] : [effect.reply("${NAME}"), note]];
      },
    });`;
  try {
    const { name, kind, actorKind, bytes } = await bundlePlugin(
      "data:application/typescript," + encodeURIComponent(source),
    );
    const text = new TextDecoder().decode(bytes);
    return async (version) => {
      const bundle = new TextEncoder().encode(text.replace(NAME, `version-${String(version).padStart(5, "0")}`));
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bundle));
      const hash = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
      return { name, kind, actorKind, hash, bundle, url: "data:" };
    };
  } finally {
    await stopBundler();
  }
}

/** The key of the `i`th actor. */
export function keyOf(i: number): ActorKey {
  return { kind: "patient", facility: `H${i % 7}`, id: String(i) };
}

/** A message's way: when it was due, how long it took from then until it was handled; ms. */
export interface Taken {
  dueMs: number;
  tookMs: number;
}

/** Messages at a steady rate, each waited for until it is handled; what is late counts from when it was due. */
export class SteadyLoad {
  /** what came back, in that order */
  readonly taken: Taken[] = [];
  /** by actor */
  readonly sent: Uint32Array;
  readonly #clients: WaterparkClient[];
  readonly #perSecond: number;
  readonly #under = new Set<Promise<void>>();
  readonly #running: Promise<void>;
  #failed: unknown;
  #isOver = false;

  constructor(cluster: ClusterOfProcesses, options: { actors: number; perSecond: number }) {
    this.sent = new Uint32Array(options.actors);
    this.#perSecond = options.perSecond;
    this.#clients = cluster.alive.map(({ name }) => cluster.client(name));
    this.#running = this.#run();
  }

  /** p50 and p99 of what was due in this time, and how many; ms. */
  between(fromMs: number, toMs: number): { p50: number; p99: number; max: number; count: number } {
    return this.within([[fromMs, toMs]]);
  }

  /** As {@linkcode between}, of all that were due in any of these stretches. */
  within(
    stretches: readonly (readonly [fromMs: number, toMs: number])[],
  ): { p50: number; p99: number; max: number; count: number } {
    const took = this.taken.filter(({ dueMs }) => stretches.some(([fromMs, toMs]) => dueMs >= fromMs && dueMs < toMs))
      .map(({ tookMs }) => tookMs);
    return { ...percentiles(took), count: took.length };
  }

  /** Ends it; throws what a message has failed with. */
  async end(): Promise<void> {
    this.#isOver = true;
    await this.#running;
    await Promise.all(this.#under);
    if (this.#failed !== undefined) throw this.#failed;
  }

  async #run(): Promise<void> {
    const fromMs = performance.now();
    for (let number = 0; !this.#isOver && this.#failed === undefined;) {
      const dueMs = fromMs + number / this.#perSecond * 1000;
      const leftMs = dueMs - performance.now();
      if (leftMs > 0) {
        await new Promise((resolve) => setTimeout(resolve, leftMs));
        continue;
      }
      const one = this.#send(number++, dueMs).catch((error) => void (this.#failed ??= error));
      this.#under.add(one);
      one.finally(() => this.#under.delete(one));
    }
  }

  async #send(number: number, dueMs: number): Promise<void> {
    const actor = number % this.sent.length;
    this.sent[actor]++;
    const client = this.#clients[number % this.#clients.length];
    const { reply } = await client.send(keyOf(actor), { type: "tick" }, { wait: "handled" });
    this.taken.push({ dueMs, tookMs: performance.now() - dueMs });
    assert.match(String(reply), /^version-/);
  }
}

/** Percentiles of numbers; NaN of none. */
export function percentiles(numbers: number[]): { p50: number; p99: number; max: number } {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

/** Every message is there and counted once, and its effect was carried out once and in order; `extra` came beside the load. */
export async function requireExact(client: WaterparkClient, sent: Uint32Array, extra = 0): Promise<void> {
  const one = async (i: number): Promise<void> => {
    const { seq, projections, parked } = await client.read(keyOf(i));
    assert.deepEqual([seq, projections.counter, parked], [sent[i] + extra, { count: sent[i] + extra }, {}]);
    const ledger = await until(20_000, "every effect is carried out", async () => {
      const all: number[] = [];
      for (let after = 0, next: number | null = 0; next !== null; after = next ?? 0) {
        const page = await client.history({ ...keyOf(i), kind: "ledger" }, { limit: 1000, after });
        all.push(...page.events.map(({ body }) => (body as { seq: number }).seq));
        next = page.next;
      }
      return all.length >= sent[i] ? all : null;
    });
    assert.deepEqual(ledger, ledger.map((_, n) => n + 1 + extra), "each once, and in order");
    assert.equal(ledger.length, sent[i], "none twice");
  };
  for (let from = 0; from < sent.length; from += 32) {
    await Promise.all(Array.from({ length: Math.min(32, sent.length - from) }, (_, i) => one(from + i)));
  }
}

/** What the cluster's processes hold, in MiB. */
export interface Memory {
  /** resident, of the nodes */
  nodes: number;
  /** resident, of their plugin hosts */
  hosts: number;
  /** what is recorded, outside the heaps */
  log: number;
  /** what is left in the nodes' heaps when all garbage is collected: without V8's leisure */
  heaps: number;
}

/** See {@linkcode Memory}. */
export async function memoryOf(cluster: ClusterOfProcesses): Promise<Memory> {
  const memory = { nodes: 0, hosts: 0, log: 0, heaps: 0 };
  const read = (path: string) => Deno.readTextFile(path).catch(() => "");
  const resident = async (pid: string | number) => Number((await read(`/proc/${pid}/statm`)).split(" ")[1] ?? 0) / 256;
  for (const node of cluster.alive) {
    const { pid, http } = node;
    const told = new Promise<string>((resolve) => {
      node.onLine = (line) => line.startsWith('{"heap"') && resolve(line);
    });
    node.signal("SIGUSR2");
    memory.heaps += JSON.parse(await within(20_000, `${node.name} collects its garbage`, told)).heap / 2 ** 20;
    memory.nodes += await resident(pid);
    for (const { name } of Deno.readDirSync(`/proc/${pid}/task`)) {
      for (const child of (await read(`/proc/${pid}/task/${name}/children`)).split(" ")) {
        if (child !== "") memory.hosts += await resident(child);
      }
    }
    const metrics = await (await fetch(`${http}/metrics`)).text();
    memory.log += Number(/^waterpark_log_bytes(?:{[^}]*})? (\S+)$/m.exec(metrics)?.[1] ?? NaN) / 2 ** 20;
  }
  return memory;
}
