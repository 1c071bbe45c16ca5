/**
 * A wide area network of our own, for kernels without one to shape: a relay before every node's door, for UDP and TCP.
 * Others are told the relay's address (`--advertise`), and it knows from the sender's address how far he is: within a data
 * center it passes on at once, between two it delays, loses and queues.
 *
 *     TN-A-1 127.91.1.2 ─→ 127.91.2.3 relay of TX-A-1, 20 ms, 1 % lost, 20 Mbit/s ─→ 127.91.2.2 TX-A-1
 *
 * Runs as a process of its own: `deno run -A wide_area.ts '{"names":[...],"delayMs":20,...}'` says `ready`, and ends with its
 * standard input. What it cannot know: who opens a TCP connection on loopback. All of those count as far; nothing of them
 * is lost, as TCP would send it again, only later.
 *
 * Weak: a timer's millisecond is the least that it can delay, and it is one process: some 10,000 datagrams a second.
 */

/** What the network is like between two data centers. */
export interface WideArea {
  names: readonly string[];
  /** one way */
  delayMs: number;
  /** of datagrams, 0 to 1 */
  lossRate: number;
  /** from one data center to another, in each direction */
  bitsPerSecond: number;
}

/** What waits longer than this for its turn is dropped, as a router's queue does it. */
const QUEUE_MS_MAX = 200;
/** A pair of ends that has said nothing for so long is forgotten. */
const IDLE_MS = 60_000;
const PORT = 4600;

/** Where a node listens, and where others think that it does. */
export function addressesOf(at: number): { own: string; told: string } {
  return { own: `127.91.${at + 1}.2:${PORT}`, told: `127.91.${at + 1}.3:${PORT}` };
}

/** The ways between data centers: when what is sent now arrives. */
class Ways {
  readonly #options: WideArea;
  /** until when each way is busy, by `TN>TX` */
  readonly #busyUntilMs = new Map<string, number>();

  constructor(options: WideArea) {
    this.#options = options;
  }

  /** How long these bytes take; -1: they are lost. */
  delayOf(from: string, to: string, bytes: number, options: { mayLose: boolean }): number {
    if (from === to) return 0;
    const { delayMs, lossRate, bitsPerSecond } = this.#options;
    if (options.mayLose && Math.random() < lossRate) return -1;
    const nowMs = performance.now();
    const startMs = Math.max(nowMs, this.#busyUntilMs.get(`${from}>${to}`) ?? 0);
    if (options.mayLose && startMs - nowMs > QUEUE_MS_MAX) return -1;
    const endMs = startMs + bytes * 8000 / bitsPerSecond;
    this.#busyUntilMs.set(`${from}>${to}`, endMs);
    return endMs - nowMs + delayMs;
  }
}

/** Datagrams to one node. */
async function relayUdp(options: { at: number; dataCenterOf: (ip: string) => string; ways: Ways }): Promise<void> {
  const { at, dataCenterOf, ways } = options;
  const [hostname] = addressesOf(at).told.split(":");
  const target: Deno.NetAddr = { transport: "udp", hostname: `127.91.${at + 1}.2`, port: PORT };
  const here = dataCenterOf(target.hostname);
  const door = Deno.listenDatagram({ transport: "udp", hostname, port: PORT });
  /** for each sender a socket of his own, so that the answers find back to him */
  const behind = new Map<string, { socket: Deno.DatagramConn; usedMs: number }>();
  setInterval(() => {
    for (const [sender, { socket, usedMs }] of behind) {
      if (performance.now() - usedMs < IDLE_MS) continue;
      behind.delete(sender);
      socket.close();
    }
  }, IDLE_MS / 4);
  for await (const [bytes, sender] of door) {
    const from = sender as Deno.NetAddr;
    const there = dataCenterOf(from.hostname);
    const key = `${from.hostname}:${from.port}`;
    let way = behind.get(key);
    if (way === undefined) {
      const socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
      behind.set(key, way = { socket, usedMs: 0 });
      (async () => {
        for await (const [answer] of socket) {
          const ms = ways.delayOf(here, there, answer.length, { mayLose: true });
          if (ms >= 0) later(ms, () => door.send(answer, from));
        }
      })().catch(() => {});
    }
    way.usedMs = performance.now();
    const { socket } = way;
    const ms = ways.delayOf(there, here, bytes.length, { mayLose: true });
    if (ms >= 0) later(ms, () => socket.send(bytes, target));
  }
}

/** Connections to one node. */
async function relayTcp(options: { at: number; dataCenterOf: (ip: string) => string; ways: Ways }): Promise<void> {
  const { at, dataCenterOf, ways } = options;
  const [hostname] = addressesOf(at).told.split(":");
  const targetHost = `127.91.${at + 1}.2`;
  const here = dataCenterOf(targetHost);
  for await (const outer of Deno.listen({ hostname, port: PORT })) {
    const there = dataCenterOf(outer.remoteAddr.hostname);
    Deno.connect({ hostname: targetHost, port: PORT }).then((inner) => {
      carry(outer, inner, (bytes) => ways.delayOf(there, here, bytes, { mayLose: false }));
      carry(inner, outer, (bytes) => ways.delayOf(here, there, bytes, { mayLose: false }));
    }, () => outer.close());
  }
}

/** Brings bytes and, at their end, the end, in order. */
async function carry(from: Deno.TcpConn, to: Deno.TcpConn, delayOf: (bytes: number) => number): Promise<void> {
  let last = Promise.resolve();
  let lastMs = 0;
  const send = (bytes: number, act: () => Promise<unknown>) => {
    lastMs = Math.max(lastMs, performance.now() + delayOf(bytes));
    const due = new Promise<void>((resolve) => setTimeout(resolve, lastMs - performance.now()));
    last = last.then(() => due).then(act).then(() => {}, () => {});
    return last;
  };
  for (;;) {
    const chunk = new Uint8Array(16 * 1024);
    const count = await from.read(chunk).catch(() => null);
    if (count === null) break;
    const sent = send(count, () => to.write(chunk.subarray(0, count)));
    // A window of its own: what is under way is bounded by what the way takes in its delay.
    if (lastMs - performance.now() > QUEUE_MS_MAX) await sent;
  }
  await send(0, () => Promise.resolve());
  for (const end of [from, to]) {
    try {
      end.close();
    } catch {
      // the other direction was first
    }
  }
}

function later(ms: number, act: () => Promise<unknown>): void {
  const quietly = () => act().catch(() => {});
  if (ms < 1) quietly();
  else setTimeout(quietly, ms);
}

/** The relays of a cluster, until they are disposed of. */
export async function startWideArea(options: WideArea): Promise<AsyncDisposable> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-lock",
      "--no-config",
      "--unstable-net",
      new URL(import.meta.url).pathname,
      JSON.stringify(options),
    ],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  const { done } = await reader.read();
  if (done) throw new Error("Cannot start the wide area network as its addresses must be free");
  reader.releaseLock();
  return {
    [Symbol.asyncDispose]: async () => {
      await child.stdin.close();
      await child.stdout.cancel();
      await child.status;
    },
  };
}

if (import.meta.main) {
  const options = JSON.parse(Deno.args[0]) as WideArea;
  const ways = new Ways(options);
  const dataCenterOf = (ip: string) => {
    const at = /^127\.91\.(\d+)\./.exec(ip);
    // Whom nobody knows is far away.
    return at === null ? "" : options.names[Number(at[1]) - 1].split("-")[0];
  };
  const fail = (error: unknown) => {
    console.error(error);
    Deno.exit(1);
  };
  options.names.forEach((_, at) => {
    relayUdp({ at, dataCenterOf, ways }).catch(fail);
    relayTcp({ at, dataCenterOf, ways }).catch(fail);
  });
  console.log("ready");
  for await (const _ of Deno.stdin.readable);
  Deno.exit(0);
}
