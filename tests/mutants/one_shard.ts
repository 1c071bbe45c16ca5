/**
 * Hard schedules of one shard: what random schedules of the whole cluster come to once in thousands of seeds. Whoever
 * thinks that he is the writer is given messages, many at once and some of them large; writers are cut off from the
 * other voters and from nobody else; several members move at the same time; reads are asked for all along.
 */
import type { MessageProposal } from "../../../runtime/wire/mod.ts";
import { Group } from "../../../runtime/replication/model_group.ts";

const SHARD = 7;
const STEPS = 60;
/** Two of these are more than one append takes. */
const LARGE_BYTES = 150 * 1024;

interface Acknowledged {
  id: string;
  seq: number;
  index: number;
}

/** One schedule; `findings` says what is wrong. */
export class OneShardSchedule {
  readonly findings: string[] = [];
  readonly acknowledged: Acknowledged[] = [];
  readonly #group: Group;
  readonly #open = new Set<string>();
  #hasLarge = false;
  #members = [1, 2, 3, 4, 5];
  /** alive, and no member now */
  #spares: number[] = [];
  #crashes = 0;
  #born = 5;
  #sent = 0;

  constructor(seed: number) {
    this.#group = new Group(seed);
  }

  /** Runs it to its end. */
  run(): void {
    const group = this.#group;
    const { random, time } = group;
    group.birth(this.#members);
    // Few faults at once show what each of them does.
    const some = (rate: number) => random.next() < 0.5 ? random.next() * rate : 0;
    [group.lossRate, group.doubleRate, group.slowRate] = [some(0.1), some(0.1), some(0.2)];
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

  /** At most two in all: none is replaced for certain before the next. */
  #crash(): void {
    const victim = this.#anyMember();
    if (this.#crashes === 2 || !this.#isAlive(victim)) return;
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
    const writers = this.#writers();
    if (writers.length === 0) return;
    const { replication } = this.#group.nodes.get(writers[this.#group.random.below(writers.length)])!;
    const isLarge = this.#hasLarge && Number(id.slice(1)) % 4 === 0;
    const proposal: MessageProposal = {
      key: "patient/H/1",
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
    const writer = group.writer();
    if (writer === null) return void this.findings.push("nobody writes in the end");
    const ids = group.ids(writer);
    if (new Set(ids).size !== ids.length) this.findings.push("a message stands twice");
    for (const { id, seq } of this.acknowledged) {
      if (ids[seq - 1] !== id) this.findings.push(`${id} was acknowledged at seq ${seq}, where ${ids[seq - 1]} stands`);
    }
    for (const member of this.#members.filter((member) => this.#isAlive(member))) {
      if (group.nodes.get(member)!.replication.store(SHARD) === null) this.findings.push(`${member} has no copy`);
      else if (group.ids(member).join() !== ids.join()) this.findings.push(`${member} has another history`);
    }
  }
}
