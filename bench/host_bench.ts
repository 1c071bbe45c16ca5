/**
 * What handling costs: one node's actors and effects with a real plugin host process, without replication, mailroom and
 * sockets. A message is handled when its outcome is committed. Says messages a second, and CPU a message on the node's
 * side and on the host's.
 *
 *     deno run -A bench/host_bench.ts [--plugin counter,census,none] [--in-flight 1,64,1024] [--actors 10000,16]
 *         [--messages 100000] [--copies 1] [--runtime DIR]
 *
 * `counter` keeps a number, `census` is the README's handler with one effect a message, `none` deploys nothing.
 * `--copies` feeds so many followers in this process too: what they do is measured apart. `--runtime` is where another
 * version's `runtime` folder stands, to be measured by the same bench.
 */
import { parseArgs } from "node:util";
import { cpuSeconds, processTree } from "./processes.ts";
import type { LivePlugin } from "../runtime/actors/mod.ts";
import type { ShardStore } from "../runtime/storage/mod.ts";

const COUNTER = `import { defineHandler } from "@waterpark/waterpark";
export default defineHandler({ name: "counter", kind: "patient", initial: { n: 0 },
  handle: (_key, { n }) => ["ok", { n: n + 1 }, []] });`;
const SHARDS = 16;
const PAYLOAD = new TextEncoder().encode(JSON.stringify({ type: "admit", ward: "5W", note: "x".repeat(260) }));

/** How one case is set up. */
interface Case {
  plugin: string;
  inFlight: number;
  actors: number;
  messages: number;
  copies: number;
}

/** A version's rooms. */
async function rooms(runtime: string) {
  const load = (room: string) => import(new URL(`${room}/mod.ts`, runtime).href);
  const [actors, effects, storage, host, world, node] = await Promise.all(
    ["actors", "effects", "storage", "plugin_host", "world", "node"].map(load),
  );
  return { actors, effects, storage, host, world, node };
}

type Rooms = Awaited<ReturnType<typeof rooms>>;

/** One copy of all shards. */
class Copy {
  readonly stores: ShardStore[];
  // deno-lint-ignore no-explicit-any -- rooms of whatever version
  readonly actors: any;
  handled = 0;
  applyMs = 0;
  onHandled: () => void = () => {};
  readonly #commits = new Array<number>(SHARDS).fill(0);
  readonly #dirty = new Set<number>();
  readonly #ends: (() => void)[] = [];
  readonly #marks = new Map<string, number>();
  #planned = false;

  constructor({ actors, effects, storage, world, node }: Rooms, options: {
    fold: unknown;
    plugins: LivePlugin[];
    followers: Copy[];
  }) {
    const time = world.systemWorld();
    const { config } = { config: node.configWith({}) };
    this.stores = Array.from({ length: SHARDS }, () => new storage.ShardStore());
    const propose = (kind: number) => (shard: number, body: Uint8Array, done: (end: string) => void) => {
      this.stores[shard].appendEntry(1, kind as 4, body);
      this.#ends.push(() => done("committed"));
      this.touch(shard);
    };
    const room = new effects.Effects({
      world: time,
      post: (_posting: unknown, done: (result: unknown) => void) => time.soon(() => done({ state: "recorded" })),
      proposeDone: propose(storage.ENTRY.DONE),
      read: (shard: number, index: number) => this.stores[shard].body(index),
      retire: () => {},
      clockAheadMs: () => 0,
      alert: () => {},
      config: config.effects,
    });
    const timers = new effects.Timers({
      world: time,
      store: (shard: number) => this.stores[shard],
      commitIndex: (shard: number) => this.#commits[shard],
      isSettled: () => true,
      clockAheadMs: () => 0,
      record: () => {},
      alert: () => {},
      config: config.effects,
    });
    this.actors = new actors.Actors({
      world: time,
      fold: options.fold,
      store: (shard: number) => this.stores[shard],
      commitIndex: (shard: number) => this.#commits[shard],
      proposeOutcomes: propose(storage.ENTRY.OUTCOMES),
      proposeRetire: () => {},
      isSettled: () => true,
      plugins: () => options.plugins,
      switches: () => ({}),
      effects: room,
      timers,
      alert: (code: string, text: string) => console.error(code, text),
      onOutcome: (_shard: number, { key, seq }: { key: string; seq: number }) => {
        this.handled += Math.max(0, seq - (this.#marks.get(key) ?? 0));
        this.#marks.set(key, seq);
        this.onHandled();
      },
      config: config.actors,
    });
    this.#followers = options.followers;
    this.time = time;
  }

  readonly #followers: Copy[];
  // deno-lint-ignore no-explicit-any -- a world of whatever version
  readonly time: any;

  /** Something was appended; it is committed with whatever else this turn brings. */
  touch(shard: number): void {
    this.#dirty.add(shard);
    if (this.#planned) return;
    this.#planned = true;
    this.time.soon(() => this.#commit());
  }

  #commit(): void {
    this.#planned = false;
    const ends = this.#ends.splice(0);
    const shards = [...this.#dirty];
    this.#dirty.clear();
    for (const shard of shards) {
      for (const follower of this.#followers) follower.feed(shard, this.stores[shard]);
      this.apply(shard);
    }
    for (const end of ends) end();
  }

  /** Takes over what the writer has more. */
  feed(shard: number, from: ShardStore): void {
    const store = this.stores[shard];
    if (store.lastIndex === from.lastIndex) return;
    const { bytes } = from.copyRange(store.lastIndex + 1, 1 << 26, from.lastIndex);
    for (let at = 0; at < bytes.length;) at = store.appendRaw(bytes, at).next;
    this.apply(shard);
  }

  /** Applies what stands in the log. */
  apply(shard: number): void {
    const first = this.#commits[shard] + 1;
    const last = this.#commits[shard] = this.stores[shard].lastIndex;
    const from = performance.now();
    this.actors.committed(shard, first, last);
    this.applyMs += performance.now() - from;
  }
}

async function run(the: Rooms, { plugin, inFlight, actors, messages, copies }: Case): Promise<void> {
  const source = plugin === "census"
    ? new URL("../plugins/census.ts", import.meta.url).href
    : "data:application/typescript," + encodeURIComponent(COUNTER);
  const bundle = plugin === "none" ? null : await the.host.bundlePlugin(source);
  await the.host.stopBundler();
  const host = new the.host.ProcessHost({
    world: the.world.systemWorld(),
    onDeath: (reason: string) => console.error("host died", reason),
  });
  const before = new Set(processTree(Deno.pid));
  if (bundle !== null) {
    host.start();
    await new Promise((resolve) => host.load(bundle.hash, bundle.name, bundle.bytes, resolve));
  }
  const children = [...processTree(Deno.pid)].filter((pid) => !before.has(pid));
  const plugins = bundle === null ? [] : [{ name: bundle.name, hash: bundle.hash, actorKind: "patient" }];
  const followers = Array.from({ length: copies - 1 }, () => new Copy(the, { fold: null, plugins, followers: [] }));
  const writer = new Copy(the, { fold: host.fold, plugins, followers });
  for (let shard = 0; shard < SHARDS; shard++) writer.actors.becameWriter(shard);
  const keys = Array.from({ length: actors }, (_, i) => `patient/FACILITY${i % 64}/${i}`);

  let sent = 0;
  const send = () => {
    const i = (sent * 7919) % actors;
    const shard = i % SHARDS;
    const id = `message-${sent++}`;
    writer.stores[shard].appendMessage(1, {
      key: keys[i],
      id,
      type: "admit",
      contentType: "application/json",
      atMs: 1e12,
      payload: PAYLOAD,
    });
    writer.touch(shard);
  };
  const through = (count: number) =>
    new Promise<void>((resolve) => {
      const until = sent + count;
      const room = plugin === "none" ? () => sent < until : () => sent < until && sent - writer.handled < inFlight;
      const base = writer.handled;
      writer.onHandled = () => {
        while (room()) send();
        if (writer.handled - base >= count) resolve();
      };
      if (plugin !== "none") return writer.onHandled();
      const more = () => {
        for (let i = 0; i < inFlight && sent < until; i++) send();
        if (sent < until) setTimeout(more, 0);
        else setTimeout(resolve, 10);
      };
      more();
    });
  await through(Math.min(messages, actors * 2, 20_000));
  const cpuOfHost = () => cpuSeconds(children);
  const [allFrom, hostFrom, wallFrom] = [cpuSeconds([Deno.pid]), cpuOfHost(), performance.now()];
  for (const copy of [writer, ...followers]) copy.applyMs = 0;
  await through(messages);
  const wallMs = performance.now() - wallFrom;
  const hostUs = (cpuOfHost() - hostFrom) / messages * 1e6;
  const nodeUs = (cpuSeconds([Deno.pid]) - allFrom) / messages * 1e6 - hostUs;
  const us = (ms: number) => (ms / messages * 1000).toFixed(2);
  console.log(
    [
      plugin.padEnd(8),
      `${actors}`.padStart(6),
      `${inFlight}`.padStart(6),
      `${Math.round(messages / wallMs * 1000)}`.padStart(9),
      nodeUs.toFixed(1).padStart(8),
      hostUs.toFixed(1).padStart(8),
      us(writer.applyMs).padStart(8),
      followers.length === 0 ? "-".padStart(8) : us(followers[0].applyMs).padStart(8),
    ].join(" "),
  );
  await host.close();
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      "plugin": { type: "string", default: "counter,census" },
      "in-flight": { type: "string", default: "1,64,1024" },
      "actors": { type: "string", default: "10000,16" },
      "messages": { type: "string", default: "100000" },
      "copies": { type: "string", default: "1" },
      "runtime": { type: "string", default: new URL("../runtime/", import.meta.url).href },
    },
  });
  const the = await rooms(new URL(values.runtime, `file://${Deno.cwd()}/`).href.replace(/\/?$/, "/"));
  console.log("plugin   actors flight handled/s  node us  host us apply us  follower us");
  const list = (text: string) => text.split(",");
  for (const plugin of list(values.plugin)) {
    for (const actors of list(values.actors).map(Number)) {
      for (const inFlight of list(values["in-flight"]).map(Number)) {
        const messages = inFlight === 1 ? Math.min(Number(values.messages), 2000) : Number(values.messages);
        await run(the, { plugin, inFlight, actors, messages, copies: Number(values.copies) });
      }
    }
  }
  Deno.exit(0);
}
