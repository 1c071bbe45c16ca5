import { parseNodeName, type Topology } from "../topology/mod.ts";

/** Incarnations, gone ones too, whose names are known. */
const NAMES_MAX = 4096;

/** Names of every incarnation ever seen, as receipts and hints may name one that is gone. */
export class Names {
  readonly #self: number;
  readonly #names = new Map<number, { name: string; dataCenter: string }>();

  constructor(self: { name: string; incarnation: number }) {
    this.#self = self.incarnation;
    this.#names.set(self.incarnation, { name: self.name, dataCenter: self.name.split("-")[0] });
  }

  /** Name of the node that lives, or lived, under this incarnation. */
  nameOf(incarnation: number): string {
    return this.#names.get(incarnation)?.name ?? `incarnation-${incarnation}`;
  }

  /** Its data center; `""` when it was never heard of. */
  dataCenterOf(incarnation: number): string {
    return this.#names.get(incarnation)?.dataCenter ?? "";
  }

  /**
   * Takes note of one life, even of one that ended before this node was there: receipts given again may name it. The
   * topology that comes of it is learnt next, and that keeps the bound.
   */
  add(name: string, incarnation: number): void {
    this.#names.set(incarnation, { name, dataCenter: parseNodeName(name).dataCenter });
  }

  /** Takes note of a topology. Who is gone for good needs no name for ever: old enough receipts name a number. */
  learn(topology: Topology): void {
    for (const { incarnation, name, dataCenter } of topology.state.nodes) {
      this.#names.set(incarnation, { name, dataCenter });
    }
    for (const incarnation of this.#names.keys()) {
      if (this.#names.size <= NAMES_MAX) return;
      if (incarnation !== this.#self && topology.nodeByIncarnation(incarnation) === null) {
        this.#names.delete(incarnation);
      }
    }
  }
}
