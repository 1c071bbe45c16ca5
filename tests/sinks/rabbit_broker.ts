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
  /** where it speaks TLS; "": nowhere */
  readonly secureAddress: string;
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** As whom a broker speaks TLS, files of PEM, and the user that it lets in beside `guest`. */
export interface RabbitSecurity {
  certFile: string;
  keyFile: string;
  user: string;
  password: string;
}

/** Starts a broker without queues; with `security` it has a listener for TLS at `localhost`, too. */
export async function startRabbit(security: RabbitSecurity | null = null): Promise<RabbitBroker> {
  const [port, distributionPort, mapperPort] = [freePort(), freePort(), freePort()];
  const address = `127.0.0.1:${port}`;
  const securePort = security === null ? 0 : freePort();
  const quiet = { stdin: "null", stdout: "null", stderr: "null" } as const;
  const env = { ERL_EPMD_PORT: String(mapperPort), ERL_EPMD_ADDRESS: "127.0.0.1" };
  const mapper = await ServerProcess.start(
    () => new Deno.Command("epmd", { args: ["-relaxed_command_check"], env, ...quiet }),
    () => accepts(mapperPort),
  );
  const end = () => mapper[Symbol.asyncDispose]();
  const server = await ServerProcess.start(async (folder) => {
    const usual = `listeners.tcp.default = ${address}\nlog.console = false\n`;
    const secure = security === null ? "" : secureSettings(security, securePort);
    await Deno.writeTextFile(`${folder}/rabbitmq.conf`, usual + secure);
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
    const login = security === null ? "" : `${security.user}:${security.password}@`;
    const connection = await connect(`amqp://${login}${address}`, { timeout: 1_000 });
    await connection.close();
  }).catch(async (error) => {
    await end();
    throw error;
  });
  return {
    address,
    secureAddress: security === null ? "" : `localhost:${securePort}`,
    kill: () => server.kill(),
    start: () => server.start(),
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await end();
    },
  };
}

function secureSettings({ certFile, keyFile, user, password }: RabbitSecurity, port: number): string {
  return `listeners.ssl.default = 127.0.0.1:${port}
ssl_options.certfile = ${certFile}
ssl_options.cacertfile = ${certFile}
ssl_options.keyfile = ${keyFile}
ssl_options.verify = verify_none
default_user = ${user}
default_pass = ${password}
`;
}
