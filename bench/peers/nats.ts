/** NATS JetStream: five servers, one stream of five copies in memory. A patient is a subject. */
import { ByteStream } from "./byte_stream.ts";
import { natsConnect, natsPublish, NatsReader } from "./nats_protocol.ts";
import type { Peer, RunningPeer } from "./peer.ts";
import { freePort, Servers, until } from "./server.ts";

const SERVERS = 5;
const STREAM = "WP";
/** The API answers with an error while it has no leader; so it is asked again. */
const ASK_MS_MAX = 2000;

/** The part of the API's answers that is looked at. */
interface StreamInfo {
  error?: { description: string };
  cluster?: { leader?: string; replicas?: { current: boolean }[] };
}

export const NATS: Peer = {
  name: "NATS JetStream, R5, memory",
  word: "nats",
  needs: [{ command: "nats-server", package: "nats-server" }],
  sender: "nats",
  async start(folder: string): Promise<RunningPeer> {
    const servers = new Servers();
    try {
      const nodes = Array.from({ length: SERVERS }, (_, i) => ({
        name: `n${i + 1}`,
        port: freePort(),
        clusterPort: freePort(),
      }));
      const routes = nodes.map(({ clusterPort }) => `nats-route://127.0.0.1:${clusterPort}`).join(", ");
      for (const { name, port, clusterPort } of nodes) {
        const path = `${folder}/${name}.conf`;
        await Deno.writeTextFile(
          path,
          `listen: "127.0.0.1:${port}"\nserver_name: ${name}\n` +
            `jetstream { store_dir: "${folder}/${name}", max_memory_store: 8G, max_file_store: 1G }\n` +
            `cluster { name: wp, listen: "127.0.0.1:${clusterPort}", routes: [${routes}] }\n`,
        );
        servers.start({ command: "nats-server", args: ["-c", path], log: `${folder}/${name}.log` });
      }
      await Promise.all(nodes.map(({ port }) => servers.listening(port)));
      const leader = await createStream(nodes[0].port);
      // The leader's port first: a client that knows where the stream is written saves itself a hop.
      const ports = [
        nodes.find(({ name }) => name === leader)!,
        ...nodes.filter(({ name }) => name !== leader),
      ].map(({ port }) => port);
      return { pids: servers.pids, ports, stop: () => servers.stop() };
    } catch (error) {
      await servers.stop();
      throw error;
    }
  },
};

/** Creates the stream, and waits until all copies are there; the leader's name. */
async function createStream(port: number): Promise<string> {
  using stream = await ByteStream.connect(port);
  let onAnswer = (_: StreamInfo) => {};
  const reader = new NatsReader({
    onMessage: (_, payload) => onAnswer(JSON.parse(new TextDecoder().decode(payload))),
    onPing: () => stream.text("PONG\r\n"),
  });
  stream.read((bytes) => reader.push(bytes));
  stream.text(natsConnect("_INBOX.bench.*"));
  const ask = (subject: string, body: unknown): Promise<StreamInfo> =>
    new Promise((resolve) => {
      const timer = setTimeout(() => resolve({ error: { description: "no answer" } }), ASK_MS_MAX);
      onAnswer = (answer) => {
        clearTimeout(timer);
        resolve(answer);
      };
      stream.text(natsPublish(subject, "_INBOX.bench.api", JSON.stringify(body)));
      stream.flush();
    });
  const wanted = {
    name: STREAM,
    subjects: ["p.>"],
    retention: "limits",
    storage: "memory",
    num_replicas: SERVERS,
    max_consumers: -1,
    max_msgs: -1,
    max_bytes: -1,
    max_age: 0,
    discard: "old",
  };
  await until(
    async () => (await ask(`$JS.API.STREAM.CREATE.${STREAM}`, wanted)).error === undefined,
    "a stream must be created",
  );
  let leader = "";
  await until(async () => {
    const { cluster } = await ask(`$JS.API.STREAM.INFO.${STREAM}`, {});
    leader = cluster?.leader ?? "";
    const replicas = cluster?.replicas ?? [];
    return leader !== "" && replicas.length === SERVERS - 1 && replicas.every(({ current }) => current);
  }, "a stream must have all its copies");
  return leader;
}
