/**
 * `waterpark bench overload`: what a cluster does when several times as much comes as it can take. First how much that is,
 * then the crowd, then whether it is as before.
 */
import { nodeNames } from "../cluster.ts";
import { Child } from "../child.ts";
import { residentBytes } from "../processes.ts";
import { auditReceipts } from "../receipts_audit.ts";
import { ClusterOfProcesses } from "../../tests/cluster/cluster_of_processes.ts";
import type { CrowdOptions, CrowdResult } from "./crowd.ts";
import type { NewcomersOptions, NewcomersResult } from "./newcomers.ts";

/** What is measured. */
export interface OverloadOptions {
  nodes: number;
  /** times the load that is sustained */
  times: number;
  /** how long, s */
  seconds: number;
  actors: number;
  messageBytes: number;
  talk: (text: string) => void;
}

/** What came of it. */
export interface OverloadResult {
  /** messages recorded a second, 256 under way at a time */
  bestPerSecond: number;
  /** due a second in the overload, and recorded of that */
  duePerSecond: number;
  recordedPerSecond: number;
  afterPerSecond: number;
  overload: CrowdResult;
  /** those who connected anew meanwhile */
  newcomers: NewcomersResult;
  /** resident memory of all nodes before, at most, and after, bytes */
  residentBytes: { before: number; most: number; after: number };
  /** writers that moved although nobody died */
  writersMoved: number;
  /** nodes that the topology calls absent at the end */
  absent: string[];
  notProven: string | null;
}

const CROWD = new URL("crowd.ts", import.meta.url).pathname;
const NEWCOMERS = new URL("newcomers.ts", import.meta.url).pathname;
const SUSTAINED_UNDER_WAY = 256;
const SUSTAINED_SECONDS = 8;
/** Sockets that a process may have open, and what a load balancer in front would let through. */
const UNDER_WAY_MAX = 4000;

/** Runs it. Nothing of it is left running afterwards. */
export async function measureOverload(options: OverloadOptions): Promise<OverloadResult> {
  const { nodes, times, seconds, actors, messageBytes, talk } = options;
  talk(`starting ${nodes} nodes`);
  await using cluster = await ClusterOfProcesses.start({ names: nodeNames(nodes) });
  const directory = await Deno.makeTempDir({ prefix: "waterpark-overload-" });
  try {
    const urls = cluster.nodes.map(({ http }) => http);
    const pids = cluster.nodes.map(({ pid }) => pid);
    const { clusterId } = await cluster.client().topology();
    const files: string[] = [];
    const crowd = async (name: string, load: Pick<CrowdOptions, "rate" | "seconds" | "underWayMax">) => {
      const receipts = `${directory}/${name}.ndjson`;
      files.push(receipts);
      const crowdOptions: CrowdOptions = { ...load, urls, actors, messageBytes, prefix: name, clusterId, receipts };
      const child = new Child({ name, args: [CROWD, JSON.stringify(crowdOptions)] });
      try {
        return await child.answer<CrowdResult>();
      } finally {
        await child.end();
      }
    };
    const sustained = { rate: null, seconds: SUSTAINED_SECONDS, underWayMax: SUSTAINED_UNDER_WAY };
    talk("warming up");
    await crowd("warm-up", sustained);
    talk("what is sustained?");
    const best = perSecond(await crowd("best", sustained));
    const before = residentBytes(pids);
    talk(`${best} messages/s; now ${times} times as many for ${seconds} s`);
    const watch = new Watch(cluster, pids);
    const [overload, newcomers] = await Promise.all([
      crowd("overload", { rate: best * times, seconds, underWayMax: UNDER_WAY_MAX }),
      comeAnew({ urls, seconds, prefix: "newcomer" }),
    ]);
    const { mostBytes, writersMoved } = await watch.end();
    talk("and afterwards?");
    const after = perSecond(await crowd("after", sustained));
    const { nodes: views } = await cluster.client().topology();
    let notProven: string | null = null;
    talk("asking the copies for every receipt");
    for (const file of files) {
      await auditReceipts(urls, file, () => {}).catch((error: Error) => notProven = error.message);
    }
    return {
      bestPerSecond: best,
      duePerSecond: best * times,
      recordedPerSecond: perSecond(overload),
      afterPerSecond: after,
      overload,
      newcomers,
      residentBytes: { before, most: mostBytes, after: residentBytes(pids) },
      writersMoved,
      absent: views.filter((node) => node.status === "absent").map(({ name }) => name),
      notProven,
    };
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function comeAnew(options: NewcomersOptions): Promise<NewcomersResult> {
  const child = new Child({ name: "newcomers", args: [NEWCOMERS, JSON.stringify(options)] });
  try {
    return await child.answer<NewcomersResult>();
  } finally {
    await child.end();
  }
}

function perSecond({ recorded, seconds }: CrowdResult): number {
  return Math.round(recorded / seconds);
}

/** Looks at the nodes once a second, through the kernel and by their metrics. */
class Watch {
  readonly #cluster: ClusterOfProcesses;
  readonly #pids: readonly number[];
  readonly #watching: Promise<void>;
  #isOver = false;
  #mostBytes = 0;
  #writersMoved = 0;
  #writers: (number | null)[] = [];

  constructor(cluster: ClusterOfProcesses, pids: readonly number[]) {
    this.#cluster = cluster;
    this.#pids = pids;
    this.#watching = this.#watch();
  }

  async end(): Promise<{ mostBytes: number; writersMoved: number }> {
    this.#isOver = true;
    await this.#watching;
    return { mostBytes: this.#mostBytes, writersMoved: this.#writersMoved };
  }

  async #watch(): Promise<void> {
    while (!this.#isOver) {
      this.#mostBytes = Math.max(this.#mostBytes, residentBytes(this.#pids));
      const writers = await Promise.all(this.#cluster.nodes.map(({ http }) => writersOf(http)));
      // what one has lost another has won: half the sum of the changes
      let changes = 0;
      writers.forEach((count, i) => {
        const was = this.#writers[i] ?? null;
        if (count !== null && was !== null) changes += Math.abs(count - was);
        this.#writers[i] = count ?? was;
      });
      this.#writersMoved += Math.ceil(changes / 2);
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

async function writersOf(http: string): Promise<number | null> {
  try {
    const text = await (await fetch(`${http}/metrics`, { signal: AbortSignal.timeout(5000) })).text();
    return Number(/^waterpark_shard_writers\S* (\d+)/m.exec(text)?.[1]);
  } catch {
    return null;
  }
}
