/**
 * A RabbitMQ of the tests' own: Debian's, with a folder, ports and a port mapper (epmd) of its own, so that nothing of it is
 * left when the test ends and nothing else on the machine is met.
 */
import { connect } from "npm:amqplib@2.3.1";
import { accepts, freePort, ServerProcess } from "./server_process.ts";

const SERVER = "/usr/lib/rabbitmq/bin/rabbitmq-server";

/** Whether there is one, or why not. */
export async function findRabbit(): Promise<{ reason: string } | Record<never, never>> {
  const isThere = await Deno.stat(SERVER).then(() => true, () => false);
  return isThere ? {} : { reason: "there is no rabbitmq-server (Debian: apt-get install rabbitmq-server)" };
}

/** A broker that is up. */
export interface RabbitBroker extends AsyncDisposable {
  readonly address: string;
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** Starts a broker without queues. */
export async function startRabbit(): Promise<RabbitBroker> {
  const [port, distributionPort, mapperPort] = [freePort(), freePort(), freePort()];
  const address = `127.0.0.1:${port}`;
  const quiet = { stdin: "null", stdout: "null", stderr: "null" } as const;
  const env = { ERL_EPMD_PORT: String(mapperPort), ERL_EPMD_ADDRESS: "127.0.0.1" };
  const mapper = await ServerProcess.start(
    () => new Deno.Command("epmd", { args: ["-relaxed_command_check"], env, ...quiet }),
    () => accepts(mapperPort),
  );
  const end = () => mapper[Symbol.asyncDispose]();
  const server = await ServerProcess.start(async (folder) => {
    await Deno.writeTextFile(`${folder}/rabbitmq.conf`, `listeners.tcp.default = ${address}\nlog.console = false\n`);
    return new Deno.Command(SERVER, {
      env: {
        ...env,
        HOME: folder,
        // else the shell script stays between us and the broker, and a kill meets the script
        RUNNING_UNDER_SYSTEMD: "true",
        RABBITMQ_NODENAME: `test${port}@localhost`,
        RABBITMQ_DIST_PORT: String(distributionPort),
        RABBITMQ_CONF_ENV_FILE: "/dev/null",
        RABBITMQ_CONFIG_FILE: `${folder}/rabbitmq.conf`,
        RABBITMQ_ENABLED_PLUGINS_FILE: `${folder}/plugins`,
        RABBITMQ_MNESIA_BASE: `${folder}/mnesia`,
        RABBITMQ_LOG_BASE: `${folder}/log`,
        RABBITMQ_PID_FILE: `${folder}/pid`,
      },
      ...quiet,
    });
  }, async () => {
    const connection = await connect(`amqp://${address}`, { timeout: 1_000 });
    await connection.close();
  }).catch(async (error) => {
    await end();
    throw error;
  });
  return {
    address,
    kill: () => server.kill(),
    start: () => server.start(),
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await end();
    },
  };
}
