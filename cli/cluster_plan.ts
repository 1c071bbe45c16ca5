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

/** The command line of one of them: the first creates the cluster, the others join it there. */
export function nodeArguments(
  nodes: PlannedNode[],
  i: number,
  { copies, transport }: { copies: number; transport: string },
): string[] {
  const { name, mesh, http, mllp } = nodes[i];
  return [
    ...["node", "start", "--name", name, "--listen", mesh, "--http", http, "--mllp", mllp, "--transport", transport],
    ...i === 0 ? ["--create", "--expect", String(nodes.length), "--copies", String(copies)] : ["--join", nodes[0].mesh],
  ];
}

/** The command line of one that comes back: it joins whoever of the others is there. */
export function rejoinArguments(
  nodes: readonly PlannedNode[],
  { name, mesh, http, mllp }: PlannedNode,
  { transport }: { transport: string },
): string[] {
  const others = nodes.filter((node) => node.name !== name).map((node) => node.mesh);
  return [
    ...["node", "start", "--name", name, "--listen", mesh, "--http", http, "--mllp", mllp, "--transport", transport],
    ...["--join", others.join(",")],
  ];
}

function isWithin(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max;
}

function check(flag: string, holds: boolean, rule: string): void {
  if (!holds) throw new MisuseError(`Cannot start the cluster as ${flag} must be ${rule}`);
}
