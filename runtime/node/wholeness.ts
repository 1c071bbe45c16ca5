/**
 * Wholeness: does every shard have all its copies? The gate before the next step of planned work.
 *
 * Only a shard's writer knows how far its copies are, so every node is asked for the shards that it writes and finds
 * whole; a shard that nobody names is short of copies, has no writer, or is written by somebody who lags behind the
 * topology of who asks. A roll call: who is not called out is missing.
 */
import { isWhole } from "../replication/mod.ts";
import { copiesPossible, DATA_SHARDS, shardText, SYSTEM_SHARD, type Topology } from "../topology/mod.ts";
import type { NodeHolding, WholeView } from "../gateway/mod.ts";
import type { NodeCore } from "./core.ts";

/** What one node says of itself. */
interface Report {
  /** of its topology */
  version: number;
  /** numbers of the shards that it writes and that have all their copies, as bits, lowest first */
  whole: Uint8Array;
  copies: number;
  writers: number;
  bytes: number;
  leaving: boolean;
}

/** What one node knows of a shard: its number, bytes of the copy here, incarnations that vote if it is written here. */
type Fact = [shard: number, bytes: number, voters: number[] | null];

/** What is known of a shard. */
export interface ShardFacts {
  /** of the largest copy; null: nobody has said */
  bytes: number | null;
  /** incarnations that vote; null: its writer has not said */
  voters: number[] | null;
}

/** How long a node is waited for, ms: longer than a stall, short enough to be asked twice a second. */
const ANSWER_MS = 2000;
const BITS_BYTES = Math.ceil((SYSTEM_SHARD + 1) / 8);
/** Names of shards that a view shows. */
const NAMES_MAX = 10;

/** Both ends of the roll call. */
export class Wholeness {
  readonly #core: NodeCore;

  constructor({ core }: { core: NodeCore }) {
    this.#core = core;
    core.requests.handle("whole", (_, done) => done({ ok: true, value: this.#report() }));
    core.requests.handle("shard-facts", (_, done) => done({ ok: true, value: this.#facts() }));
  }

  /** Shards written here that do not have all their copies; for metrics. */
  shortHere(): number {
    const { replication, directory } = this.#core;
    if (directory.topology === null) return 0;
    const { whole, writers } = this.#report();
    let short = writers;
    for (let shard = 0; shard <= SYSTEM_SHARD; shard++) if (replication.isWriter(shard) && has(whole, shard)) short--;
    return short;
  }

  /** Asks every node of the topology. */
  ask(done: (view: WholeView) => void): void {
    const topology = this.#core.directory.require();
    this.#askAll<Report>("whole", (reports) => done(viewOf(topology, reports.map((report) => readReport(report)))));
  }

  /** What the nodes know of each data shard. */
  askFacts(done: (facts: ShardFacts[]) => void): void {
    this.#askAll<Fact[]>("shard-facts", (answers) => {
      const facts = Array.from({ length: DATA_SHARDS }, (): ShardFacts => ({ bytes: null, voters: null }));
      for (const answer of answers) for (const fact of Array.isArray(answer) ? answer : []) note(facts, fact);
      done(facts);
    });
  }

  /** The answers of all nodes, in the topology's order; null of who gave none. */
  #askAll<T>(method: string, done: (answers: (T | null)[]) => void): void {
    const { nodes } = this.#core.directory.require().state;
    const answers: (T | null)[] = nodes.map(() => null);
    let open = nodes.length;
    const end = () => {
      if (--open === 0) done(answers);
    };
    nodes.forEach(({ incarnation }, i) => {
      if (this.#core.isSuspect(incarnation)) return end();
      this.#core.requests.ask(incarnation, method, null, {
        timeoutMs: ANSWER_MS,
        done: (result) => {
          if (result.ok) answers[i] = result.value as T;
          end();
        },
      });
    });
  }

  #report(): Report {
    const { replication, directory, departing } = this.#core;
    const topology = directory.topology;
    const { replicas: copies, writers, bytes } = replication.counts();
    const whole = new Uint8Array(BITS_BYTES);
    const wanted = topology === null ? Infinity : copiesPossible(topology.state);
    const isSuspect = (incarnation: number) => this.#core.isSuspect(incarnation);
    // Who drains still follows the topology, and is gone one day.
    const isGoing = (incarnation: number) => topology?.nodeByIncarnation(incarnation)?.status === "draining";
    for (let shard = 0; shard <= SYSTEM_SHARD; shard++) {
      const state = replication.stateOf(shard);
      // Everybody holds the topology, and how many that are its placement says alone.
      const enough = shard === SYSTEM_SHARD ? 1 : wanted;
      if (state !== null && isWhole(state, { copies: enough, isSuspect, isGoing })) {
        whole[shard >> 3] |= 1 << (shard & 7);
      }
    }
    return { version: topology?.version ?? 0, whole, copies, writers, bytes, leaving: departing.reason !== null };
  }

  #facts(): Fact[] {
    const { replication } = this.#core;
    return (this.#core.directory.topology?.dataShards() ?? []).flatMap((shard): Fact[] => {
      const store = replication.store(shard);
      // Only its writer knows the members as they are.
      return store === null
        ? []
        : [[shard, store.bytes, replication.isWriter(shard) ? replication.members(shard) : null]];
    });
  }
}

function has(bits: Uint8Array, shard: number): boolean {
  return (bits[shard >> 3] & (1 << (shard & 7))) !== 0;
}

/** The report that a peer sent, whatever that peer is; null when it is none. */
function readReport(value: Report | null): Report | null {
  if (typeof value !== "object" || value === null) return null;
  const { version, whole, copies, writers, bytes, leaving } = value;
  const areNumbers = [version, copies, writers, bytes].every((one) => Number.isFinite(one) && one >= 0);
  if (!areNumbers || !(whole instanceof Uint8Array) || whole.length !== BITS_BYTES) return null;
  return { version, whole, copies, writers, bytes, leaving: leaving === true };
}

/** Takes in what a peer says, whatever that peer is. */
function note(facts: ShardFacts[], fact: unknown): void {
  const [shard, bytes, voters] = Array.isArray(fact) ? fact as Fact : [-1, -1, null];
  if (!Number.isInteger(shard) || !(shard in facts) || !(bytes >= 0)) return;
  const known = facts[shard];
  known.bytes = Math.max(known.bytes ?? 0, bytes);
  if (Array.isArray(voters) && voters.every((one) => Number.isInteger(one))) known.voters = voters;
}

function viewOf(topology: Topology, reports: (Report | null)[]): WholeView {
  const shards = topology.isBorn ? [...topology.dataShards(), SYSTEM_SHARD] : [SYSTEM_SHARD];
  const isNamed = (shard: number) =>
    reports.some((report) => report !== null && report.version >= topology.version && has(report.whole, shard));
  const short = shards.filter((shard) => !isNamed(shard));
  return {
    whole: topology.isBorn && short.length === 0,
    version: topology.version,
    copies: copiesPossible(topology.state),
    shards: shards.length,
    short: short.length,
    some: short.slice(0, NAMES_MAX).map(shardText),
    nodes: topology.state.nodes.map(({ name, status }, i): NodeHolding => {
      const report = reports[i];
      return {
        name,
        status,
        answers: report !== null,
        leaving: report?.leaving ?? false,
        copies: report?.copies ?? 0,
        writers: report?.writers ?? 0,
        bytes: report?.bytes ?? 0,
      };
    }),
  };
}
