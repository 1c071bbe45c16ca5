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
  /** where it wants TLS and a password; 0: nowhere */
  readonly securePort: number;
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** A listener that speaks TLS as localhost, and lets one user in by PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512. */
export interface KafkaSecurity {
  cert: string;
  key: string;
  user: string;
  password: string;
}

/** Starts a broker with an empty log; with `security` it has one more listener, at `localhost`. */
export async function startKafka(
  { classPath }: { classPath: string },
  security: KafkaSecurity | null = null,
): Promise<KafkaBroker> {
  const [port, controllerPort] = [freePort(), freePort()];
  const securePort = security === null ? 0 : freePort();
  const server = await ServerProcess.start(async (folder) => {
    const properties = `${folder}/server.properties`;
    const usual = propertiesOf({ port, controllerPort, securePort, folder: `${folder}/log` });
    await Deno.writeTextFile(properties, usual + (security === null ? "" : secureProperties(security, folder)));
    const format = ["kafka.tools.StorageTool", "format", "-t", "AAAAAAAAAAAAAAAAAAAAAA", "-c", properties];
    if (security !== null) {
      await Deno.writeTextFile(`${folder}/identity.pem`, security.key + security.cert);
      for (const mechanism of SCRAM) {
        format.push("--add-scram", `${mechanism}=[name=${security.user},password=${security.password}]`);
      }
    }
    const { success, stderr } = await new Deno.Command("java", { args: ["-cp", classPath, ...format] }).output();
    if (!success) throw new Error(`Kafka's log cannot be formatted: ${new TextDecoder().decode(stderr)}`);
    // a test's broker lives for seconds: the fast compiler and the small collector start it in half the time
    const small = ["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];
    const args = [...small, "-cp", classPath, "kafka.Kafka", properties];
    return new Deno.Command("java", { args, stdin: "null", stdout: "null", stderr: "null" });
  }, () => accepts(port));
  return {
    port,
    securePort,
    kill: () => server.kill(),
    start: () => server.start(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

const SCRAM = ["SCRAM-SHA-256", "SCRAM-SHA-512"];
const MODULES = "org.apache.kafka.common.security";

function secureProperties({ user, password }: KafkaSecurity, folder: string): string {
  const plain = `${MODULES}.plain.PlainLoginModule required user_${user}="${password}";`;
  return `
listener.name.secure.ssl.keystore.type=PEM
listener.name.secure.ssl.keystore.location=${folder}/identity.pem
listener.name.secure.sasl.enabled.mechanisms=${["PLAIN", ...SCRAM].join()}
listener.name.secure.plain.sasl.jaas.config=${plain}
${
    SCRAM.map((name) =>
      `listener.name.secure.${name.toLowerCase()}.sasl.jaas.config=${MODULES}.scram.ScramLoginModule required;`
    ).join("\n")
  }
`;
}

function propertiesOf(
  { port, controllerPort, securePort, folder }: {
    port: number;
    controllerPort: number;
    securePort: number;
    folder: string;
  },
): string {
  const secure = securePort === 0 ? "" : `,SECURE://localhost:${securePort}`;
  const listeners = `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}${secure}`;
  return `
process.roles=broker,controller
node.id=1
listeners=${listeners}
advertised.listeners=${listeners}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SECURE:SASL_SSL
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
