import { type FullKey, parseKey } from "../runtime/base/mod.ts";
import type { SimulatedCluster, SimulatedNode } from "../tests/simulation/cluster.ts";
import type { LoggedMessage } from "./given_message.ts";

/** An actor as its writer has it. */
export interface CommittedActor {
  /** canonical text of its key */
  name: string;
  key: FullKey;
  writer: SimulatedNode;
  shard: number;
  messages: LoggedMessage[];
  /** what the plugins keep; null: it could not be read */
  projections: Record<string, unknown> | null;
  /** plugins that stand still */
  parked: Record<string, { seq: number; code: string; message: string }>;
}

const READ_MS_MAX = 10_000;

/** All actors of the cluster with their committed histories, and what the plugins keep; by name, in order. */
export function committedActors(cluster: SimulatedCluster): Map<string, CommittedActor> {
  const found: CommittedActor[] = [];
  for (const writer of cluster.living()) {
    const { replication } = writer.core;
    for (let shard = 0; shard < 1024; shard++) {
      const store = replication.isWriter(shard) ? replication.store(shard) : null;
      for (let row = 0; row < (store?.rowCount ?? 0); row++) {
        const name = store!.rowKey(row);
        const commit = replication.commitIndex(shard);
        const messages = store!.history(name, 0, 1_000_000).filter((index) => index <= commit).map((index) => {
          const { id, atMs: at, type, contentType, payload } = store!.message(index);
          return { id, at, type, contentType, payload: payload.slice() };
        });
        found.push({ name, key: parseKey(name), writer, shard, messages, projections: null, parked: {} });
      }
    }
  }
  read(cluster, found);
  return new Map(found.sort((a, b) => a.name < b.name ? -1 : 1).map((actor) => [actor.name, actor]));
}

function read(cluster: SimulatedCluster, actors: CommittedActor[]): void {
  let open = 0;
  for (const actor of actors) {
    open++;
    actor.writer.core.actors.project(actor.shard, actor.name, {}, (answer) => {
      open--;
      if (answer.state === "ok") Object.assign(actor, { projections: answer.projections, parked: answer.parked });
    });
  }
  const untilMs = cluster.time.nowMs + READ_MS_MAX;
  while (open > 0 && cluster.time.nowMs < untilMs) cluster.time.runUntil(cluster.time.nowMs + 50);
}

/** Whether a handler sees an actor's messages. */
export function handles({ kind }: { kind: string }, actor: CommittedActor): boolean {
  return kind === "*" || kind === actor.key.kind;
}
