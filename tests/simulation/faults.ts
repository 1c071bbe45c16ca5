/**
 * Faults: crashes within the promised bound (two nodes, or one data center, and no more until the copies are whole
 * again), cuts of one or both directions without any bound, new plugin versions in mid-flow.
 */
import { SeededRandom } from "../../runtime/world/mod.ts";
import type { SimulatedCluster } from "./cluster.ts";

/** Hurts a cluster until it is told to stop. */
export class Faults {
  readonly #cluster: SimulatedCluster;
  readonly #random: SeededRandom;
  #isOver = false;
  #mayCrash = true;
  #version = 1;

  constructor(cluster: SimulatedCluster) {
    this.#cluster = cluster;
    this.#random = new SeededRandom(cluster.random.next32());
  }

  start(): void {
    const { crashEveryMs, cutEveryMs, deployEveryMs, restartEveryMs } = this.#cluster.options;
    this.#cluster.isFaulty = true;
    this.#every(crashEveryMs, () => this.#crash());
    this.#every(restartEveryMs, () => this.#restart());
    this.#every(cutEveryMs, () => this.#cut());
    this.#every(deployEveryMs, () => this.#cluster.deploy(++this.#version));
  }

  /** Ends all faults: links are mended and frames arrive; nodes that are down come back. */
  stop(): void {
    this.#isOver = true;
    this.#cluster.isFaulty = false;
    this.#cluster.network.healAll();
    for (const { name, isAlive, core } of [...this.#cluster.nodes.values()]) {
      const status = core.directory.topology?.nodeByName(name)?.status;
      if (isAlive && status === "draining") this.#cluster.crash(name);
      if (!isAlive || status === "draining") this.#cluster.boot(name);
    }
  }

  #every(meanMs: number, act: () => void): void {
    if (meanMs === 0) return;
    this.#cluster.time.after(meanMs * (0.2 + 1.6 * this.#random.next()), () => {
      if (this.#isOver) return;
      act();
      this.#every(meanMs, act);
    });
  }

  #crash(): void {
    if (!this.#mayCrash) return;
    const living = this.#cluster.living();
    let victims = [living[this.#random.below(living.length)]];
    if (this.#random.next() < this.#cluster.options.dataCenterRate) {
      victims = living.filter((node) => node.dataCenter === victims[0].dataCenter).slice(0, 2);
    } else if (this.#random.next() < 0.3) {
      const other = living[this.#random.below(living.length)];
      if (other !== victims[0]) victims.push(other);
    }
    this.#mayCrash = false;
    for (const { name } of victims) {
      this.#cluster.crash(name);
      this.#cluster.time.after(300 + this.#random.next() * 4000, () => {
        if (!this.#cluster.nodes.get(name)!.isAlive) this.#cluster.boot(name);
      });
    }
    this.#allowWhenWhole();
  }

  /** Planned work: living copies leave and come again, while everything else goes wrong. */
  #restart(): void {
    if (!this.#mayCrash) return;
    this.#mayCrash = false;
    const { time } = this.#cluster;
    const living = this.#cluster.living();
    const { name, core } = living[this.#random.below(living.length)];
    this.#cluster.trace?.write({ node: name, room: "fault", event: "drain" });
    const { incarnation } = core.self;
    living[0].core.directory.command({ type: "drain", name, incarnation }, () => {});
    time.after(1000 + this.#random.next() * 5000, () => {
      if (this.#isOver) return;
      this.#cluster.crash(name);
      this.#cluster.boot(name);
    });
    time.after(7000, () => this.#allowWhenWhole());
  }

  #allowWhenWhole(): void {
    this.#cluster.time.after(250, () => {
      if (this.#isOver) return;
      if (this.#cluster.unwhole({ inPlace: false }).length === 0) {
        this.#mayCrash = true;
      } else this.#allowWhenWhole();
    });
  }

  #cut(): void {
    const { names, network, time } = this.#cluster;
    const from = names[this.#random.below(names.length)];
    const to = names[this.#random.below(names.length)];
    if (from === to) return;
    const isOneWay = this.#random.next() < 0.4;
    this.#cluster.trace?.write({ node: from, room: "fault", event: "cut", off: to, oneWay: isOneWay });
    network.cut(`${from}:4600`, `${to}:4600`, { isOneWay });
    time.after(100 + this.#random.next() * 5000, () => network.heal(`${from}:4600`, `${to}:4600`));
  }
}
