/**
 * Which processes a cluster on this machine consists of. Pure.
 */
import { MisuseError } from "./errors.ts";

/** One node to be: names and addresses. */
export interface PlannedNode {
  name: string;
  mesh: string;
  http: string;
  mllp: string;
}

/** Ports of the first node; the others follow one by one. */
const PORT = { http: 4000, mllp: -2025 };
const ZONES_MAX = 26;
const NODES_MAX = 200;

/**
 * Names and ports. Nodes are spread over data centers first, then zones, so that few nodes still use all data centers;
 * ports follow the order of names: mesh `basePort + i`, HTTP 4000 above, MLLP 2025 below (4600, 8600, 2575).
 *
 * @throws {MisuseError} when a number is out of bounds
 */
export function planCluster(
  { dataCenters, zones, nodes, basePort }: { dataCenters: string[]; zones: number; nodes: number; basePort: number },
): PlannedNode[] {
  check("--data-centers", dataCenters.length > 0 && dataCenters.every((name) => /^[A-Z0-9]+$/.test(name)), "TN,TX,FL");
  check("--zones", isWithin(zones, 1, ZONES_MAX), `1 to ${ZONES_MAX}`);
  check("--nodes", isWithin(nodes, 1, NODES_MAX), `1 to ${NODES_MAX}`);
  check(
    "--base-port",
    isWithin(basePort, 2026 + 1, 65535 - PORT.http - nodes),
    "2027 or more, and leave room for HTTP",
  );
  const perDataCenter: string[][] = dataCenters.map(() => []);
  for (let i = 0; i < nodes; i++) {
    const place = i % dataCenters.length;
    const round = Math.floor(i / dataCenters.length);
    const zone = String.fromCharCode(65 + round % zones);
    perDataCenter[place].push(`${dataCenters[place]}-${zone}-${Math.floor(round / zones) + 1}`);
  }
  return perDataCenter.flatMap((names) => names.sort()).map((name, i) => ({
    name,
    mesh: `127.0.0.1:${basePort + i}`,
    http: `127.0.0.1:${basePort + PORT.http + i}`,
    mllp: `127.0.0.1:${basePort + PORT.mllp + i}`,
  }));
}

/** What all nodes are told alike. */
export interface NodeSettings {
  /** how they talk with each other */
  transport: string;
  /** folder with a folder for each node's journal; left out: memory only */
  data?: string;
  /** when journals are synced */
  sync?: string;
}

/** The command line of one of them: the first creates the cluster, the others join it there. */
export function nodeArguments(
  nodes: PlannedNode[],
  i: number,
  { copies, shards, ...settings }: NodeSettings & { copies: number; shards: number },
): string[] {
  return [
    ...argumentsOf(nodes[i], settings),
    ...i === 0
      ? ["--create", "--expect", String(nodes.length), "--copies", String(copies), "--shards", String(shards)]
      : ["--join", nodes[0].mesh],
  ];
}

/** The command line of one that comes back: it joins whoever of the others is there. */
export function rejoinArguments(
  nodes: readonly PlannedNode[],
  node: PlannedNode,
  settings: NodeSettings,
): string[] {
  const others = nodes.filter((other) => other.name !== node.name).map(({ mesh }) => mesh);
  return [...argumentsOf(node, settings), ...others.length === 0 ? [] : ["--join", others.join(",")]];
}

function argumentsOf({ name, mesh, http, mllp }: PlannedNode, { transport, data, sync }: NodeSettings): string[] {
  return [
    ...["node", "start", "--name", name, "--listen", mesh, "--http", http, "--mllp", mllp, "--transport", transport],
    ...data === undefined ? [] : ["--data", `${data}/${name}`, "--sync", sync ?? "interval"],
  ];
}

function isWithin(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max;
}

function check(flag: string, holds: boolean, rule: string): void {
  if (!holds) throw new MisuseError(`Cannot start the cluster as ${flag} must be ${rule}`);
}
