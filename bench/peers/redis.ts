/** Redis: one primary, four replicas that follow it, nothing on disk. A message is a stream's entry, a patient a stream. */
import { ByteStream } from "./byte_stream.ts";
import type { Need, Peer, RunningPeer } from "./peer.ts";
import { respCommand, RespReader } from "./resp.ts";
import { freePort, Servers, until } from "./server.ts";

const REPLICAS = 4;
const NEEDS: Need[] = [{ command: "redis-server", package: "redis-server" }];

/** Acknowledged once for all that a client sent together. */
export const REDIS_BATCH: Peer = {
  name: "Redis, a WAIT 2 for each batch",
  word: "redis",
  needs: NEEDS,
  sender: "redis-batch",
  start,
};

/** Acknowledged one by one, over as many connections as that needs. */
export const REDIS_EACH: Peer = {
  name: "Redis, a WAIT 2 for each message",
  word: "redis-each",
  needs: NEEDS,
  sender: "redis-each",
  start,
};

async function start(folder: string): Promise<RunningPeer> {
  const servers = new Servers();
  try {
    const ports = Array.from({ length: REPLICAS + 1 }, freePort);
    for (const [i, port] of ports.entries()) {
      const of = i === 0 ? [] : ["--replicaof", "127.0.0.1", String(ports[0])];
      const bare = ["--save", "", "--appendonly", "no", "--daemonize", "no", "--repl-diskless-sync-delay", "0"];
      servers.start({
        command: "redis-server",
        args: ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, ...bare, ...of],
        log: `${folder}/redis-${i}.log`,
      });
    }
    await Promise.all(ports.map((port) => servers.listening(port)));
    await until(async () => await replicasOf(ports[0]) >= REPLICAS, `a primary must have its ${REPLICAS} replicas`);
    return { pids: servers.pids, ports, stop: () => servers.stop() };
  } catch (error) {
    await servers.stop();
    throw error;
  }
}

/** Replicas that have the primary's data now. */
async function replicasOf(port: number): Promise<number> {
  using stream = await ByteStream.connect(port);
  return await new Promise((resolve) => {
    const reader = new RespReader((reply) => resolve(String(reply.value).match(/state=online/g)?.length ?? 0));
    stream.read((bytes) => reader.push(bytes));
    stream.write(respCommand("INFO", "replication"));
    stream.flush();
  });
}
