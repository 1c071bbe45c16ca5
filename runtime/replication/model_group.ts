import { WaterparkError } from "../base/mod.ts";
import type { MessageProposal, ProposeAnswer } from "../wire/mod.ts";
import { Journal, JournalReading, type MemoryDisk, type SyncMode } from "../journal/mod.ts";
import { ShardStore } from "../storage/mod.ts";
import { SeededRandom, SimulatedTime, simulatedWorld, type World } from "../world/mod.ts";
import type { JournalOption } from "./journaling.ts";
import { Replication } from "./replication.ts";
import type { Desired } from "./shard_state.ts";

/** Entries are kept as text, a character a byte: equal texts are equal bytes. */
const ENTRY = new TextDecoder("latin1");

/** A handful of nodes and one shard; frames take 1 to 5 ms, more and worse where told. */
export class Group {
  readonly time = new SimulatedTime();
  readonly random: SeededRandom;
  readonly nodes = new Map<number, { replication: Replication; alive: boolean }>();
  readonly committed = new Map<number, string>();
  readonly writersOfTerm = new Map<number, number>();
  readonly violations: string[] = [];
  /** addressee, lane and size of every frame that was sent */
  bytesSent: [to: number, lane: number, bytes: number][] = [];
  /** copies that a receipt needs */
  ackCopies = 3;
  lossRate = 0;
  doubleRate = 0;
  slowRate = 0;
  /** what is slow takes up to so much longer */
  slowMs = 500;
  /** hears of a record that was refused as no healthy peer could have sent it; the rest of its frame is dropped */
  onRefused = (error: WaterparkError): void => {
    throw error;
  };
  /** `a>b`: nothing gets from a to b */
  readonly cuts = new Set<string>();
  #suspects = new Set<string>();

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
  }

  /** bytes of frames on their way to a node, by incarnation */
  readonly bytesTo = new Map<number, number>();

  start(incarnation: number, disk?: MemoryDisk, sync: SyncMode = "always"): Replication {
    const node: { replication: Replication; alive: boolean } = { alive: true, replication: undefined! };
    const world = simulatedWorld({ time: this.time, random: this.random, isAlive: () => node.alive });
    const name = `N-A-${incarnation}`;
    node.replication = new Replication({
      journal: disk === undefined ? undefined : journalOn(disk, { world, sync, self: { name, incarnation } }),
      world,
      self: { name: `N-A-${incarnation}`, incarnation },
      send: (to, lane, payload) => {
        this.bytesSent.push([to, lane, payload.length]);
        return this.#send(incarnation, to, payload.slice());
      },
      isSuspect: (other) => other !== incarnation && this.#suspects.has(`${incarnation}>${other}`),
      aliveForMs: () => 60_000,
      rttP99Ms: () => 5,
      nameOf: (other) => `N-A-${other}`,
      dataCenterOf: () => "N",
      shardText: (shard) => String(shard),
      ackRule: () => ({ copies: this.ackCopies, dataCenters: 1 }),
      onCommitted: (shard, first, last) => this.#check(incarnation, shard, first, last),
      onWriter: () => {},
      onDropped: () => {},
      config: {
        tickMs: 20,
        staggerMsMin: 20,
        staggerMsMax: 250,
        stableAfterMs: 0,
        catchUpsMax: 4,
        catchUpsPerSecond: 1000,
        catchUpBytesPerSecond: 1e6,
        waitersMax: 1000,
      },
    });
    this.nodes.set(incarnation, node);
    return node.replication;
  }

  birth(members: number[], disks?: Map<number, MemoryDisk>): void {
    for (const member of members) this.start(member, disks?.get(member)).birth(7, members);
  }

  desire(desired: Desired): void {
    for (const { replication } of this.nodes.values()) replication.setDesired(7, desired);
  }

  crash(incarnation: number): void {
    this.nodes.get(incarnation)!.alive = false;
    this.time.after(300, () => this.#suspectEverywhere(incarnation, true));
  }

  /** Cuts both ways; the two sides suspect each other after a while, and stop when it is healed. */
  cut(a: number, b: number, forMs: number): void {
    this.cuts.add(`${a}>${b}`).add(`${b}>${a}`);
    this.time.after(300, () => this.suspectPair(a, b, this.cuts.has(`${a}>${b}`)));
    this.time.after(forMs, () => {
      this.cuts.delete(`${a}>${b}`);
      this.cuts.delete(`${b}>${a}`);
      this.suspectPair(a, b, false);
    });
  }

  writer(): number | null {
    for (const [incarnation, node] of this.nodes) {
      const state = node.replication.stateOf(7);
      if (!node.alive || state?.role !== "writer") continue;
      const newer = [...this.nodes.values()].some((n) => n.alive && (n.replication.stateOf(7)?.term ?? 0) > state.term);
      if (!newer) return incarnation;
    }
    return null;
  }

  /** Proposes to whoever writes until it is recorded; null when there was no writer in time. */
  post(proposal: Partial<MessageProposal> & { id: string }, untilMs: number): ProposeAnswer | null {
    const full: MessageProposal = {
      key: "patient/H/1",
      type: "",
      contentType: "text/plain",
      atMs: 0,
      payload: new TextEncoder().encode(proposal.id),
      sender: "",
      n: 0,
      oldest: 0,
      term: 0,
      ifMatch: -1,
      ...proposal,
    };
    let result: ProposeAnswer | null = null;
    const attempt = () => {
      const writer = this.writer();
      if (writer === null) return void this.time.after(20, attempt);
      this.nodes.get(writer)!.replication.propose(7, full, (answer) => {
        if (answer.state === "moved" || answer.state === "busy" || answer.state === "unknown") {
          this.time.after(20, attempt);
        } else result = answer;
      });
    };
    attempt();
    while (result === null && this.time.nowMs < untilMs) if (!this.time.step()) break;
    return result;
  }

  ids(incarnation: number): string[] {
    const { replication } = this.nodes.get(incarnation)!;
    const store = replication.store(7)!;
    return store.history("patient/H/1", 0, 1000).filter((i) => i <= replication.commitIndex(7)).map((i) =>
      store.message(i).id
    );
  }

  /** Both begin, or stop, to suspect each other. */
  suspectPair(a: number, b: number, isSuspect: boolean): void {
    this.#suspect(a, b, isSuspect);
    this.#suspect(b, a, isSuspect);
  }

  #suspectEverywhere(incarnation: number, isSuspect: boolean): void {
    for (const other of this.nodes.keys()) if (other !== incarnation) this.#suspect(other, incarnation, isSuspect);
  }

  #suspect(by: number, incarnation: number, isSuspect: boolean): void {
    const node = this.nodes.get(by);
    if (!node?.alive) return;
    if (isSuspect) {
      this.#suspects.add(`${by}>${incarnation}`);
      node.replication.suspected(incarnation);
    } else if (this.nodes.get(incarnation)!.alive && this.#suspects.delete(`${by}>${incarnation}`)) {
      node.replication.alive(incarnation);
    }
  }

  #send(from: number, to: number, payload: Uint8Array): boolean {
    this.bytesTo.set(to, (this.bytesTo.get(to) ?? 0) + payload.length);
    if (this.random.next() < this.lossRate) return true;
    const copies = this.random.next() < this.doubleRate ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      const delayMs = 1 + this.random.next() * 4 +
        (this.random.next() < this.slowRate ? this.random.next() * this.slowMs : 0);
      this.time.after(delayMs, () => {
        const node = this.nodes.get(to);
        if (!node?.alive || this.cuts.has(`${from}>${to}`)) return;
        try {
          node.replication.receive(from, payload);
        } catch (error) {
          if (!(error instanceof WaterparkError)) throw error;
          this.onRefused(error);
        }
      });
    }
    return true;
  }

  #check(incarnation: number, shard: number, first: number, last: number): void {
    const node = this.nodes.get(incarnation)!.replication;
    const store = node.store(shard)!;
    for (let index = first; index <= last; index++) {
      const entry = ENTRY.decode(store.copyRange(index, 1, index).bytes);
      const known = this.committed.get(index);
      if (known === undefined) this.committed.set(index, entry);
      else if (known !== entry) this.violations.push(`index ${index} was committed with two contents`);
    }
    const state = node.stateOf(shard)!;
    if (state.role !== "writer") return;
    const other = this.writersOfTerm.get(state.term);
    if (other !== undefined && other !== incarnation) this.violations.push(`two writers commit in term ${state.term}`);
    this.writersOfTerm.set(state.term, incarnation);
  }
}

/** Opens the journal on a disk as a process does that has just started. */
export function journalOn(
  disk: MemoryDisk,
  { world, sync, self }: { world: World; sync: SyncMode; self: { name: string; incarnation: number } },
): JournalOption {
  const reading = new JournalReading({ newLog: () => new ShardStore() });
  const { files } = disk;
  files.forEach(({ file, bytes }, i) => reading.file(file, bytes, i === files.length - 1));
  const contents = reading.end();
  for (const [file, length] of contents.files) disk.cut(file, length);
  const config = { syncIntervalMs: 100, fileBytesMax: 16_384, pendingBytesMax: 1 << 20, slackBytes: 8192 };
  const journal = new Journal({ world, disk: disk.open(world), sync, config, self, contents });
  return { journal, contents, slackBytes: config.slackBytes };
}
