/**
 * What goes to stdout: a table for people, or one JSON object a line for programs.
 */

/** One measured run. The first ten fields are a contract with whoever reads the JSON; more may come after them. */
export interface Row {
  bench: string;
  nodes: number;
  copies: number;
  inFlight: number;
  messageBytes: number;
  messagesPerSecond: number;
  p50Us: number;
  p99Us: number;
  serverCpuUsPerMessage: number;
  clientCpuUsPerMessage: number;
  maxUs: number;
  /** actors that this run sent to */
  actors: number;
  seconds: number;
  othersCores: number;
  /** growth of all nodes' logs and resident memory, copies included, divided by the actors that were new in this run */
  logBytesPerActor?: number;
  rssBytesPerActor?: number;
  /** memory of a node before it had any message */
  emptyNodeRssBytes?: number;
  /** CPU of a node while nobody asks it anything, cores */
  idleNodeCores?: number;
}

const COLUMNS: { head: string; cell: (row: Row) => string }[] = [
  { head: "bench", cell: (row) => row.bench },
  { head: "in flight", cell: (row) => count(row.inFlight) },
  { head: "messages/s", cell: (row) => count(row.messagesPerSecond) },
  { head: "p50", cell: (row) => time(row.p50Us) },
  { head: "p99", cell: (row) => time(row.p99Us) },
  { head: "max", cell: (row) => time(row.maxUs) },
  { head: "CPU/message nodes", cell: (row) => time(row.serverCpuUsPerMessage) },
  { head: "client", cell: (row) => time(row.clientCpuUsPerMessage) },
  { head: "others' cores", cell: (row) => row.othersCores.toFixed(2) },
  { head: "log/actor", cell: (row) => bytes(row.logBytesPerActor) },
  { head: "RSS/actor", cell: (row) => bytes(row.rssBytesPerActor) },
];

/** The rows as text, with a line of conditions above. */
export function tableOf(rows: Row[]): string {
  const [{ nodes, copies, actors, messageBytes, emptyNodeRssBytes = 0, idleNodeCores = 0 }] = rows;
  const conditions = `${nodes} nodes, ${copies} copies, ${count(actors)} actors, ${messageBytes} bytes a message; ` +
    `an idle node: ${(emptyNodeRssBytes / 2 ** 20).toFixed(0)} MiB, ${idleNodeCores.toFixed(3)} cores`;
  const cells = [COLUMNS.map((column) => column.head), ...rows.map((row) => COLUMNS.map(({ cell }) => cell(row)))];
  const widths = COLUMNS.map((_, i) => Math.max(...cells.map((line) => line[i].length)));
  const lines = cells.map((line) =>
    line.map((text, i) => i === 0 ? text.padEnd(widths[i]) : text.padStart(widths[i])).join("  ").trimEnd()
  );
  return [conditions, "", ...lines].join("\n");
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}

function time(us: number): string {
  if (us < 1000) return `${us < 100 ? us.toFixed(1) : us.toFixed(0)} us`;
  return `${(us / 1000).toFixed(us < 10_000 ? 2 : 1)} ms`;
}

function bytes(value: number | undefined): string {
  return value === undefined ? "" : `${count(Math.round(value))} B`;
}
