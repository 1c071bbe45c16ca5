/**
 * Reviving: how nodes whose processes had all died make a cluster again of what their journals hold.
 *
 * First the topology. A node that starts with the journal of a cluster asks at every address that it knows, those in the
 * journal among them. Where the cluster lives it joins, like anybody. Where another waits as it does, the two tell each
 * other what they have of the system shard. Once every member of its last configuration is there, the one with the most
 * complete copy asks them all for a pledge, which each gives to one node at a time, and goes on alone in the next
 * generation; the others join it. So no second cluster comes to be beside one that lives: some member would be missing.
 *
 * Then the shards. Whoever writes the system shard asks all nodes what else they remember, and revives whatever all
 * members have died of and come back with, by commands to the topology, many at a time. What still lacks a member waits,
 * and says for whom, until that comes or an operator accepts the loss (`topology recover --from-journals`).
 */
import { WaterparkError } from "../base/mod.ts";
import { ENTRY, type ShardStore } from "../storage/mod.ts";
import { log } from "../telemetry/mod.ts";
import { applyCommand, emptyState, SYSTEM_SHARD, type TopologyCommand, type TopologyState } from "../topology/mod.ts";
import { unpack } from "../wire/mod.ts";
import type { Timer } from "../world/mod.ts";
import type { NodeCore } from "./core.ts";
import { failed, type RequestResult } from "./requests.ts";
import { type Testimony, type Verdict, verdictOn } from "./testimony.ts";

/** What is remembered of the cluster when a node starts. */
export interface Remembrance {
  /** "" in an empty journal */
  clusterId: string;
  lives: number[];
  /** shards of which a copy has left */
  dropped: number[];
  /** something in the journal cannot be read */
  isDamaged: boolean;
}

/** What a node that waits says to another one. */
interface Said extends Testimony {
  /** the cluster that it is in by now; null: it waits as well */
  clusterId: string | null;
  /** the cluster that its journal is of */
  remembers: string;
}

/** Between two rounds of asking, ms. */
const ROUND_MS = 300;
/** Who has given a pledge gives no other for so long, ms: longer than a revival takes to be heard of. */
const PLEDGE_MS = 5000;
/** A question is answered at once, or not at all. */
const ANSWER_MS = 1500;
/** Between two looks at the shards, ms: soon after a start, and later on. */
const LOOK_MS = 500;
const HURRY_MS = 100;
const LOOK_LATER_MS = 10_000;
const SOON_MS = 60_000;
/** What keeps it waiting is said again after so long, ms. */
const SAY_MS = 10_000;

/** See the file's header. */
export class Reviving {
  readonly #core: NodeCore;
  /** what the journal held when the node started */
  readonly remembrance: Remembrance;
  /** the topology as the journal has it, its end included, whether that was committed or not */
  readonly #topology: TopologyState;
  readonly #names = new Map<number, string>();
  #addresses: string[] = [];
  #done: ((error: WaterparkError | null) => void) | null = null;
  /** peers that wait as well, by incarnation */
  #waiting = new Map<number, Testimony>();
  #pledge: { to: number; untilMs: number } | null = null;
  #isAsking = false;
  #isRevived = false;
  #isSettled = true;
  #missing: string[] = [];
  #lookedSinceMs = 0;
  #saidMs = -Infinity;
  #timer: Timer | null = null;
  #isClosed = false;

  constructor(options: { core: NodeCore; remembrance: Remembrance }) {
    const core = this.#core = options.core;
    this.remembrance = options.remembrance;
    const log = core.replication.journaling?.remembered.get(SYSTEM_SHARD)?.log;
    this.#topology = log === undefined ? emptyState() : topologyIn(log, this.#names);
    core.requests.handle("testimony", (body, done) => done({ ok: true, value: this.#say(body === "all") }));
    core.requests.handle("pledge", (body, done) => done({ ok: true, value: this.#give(Number(body)) }));
    core.requests.handle("revive-system", (_body, done) => this.#reviveForced(done));
    core.requests.handle("revive-shards", (_body, done) => this.#look(true, done));
    this.#lookedSinceMs = core.world.nowMonoMs();
    if (core.replication.journaling !== null) this.#lookLater();
  }

  /** true while this node looks for its cluster, or for what there is left of that */
  get isWaiting(): boolean {
    return this.#done !== null || (this.#isRevived && !this.#isSettled);
  }

  /** For whom this node waits, in words; "" when it does not. */
  get reason(): string {
    if (this.#missing.length > 0) return `waits for the journals of ${this.#missing.join(", ")}`;
    return this.isWaiting ? "looks for the cluster that its journal is of" : "";
  }

  /**
   * Joins the cluster of which the journal is, or revives it; `done` is called once, be it after days.
   *
   * @param addresses where to ask beside those in the journal
   */
  begin(addresses: string[], done: (error: WaterparkError | null) => void): void {
    const own = this.#core.self.address;
    const known = this.#topology.nodes.filter((node) => node.name !== this.#core.self.name).map((node) => node.address);
    this.#addresses = [...new Set([...addresses, ...known])].filter((address) => address !== own);
    this.#done = done;
    this.#isSettled = false;
    this.#round();
  }

  stop(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  /** An operator accepts that data may be lost: what is there will do. First for the topology, then for the shards. */
  recoverFromJournals(done: (result: RequestResult) => void): void {
    const { requests, config, replication, directory } = this.#core;
    if (directory.topology !== null) {
      const writer = replication.hint(SYSTEM_SHARD)?.writer ?? 0;
      const timeoutMs = config.requestMs;
      if (writer !== 0) return requests.ask(writer, "revive-shards", null, { timeoutMs, done });
      return done(failed("topology/no-writer", "not-applied", "Cannot recover shards as the topology has no writer"));
    }
    const verdict = this.#verdict(true);
    if (verdict.state !== "ready") {
      const message = "Cannot recover the cluster as some node here must have a copy of its topology";
      return done(failed("node/no-journal", "not-applied", message));
    }
    const { incarnation } = verdict.survivor;
    requests.ask(incarnation, "revive-system", null, { timeoutMs: config.requestMs, done });
  }

  #round(): void {
    if (this.#done === null || this.#isClosed || this.#isRevived) return;
    let open = this.#addresses.length;
    const found = new Map<number, Testimony>();
    const end = () => {
      if (--open > 0 || this.#done === null || this.#isRevived) return;
      this.#waiting = found;
      this.#decide();
      this.#core.world.after(ROUND_MS, () => this.#round());
    };
    if (open === 0) {
      open = 1;
      return end();
    }
    for (const address of this.#addresses) {
      this.#core.mesh.dialOnce(address, (result) => {
        if ("error" in result || this.#done === null) return end();
        const { incarnation } = result.peer;
        this.#core.requests.ask(incarnation, "testimony", "system", {
          timeoutMs: ANSWER_MS,
          done: (answer) => {
            if (answer.ok && this.#done !== null) this.#hear(answer.value as Said, found);
            end();
          },
        });
      });
    }
  }

  #hear(said: Said, found: Map<number, Testimony>): void {
    const { clusterId } = this.remembrance;
    if (said.clusterId === null) {
      // Who had only just joined may not have noted where.
      if (said.remembers === clusterId || said.remembers === "") found.set(said.incarnation, said);
      return;
    }
    if (said.clusterId !== clusterId) return this.#end(otherJournal(`${said.name} is in another cluster`));
    if (this.#isAsking) return;
    this.#isAsking = true;
    this.#core.join({ incarnation: said.incarnation, clusterId }, (result) => {
      this.#isAsking = false;
      if (result.ok) this.#end(null);
    });
  }

  #verdict(isForced = false): Verdict {
    const all = [this.#say(false), ...this.#waiting.values()];
    return verdictOn({ shard: SYSTEM_SHARD, born: [], isForced }, all);
  }

  #decide(): void {
    const verdict = this.#verdict();
    this.#missing = verdict.state === "waits" ? verdict.missing.map((one) => this.#nameOf(one)).sort() : [];
    if (verdict.state !== "ready") return this.#sayWaiting(verdict.state);
    if (verdict.survivor.incarnation !== this.#core.self.incarnation || this.#isAsking) return;
    // All of them at once: one that has pledged itself to another makes all wait for that.
    this.#isAsking = true;
    let open = verdict.members.length;
    let given = 0;
    for (const { incarnation } of verdict.members) {
      this.#core.requests.ask(incarnation, "pledge", this.#core.self.incarnation, {
        timeoutMs: ANSWER_MS,
        done: (answer) => {
          if (answer.ok && answer.value === true) given++;
          if (--open > 0) return;
          this.#isAsking = false;
          const isAgreed = given === verdict.members.length && this.#done !== null && !this.#isRevived;
          if (isAgreed) this.#revive(verdict.generation);
        },
      });
    }
  }

  /** True: this node will stand by while `to` revives the cluster. */
  #give(to: number): boolean {
    const nowMs = this.#core.world.nowMonoMs();
    if (
      this.#core.directory.topology !== null || this.#isRevived ||
      (this.#isAsking && to !== this.#core.self.incarnation)
    ) return false;
    if (this.#pledge !== null && this.#pledge.to !== to && this.#pledge.untilMs > nowMs) return false;
    this.#pledge = { to, untilMs: nowMs + PLEDGE_MS };
    return true;
  }

  #reviveForced(done: (result: RequestResult) => void): void {
    const facts = this.#core.replication.journaling?.facts().find((one) => one.shard === SYSTEM_SHARD);
    if (facts === undefined || !this.#give(this.#core.self.incarnation)) {
      const message = "Cannot recover the cluster from here as this node must wait, with a copy of the topology";
      return done(failed("node/no-journal", "not-applied", message));
    }
    this.#revive(facts.generation);
    done({ ok: true, value: { shards: ["SYS/000"], waiting: 0 } });
  }

  /** The topology goes on from this node's copy. */
  #revive(from: number): void {
    const core = this.#core;
    log("node").warning("{node} revives the cluster from its journal, in generation {generation}", {
      node: core.self.name,
      generation: from + 1,
    });
    this.#isRevived = true;
    this.#missing = [];
    this.#lookedSinceMs = core.world.nowMonoMs();
    core.revive(this.remembrance.clusterId, from + 1, () => this.#end(null));
    this.#timer?.cancel();
    this.#lookLater();
  }

  #end(error: WaterparkError | null): void {
    const done = this.#done;
    this.#done = null;
    this.#waiting.clear();
    done?.(error);
  }

  #say(isAll: boolean): Said {
    const { replication, self } = this.#core;
    const { clusterId, lives, dropped, isDamaged } = this.remembrance;
    const facts = (replication.journaling?.facts() ?? []).filter(({ shard }) => isAll || shard === SYSTEM_SHARD);
    const held = [...dropped, ...replication.heldShards()].filter((shard) => isAll || shard === SYSTEM_SHARD);
    const { name, incarnation } = self;
    const isIn = this.#isRevived || this.#core.directory.topology !== null;
    return {
      name,
      incarnation,
      lives,
      facts,
      held,
      isDamaged,
      clusterId: isIn ? this.#core.clusterId : null,
      remembers: clusterId,
    };
  }

  #lookLater(): void {
    const isHurried = this.#isRevived && !this.#isSettled;
    const isSoon = this.#core.world.nowMonoMs() - this.#lookedSinceMs < SOON_MS || this.#missing.length > 0;
    this.#timer = this.#core.world.after(isHurried ? HURRY_MS : isSoon ? LOOK_MS : LOOK_LATER_MS, () => {
      this.#look(false, () => {
        if (!this.#isClosed) this.#lookLater();
      });
    });
  }

  /** As the writer of the system shard: asks all what they remember, and revives what can be. */
  #look(isForced: boolean, done: (result: RequestResult) => void): void {
    const { directory, replication, requests, self } = this.#core;
    const state = replication.stateOf(SYSTEM_SHARD);
    const born = directory.topology?.state.born ?? null;
    if (state?.role !== "writer" && this.#done === null && directory.topology !== null) {
      // Somebody else writes the topology, and looks after this.
      this.#isSettled = true;
      this.#missing = [];
    }
    if (state?.role !== "writer" || state.commit < state.termStart || this.#done !== null || born === null) {
      return done(failed("topology/no-writer", "not-applied", "Cannot look for shards as another node writes"));
    }
    const nodes = directory.topology!.state.nodes.filter((node) =>
      node.status === "up" && !this.#core.isSuspect(node.incarnation)
    );
    const all: Testimony[] = [];
    let open = nodes.length;
    if (open === 0 || !nodes.some((node) => node.incarnation === self.incarnation)) {
      return done(failed("topology/no-writer", "not-applied", "Cannot look for shards as no node is up"));
    }
    for (const { incarnation } of nodes) {
      requests.ask(incarnation, "testimony", "all", {
        timeoutMs: ANSWER_MS,
        done: (answer) => {
          if (answer.ok) all.push(answer.value as Said);
          if (--open === 0) this.#reviveShards(all.sort((a, b) => a.name < b.name ? -1 : 1), isForced, done);
        },
      });
    }
  }

  #reviveShards(all: Testimony[], isForced: boolean, done: (result: RequestResult) => void): void {
    const { directory, replication } = this.#core;
    const copies: { shard: number; survivor: number; from: number }[] = [];
    const missing = new Set<number>();
    let waiting = 0;
    const held = new Set(all.flatMap((one) => one.held));
    for (const shard of directory.topology!.dataShards()) {
      const generation = replication.generations.of(shard);
      const first = generation === 1 ? directory.topology!.state.born!.members[shard] : [];
      const verdict = verdictOn({ shard, born: first, isForced }, all);
      if (verdict.state === "ready" && verdict.generation === generation) {
        copies.push({ shard, survivor: verdict.survivor.incarnation, from: generation });
      } else if (verdict.state === "waits" || verdict.state === "doubtful") {
        waiting++;
        if (verdict.state === "waits") { for (const one of verdict.missing) missing.add(one); }
      } else if (verdict.state === "unknown" && this.#isRevived && !held.has(shard)) {
        waiting++;
        if (isForced) copies.push({ shard, survivor: this.#core.self.incarnation, from: generation });
      }
    }
    this.#missing = [...new Set([...missing].map((one) => this.#nameOf(one)))].sort();
    // While its node is coming back nobody need know; once everything that can be is revived it is said.
    if (waiting > 0 && this.#isRevived) this.#sayWaiting(`${waiting} shards`);
    const end = (result: RequestResult) => {
      if (result.ok && waiting === 0 && copies.length === 0) this.#missing = [];
      done(result.ok ? { ok: true, value: { shards: copies.map(({ shard }) => shard), waiting } } : result);
    };
    if (copies.length === 0) {
      this.#isSettled = true;
      return end({ ok: true, value: null });
    }
    log("node").warning("{count} shards are revived from journals", { count: copies.length });
    directory.command({ type: "revive", copies }, end);
  }

  #nameOf(incarnation: number): string {
    return this.#names.get(incarnation) ?? this.#core.nameOf(incarnation);
  }

  #sayWaiting(what: string): void {
    const nowMs = this.#core.world.nowMonoMs();
    if (nowMs - this.#saidMs < SAY_MS) return;
    this.#saidMs = nowMs;
    const nodes = this.#missing.join(", ") || "nobody in particular";
    log("node").warning(
      "{what}: waits for the journals of {nodes}; if they are gone: waterpark topology recover --from-journals",
      { what, nodes },
    );
  }
}

/** The journal in the folder is not this one's. */
export function otherJournal(state: string): WaterparkError {
  return new WaterparkError(`Cannot start with this journal as it must be this node's, of this cluster: ${state}`, {
    code: "node/other-journal",
    outcome: "not-applied",
  });
}

function topologyIn(store: ShardStore, names: Map<number, string>): TopologyState {
  let state = emptyState();
  for (let index = 1; index <= store.lastIndex; index++) {
    if (store.kindAt(index) !== ENTRY.COMMAND) continue;
    const command = unpack(store.body(index)) as TopologyCommand;
    state = applyCommand(state, command).state;
    if (command.type === "join") names.set(command.node.incarnation, command.node.name);
  }
  return state;
}
