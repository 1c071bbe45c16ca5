import { configureLog, startNode, WaterparkError } from "../../mod.ts";
import { command } from "../command.ts";
import { fileState, MisuseError } from "../errors.ts";
import { MLLP_FLAGS, mllpSettings } from "../mllp_flags.ts";

/** How finely a new cluster is divided. */
export const SHARDS = {
  type: "number",
  default: 1024,
  description: "shards of a new cluster, for ever: 16, 32, ... 1024; fewer cost less where nodes are few",
} as const;

/** @throws {MisuseError} when there cannot be so many */
export function shardsIn(shards: number): number {
  if (shards >= 16 && shards <= 1024 && Number.isInteger(Math.log2(shards))) return shards;
  throw new MisuseError(`Cannot use --shards as it must be 16, 32, 64, 128, 256, 512 or 1024: ${shards}`);
}

/** `--sync`, of all commands that start nodes. */
export const SYNC = {
  type: "enum",
  choices: ["always", "interval", "never"],
  default: "interval",
  description: "the journal is on the disk before a receipt, within 0.1 s, or when the system sees fit",
} as const;

const PLUGIN_HOSTS_MAX = 64;

/** `waterpark node start` */
export const nodeStart = command({
  description: "runs one node in the foreground; SIGTERM hands over and ends it, a second one ends it at once",
  args: {
    name: { type: "string", default: "TN-A-1", metavar: "NAME", description: "data center, zone, number" },
    listen: {
      type: "string",
      default: "127.0.0.1:4600",
      metavar: "HOST:PORT",
      description: "where other nodes connect",
    },
    advertise: { type: "string", metavar: "HOST:PORT", description: "where they reach it, if elsewhere" },
    http: { type: "string", default: "127.0.0.1:8600", metavar: "HOST:PORT|off", description: "HTTP gateway" },
    mllp: { type: "string", default: "127.0.0.1:2575", metavar: "HOST:PORT|off", description: "HL7 over MLLP" },
    ...MLLP_FLAGS,
    join: { type: "string", metavar: "HOST:PORT,...", description: "nodes of the cluster to join" },
    create: {
      type: "boolean",
      default: false,
      description: "create a cluster; so it does without --join, unless --data holds one",
    },
    data: { type: "string", metavar: "DIR", description: "keep a journal there; without it all is in memory only" },
    sync: SYNC,
    expect: { type: "number", default: 1, description: "nodes at which a new cluster's shards are born" },
    transport: {
      type: "enum",
      choices: ["auto", "quic", "websocket"],
      default: "auto",
      description: "how nodes talk",
    },
    copies: { type: "number", default: 5, description: "copies of every shard of a new cluster" },
    shards: SHARDS,
    "ack-copies": { type: "number", description: "copies that a receipt needs in a new cluster; left out, a majority" },
    "ack-data-centers": { type: "number", default: 2, description: "data centers that they are in" },
    "ack-force": {
      type: "boolean",
      default: false,
      description: "although the loss of one data center would stop all receipts",
    },
    "plugin-hosts": {
      type: "number",
      metavar: "N",
      description: "processes that run plugins, 1 to 64; left out, half of the cores, 1 to 8",
    },
    "secret-file": { type: "string", metavar: "FILE", description: "the cluster's secret; none: loopback only" },
    "log-level": {
      type: "enum",
      choices: ["debug", "info", "warning", "error"],
      default: "warning",
      description: "what it says on stderr while it runs",
    },
    tokens: {
      type: "string",
      metavar: "[NAME:]TOKEN,...",
      description: "bearer tokens that its HTTP asks for; who deploys is known by the name",
    },
  },
  examples: [
    "node start",
    "node start --data /srv/tn-a-1 --sync always",
    "node start --name TX-A-1 --listen 127.0.0.1:4601 --http 127.0.0.1:8601 --mllp off --join 127.0.0.1:4600",
  ],
  async run({ values, out }) {
    const join = listOf(values.join);
    if (values.create && join.length > 0) {
      throw new MisuseError(
        "Cannot create a cluster and join one as a node is in one cluster",
        "leave out one of the two",
      );
    }
    const hosts = values["plugin-hosts"];
    if (hosts !== undefined && !(Number.isInteger(hosts) && hosts >= 1 && hosts <= PLUGIN_HOSTS_MAX)) {
      throw new MisuseError(`Cannot use --plugin-hosts as it must be 1 to ${PLUGIN_HOSTS_MAX}: ${hosts}`);
    }
    await configureLog({ to: "stderr", level: values["log-level"] });
    await using node = await startNode({
      name: values.name,
      listen: values.listen,
      advertise: values.advertise,
      http: values.http === "off" ? false : values.http,
      mllp: values.mllp === "off" ? false : values.mllp,
      mllpSettings: await mllpSettings(values),
      ...(join.length > 0 ? { join } : {}),
      create: values.create,
      data: values.data,
      sync: values.sync,
      expect: values.expect,
      transport: values.transport,
      copies: values.copies,
      shards: shardsIn(values.shards),
      ack: {
        ...values["ack-copies"] === undefined ? {} : { copies: values["ack-copies"] },
        dataCenters: values["ack-data-centers"],
        force: values["ack-force"],
      },
      ...hosts === undefined ? {} : { pluginHosts: hosts },
      secret: await secretIn(values["secret-file"]),
      tokens: listOf(values.tokens),
    });
    const { mesh, http, mllp } = node.addresses;
    if (out.isJson) out.json({ ready: true, name: node.name, mesh, http, mllp, pid: Deno.pid });
    else out.data(`ready ${node.name}  mesh ${mesh}  http ${http ?? "off"}  mllp ${mllp ?? "off"}`);
    const signal = firstSignal(() => Deno.exit(1));
    const first = await Promise.race([signal, node.ended]);
    if (typeof first === "string") out.talk(`${first}: handing over; once more ends it at once`);
    const { reason, writersLeft } = typeof first === "string" ? await node.drain({ fast: true }) : first;
    if (writersLeft > 0) {
      out.talk(`${writersLeft} shards have not been taken over: they are written again after an election`);
    }
    if (reason === "removed") {
      throw new WaterparkError(
        `Cannot go on as "${node.name}" must be in the topology: it was removed, or its name was started again`,
        { code: "node/removed", outcome: "not-applied" },
      );
    }
    out.talk(reason === "drained" ? "drained: its copies are elsewhere" : "handed over");
  },
});

async function secretIn(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    // an editor's line end is no part of it
    return (await Deno.readTextFile(path)).trim();
  } catch (error) {
    throw new MisuseError(`Cannot read the secret from "${path}" as it must be a file: ${fileState(error)}`);
  }
}

function listOf(text: string | undefined): string[] {
  return (text ?? "").split(",").map((part) => part.trim()).filter((part) => part !== "");
}

/** Resolves at the first signal that asks to end; every further one calls `again`. */
export function firstSignal(again: () => void): Promise<Deno.Signal> {
  return new Promise((resolve) => {
    let isFirst = true;
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      Deno.addSignalListener(signal, () => {
        if (!isFirst) again();
        isFirst = false;
        resolve(signal);
      });
    }
  });
}
