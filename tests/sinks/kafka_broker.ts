/**
 * A Kafka broker of the tests' own: the real one, from Maven Central, in KRaft mode, on the Java that is here. Its archives
 * (28 MB) are fetched once into the user's cache and checked against their sums.
 */
import { KAFKA_JARS } from "./kafka_jars.ts";
import { accepts, freePort, ServerProcess } from "./server_process.ts";

const MAVEN_CENTRAL = "https://repo1.maven.org/maven2";
const FETCH_MS_MAX = 60_000;
const JAVA_MIN = 17;

/** The class path, or why there can be no broker. */
export async function findKafka(): Promise<{ classPath: string } | { reason: string }> {
  const java = await new Deno.Command("java", { args: ["-version"], stdout: "null" }).output().catch(() => null);
  if (java === null || !java.success) return { reason: "there is no java" };
  const version = Number(/version "(\d+)/.exec(new TextDecoder().decode(java.stderr))?.[1]);
  if (!(version >= JAVA_MIN)) return { reason: `Kafka 4 needs Java ${JAVA_MIN}, here is ${version}` };
  const home = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME") ?? "."}/.cache`;
  const folder = `${home}/waterpark/kafka-4.1.2`;
  await Deno.mkdir(folder, { recursive: true });
  const files: string[] = [];
  for (const { path, sha256 } of KAFKA_JARS) {
    const file = `${folder}/${path.slice(path.lastIndexOf("/") + 1)}`;
    files.push(file);
    if (await Deno.readFile(file).then(sha256Of, () => "") === sha256) continue;
    try {
      const response = await fetch(`${MAVEN_CENTRAL}/${path}`, { signal: AbortSignal.timeout(FETCH_MS_MAX) });
      if (!response.ok) return { reason: `Maven Central answers ${response.status} for ${path}` };
      const bytes = new Uint8Array(await response.arrayBuffer());
      if (await sha256Of(bytes) !== sha256) return { reason: `${path} is another than expected` };
      await Deno.writeFile(`${file}.part`, bytes);
      await Deno.rename(`${file}.part`, file);
    } catch (error) {
      return { reason: `${path} cannot be fetched: ${(error as Error).message}` };
    }
  }
  return { classPath: files.join(":") };
}

/** A broker that is up. */
export interface KafkaBroker extends AsyncDisposable {
  readonly port: number;
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** Starts a broker with an empty log. */
export async function startKafka({ classPath }: { classPath: string }): Promise<KafkaBroker> {
  const [port, controllerPort] = [freePort(), freePort()];
  const server = await ServerProcess.start(async (folder) => {
    const properties = `${folder}/server.properties`;
    await Deno.writeTextFile(properties, propertiesOf({ port, controllerPort, folder: `${folder}/log` }));
    const format = ["kafka.tools.StorageTool", "format", "-t", "AAAAAAAAAAAAAAAAAAAAAA", "-c", properties];
    const { success, stderr } = await new Deno.Command("java", { args: ["-cp", classPath, ...format] }).output();
    if (!success) throw new Error(`Kafka's log cannot be formatted: ${new TextDecoder().decode(stderr)}`);
    // a test's broker lives for seconds: the fast compiler and the small collector start it in half the time
    const small = ["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];
    const args = [...small, "-cp", classPath, "kafka.Kafka", properties];
    return new Deno.Command("java", { args, stdin: "null", stdout: "null", stderr: "null" });
  }, () => accepts(port));
  return {
    port,
    kill: () => server.kill(),
    start: () => server.start(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function propertiesOf(
  { port, controllerPort, folder }: { port: number; controllerPort: number; folder: string },
): string {
  return `
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}
advertised.listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
controller.quorum.voters=1@127.0.0.1:${controllerPort}
log.dirs=${folder}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
log.cleaner.enable=false
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=300
`;
}

async function sha256Of(bytes: Uint8Array): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as BufferSource)).toHex();
}
