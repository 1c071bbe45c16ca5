/**
 * What each copy holds, asked of it alone: while one node answers, every other node's process is frozen (SIGSTOP), so
 * nobody can lend it an answer. Witnesses are heard one by one, the others wait outside.
 */
import type { ActorKey, ActorView } from "../../client.ts";
import type { ClusterOfProcesses } from "./cluster_of_processes.ts";
import { until } from "./waiting.ts";

/** What one copy says of one actor. */
export interface CopyAlone {
  /** the node that holds it */
  node: string;
  /** as it sees the actor */
  view: ActorView;
}

/** Told when a node is about to be asked (`actors` is null), and of how many actors it has been asked then. */
export type OnNode = (name: string, actors: number | null) => void;

/**
 * Every copy that can be found of each of the actors: their members are asked of the running cluster, then each member
 * by itself. A member that has nothing to say is left out, so the caller must count.
 *
 * The cluster is as good as unusable meanwhile, and has elections to hold afterwards: for the end of a test.
 */
export async function copiesAlone(
  cluster: ClusterOfProcesses,
  keys: readonly ActorKey[],
  options: { askedAtOnce?: number; onNode?: OnNode } = {},
): Promise<Map<ActorKey, CopyAlone[]>> {
  const { askedAtOnce = 16, onNode } = options;
  await untilQuiet(cluster);
  const held = new Map<string, ActorKey[]>(cluster.alive.map((node) => [node.name, []]));
  const client = cluster.client();
  await atOnce(askedAtOnce, keys, async (key) => {
    const { writer, followers } = await until(15_000, "every actor has a writer", () => client.read(key));
    // a restarted node may be among the members twice: as the life that ended, and as the one that takes its place
    for (const name of new Set([writer, ...followers])) held.get(name)?.push(key);
  });
  const copies = new Map<ActorKey, CopyAlone[]>(keys.map((key) => [key, []]));
  const nodes = cluster.alive;
  try {
    for (const node of nodes) {
      for (const other of nodes) other.signal(other === node ? "SIGCONT" : "SIGSTOP");
      onNode?.(node.name, null);
      const alone = cluster.client(node.name, { alone: true, deadlineMs: 2000 });
      await until(5000, `${node.name} answers alone`, async () => (await alone.topology()).node);
      await atOnce(askedAtOnce, held.get(node.name)!, async (key) => {
        const view = await alone.read(key, { read: "nearest" }).catch(() => null);
        if (view !== null) copies.get(key)!.push({ node: node.name, view });
      });
      if (node === nodes[0]) {
        await assertAlone(
          cluster,
          node.name,
          keys.find((key) => !held.get(node.name)!.includes(key)),
        );
      }
      onNode?.(node.name, held.get(node.name)!.length);
    }
  } finally {
    for (const node of nodes) node.signal("SIGCONT");
  }
  return copies;
}

/** Waits until no shard has anything left to do: every copy then knows how far its writer has committed. */
async function untilQuiet(cluster: ClusterOfProcesses): Promise<void> {
  await until(20_000, "the cluster is quiet", async () => {
    const awake = await Promise.all(cluster.alive.map(async ({ http }) => {
      const text = await (await fetch(`${http}/metrics`)).text();
      return Number(/^waterpark_shards_awake\S* (\d+)/m.exec(text)?.[1]);
    }));
    return awake.every((count) => count === 0) || null;
  });
}

// The check of the check: of an actor that this node does not hold it must know nothing, or somebody has helped it.
async function assertAlone(cluster: ClusterOfProcesses, name: string, foreign: ActorKey | undefined): Promise<void> {
  if (foreign === undefined) return;
  const client = cluster.client(name, { alone: true, deadlineMs: 700 });
  const answer = await client.read(foreign, { read: "nearest" }).catch(() => null);
  if (answer !== null) throw new Error(`${name} was to be alone, and knows an actor that it does not hold`);
}

/** Does `work` for each of `items`, at most `width` at a time. */
export async function atOnce<T>(width: number, items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const rest = items[Symbol.iterator]();
  const worker = async () => {
    for (let next = rest.next(); !next.done; next = rest.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: width }, worker));
}
