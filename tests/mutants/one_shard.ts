/**
 * Hard schedules of one shard: what random schedules of the whole cluster come to once in thousands of seeds. Whoever
 * thinks that he is the writer is given messages, many at once and some of them large; writers are cut off from the
 * other voters and from nobody else; several members move at the same time; reads are asked for all along.
 */
import type { MessageProposal } from "../../runtime/wire/mod.ts";
import { Group } from "../../runtime/replication/model_group.ts";

const SHARD = 7;
const KEY = "patient/H/1";
const STEPS = 60;
/** Two of these are more than one append takes. */
const LARGE_BYTES = 150 * 1024;

interface Acknowledged {
  id: string;
  seq: number;
  index: number;
}

/** One schedule, which follows from its seed; `findings` says what is wrong. */
export class OneShardSchedule {
  readonly findings: string[] = [];
  readonly acknowledged: Acknowledged[] = [];
  readonly #group: Group;
  readonly #open = new Set<string>();
  #hasLarge = false;
  #members = [1, 2, 3, 4, 5];
  #crashesMax = 2;
  #refusals = 0;
  /** alive, and no member now */
  #spares: number[] = [];
  #crashes = 0;
  #born = 0;
  #sent = 0;

  constructor(seed: number) {
    this.#group = new Group(seed);
  }

  /** Runs it to its end. */
  run(): void {
    const group = this.#group;
    const { random, time } = group;
    group.onRefused = () => this.#refusals++;
    if (random.next() < 0.2) [this.#members, this.#crashesMax] = [[1, 2, 3], 1];
    this.#born = this.#members.length;
    group.birth(this.#members);
    // Few faults at once show what each of them does.
    const some = (rate: number) => random.next() < 0.5 ? random.next() * rate : 0;
    [group.lossRate, group.doubleRate, group.slowRate] = [some(0.1), some(0.1), some(0.2)];
    if (random.next() < 0.2) group.slowMs = 3000;
    // Laying out and comparing large ones is what such a schedule takes its time for.
    this.#hasLarge = random.next() < 0.1;
    for (let step = 0; step < STEPS; step++) {
      this.#fault();
      for (let i = random.below(4); i > 0; i--) this.#send(`m${++this.#sent}`);
      for (const id of this.#open) if (random.next() < 0.1) this.#propose(id);
      if (random.next() < 0.3) this.#read();
      time.runUntil(time.nowMs + 1 + random.next() * (random.next() < 0.2 ? 400 : 60));
    }
    this.#settle();
  }

  #fault(): void {
    const { random } = this.#group;
    const chance = random.next();
    if (chance < 0.02) this.#crash();
    else if (chance < 0.1) this.#isolate();
    else if (chance < 0.16) this.#group.cut(this.#anyMember(), this.#spares[0] ?? this.#anyMember(), 300);
    else if (chance < 0.2) this.#desire([...this.#members.slice(1), this.#members[0]]);
    else if (chance < 0.3) this.#move(1 + random.below(2));
    else if (chance < 0.34) this.#swing();
  }

  /** A writer, in its own eyes at least, loses sight of the other voters; of learners it does not. */
  #isolate(): void {
    const { random } = this.#group;
    const writers = this.#writers();
    if (writers.length === 0) return;
    const writer = writers[random.below(writers.length)];
    const forMs = 50 + random.below(1500);
    const others = this.#group.nodes.get(writer)!.replication.members(SHARD).filter((member) => member !== writer);
    const reached = random.next() < 0.3 ? others[random.below(others.length)] : 0;
    for (const other of others) if (other !== reached) this.#group.cut(writer, other, forMs);
  }

  /** A living copy leaves for one that has none, and is wanted again before everybody has heard of it. */
  #swing(): void {
    const before = this.#members;
    this.#move(1);
    const gone = before.filter((member) => !this.#members.includes(member));
    const come = this.#members.filter((member) => !before.includes(member));
    this.#group.time.after(10 + this.#group.random.next() * 500, () => {
      if (!this.#members.includes(come[0]) || !this.#spares.includes(gone[0])) return;
      this.#spares = this.#spares.map((spare) => spare === gone[0] ? come[0] : spare);
      this.#desire(this.#members.map((member) => member === come[0] ? gone[0] : member));
    });
  }

  /** At most two in all, of three members one: none is replaced for certain before the next. */
  #crash(): void {
    const victim = this.#anyMember();
    if (this.#crashes === this.#crashesMax || !this.#isAlive(victim)) return;
    this.#crashes++;
    this.#group.crash(victim);
    const substitute = this.#newcomer();
    this.#desire(this.#members.map((member) => member === victim ? substitute : member));
  }

  /** Living copies leave, for new nodes or for such as have left before. */
  #move(count: number): void {
    for (let i = 0; i < count; i++) {
      const leaver = this.#anyMember();
      const spare = this.#spares.length > 0 && this.#group.random.next() < 0.6
        ? this.#spares.splice(this.#group.random.below(this.#spares.length), 1)[0]
        : this.#newcomer();
      if (this.#isAlive(leaver)) this.#spares.push(leaver);
      this.#members = this.#members.map((member) => member === leaver ? spare : member);
    }
    this.#desire(this.#members);
  }

  #newcomer(): number {
    this.#group.start(++this.#born);
    return this.#born;
  }

  #desire(members: number[]): void {
    this.#members = members;
    this.#group.desire({ voters: members, learners: [] });
  }

  #anyMember(): number {
    return this.#members[this.#group.random.below(this.#members.length)];
  }

  #isAlive(incarnation: number): boolean {
    return this.#group.nodes.get(incarnation)!.alive;
  }

  /** Everybody who thinks that he is the writer. */
  #writers(): number[] {
    return [...this.#group.nodes].filter(([, node]) => node.alive && node.replication.isWriter(SHARD))
      .map(([incarnation]) => incarnation);
  }

  #send(id: string): void {
    this.#open.add(id);
    this.#propose(id);
  }

  #propose(id: string): void {
    const { random, nodes } = this.#group;
    const writers = this.#writers();
    // Who has heard of a writer that is none any more, or was one itself, is asked as well.
    const asked = random.next() < 0.1 ? [...nodes.keys()].filter((node) => this.#isAlive(node)) : writers;
    if (asked.length === 0) return;
    const { replication } = nodes.get(asked[random.below(asked.length)])!;
    const isLarge = this.#hasLarge && Number(id.slice(1)) % 4 === 0;
    const proposal: MessageProposal = {
      key: KEY,
      id,
      type: "",
      contentType: "text/plain",
      atMs: 0,
      payload: isLarge ? new Uint8Array(LARGE_BYTES) : new TextEncoder().encode(id),
      sender: "",
      n: 0,
      oldest: 0,
      term: 0,
      ifMatch: -1,
    };
    replication.propose(SHARD, proposal, (answer) => {
      if (answer.state === "recorded") {
        const { seq, index } = answer.receipt;
        this.#open.delete(id);
        const held = [...nodes.values()].filter((node) => node.replication.store(SHARD)?.findMessage(KEY, id));
        if (held.length < 3) this.findings.push(`${id} was acknowledged on ${held.length} copies`);
        this.acknowledged.push({ id, seq, index });
      } else if (answer.state === "conflict") {
        this.findings.push(`${id} is refused for good, and was sent by nobody else`);
      }
    });
  }

  /** Whatever was acknowledged before the read was asked for must be in it. */
  #read(): void {
    const writers = this.#writers();
    if (writers.length === 0) return;
    const writer = writers[this.#group.random.below(writers.length)];
    const known = Math.max(0, ...this.acknowledged.map(({ index }) => index));
    this.#group.nodes.get(writer)!.replication.readFresh(SHARD, (index) => {
      if (index !== null && index < known) this.findings.push(`a fresh read saw index ${index}, not ${known}`);
    });
  }

  /** Faults end; what is owed must come. */
  #settle(): void {
    const group = this.#group;
    group.lossRate = group.doubleRate = group.slowRate = 0;
    group.time.runUntil(group.time.nowMs + 6000);
    const last = group.post({ id: "last" }, group.time.nowMs + 20_000);
    if (last?.state !== "recorded") this.findings.push("it takes no messages any more");
    group.time.runUntil(group.time.nowMs + 4000);
    this.findings.push(...group.violations);
    const [named] = this.#members;
    const untilMs = group.time.nowMs + 20_000;
    while (!this.#isInPlace() && group.time.nowMs < untilMs) group.time.runUntil(group.time.nowMs + 250);
    if (!this.#isInPlace()) return void this.findings.push("writer or copies are not where they should be");
    // whoever came last is told at leisure what is committed
    group.time.runUntil(group.time.nowMs + 1000);
    const ids = group.ids(named);
    if (new Set(ids).size !== ids.length) this.findings.push("a message stands twice");
    for (const { id, seq } of this.acknowledged) {
      if (ids[seq - 1] !== id) this.findings.push(`${id} was acknowledged at seq ${seq}, where ${ids[seq - 1]} stands`);
    }
    for (const member of this.#members) {
      if (group.ids(member).join() !== ids.join()) this.findings.push(`${member} has another history`);
    }
    if (this.findings.length === 0 && this.#refusals > 0) {
      this.findings.push("a copy refused what no healthy one sends");
    }
  }

  /** The members have copies, nobody else has, and the first of them writes. */
  #isInPlace(): boolean {
    const group = this.#group;
    const holding = [...group.nodes].filter(([, node]) => node.alive && node.replication.store(SHARD) !== null);
    return group.writer() === this.#members[0] && holding.length === this.#members.length &&
      holding.every(([incarnation]) => this.#members.includes(incarnation));
  }
}
