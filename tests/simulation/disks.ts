/**
 * Disks: what simulated machines keep of their journals when their power fails. What was synced is there; of the rest a
 * part, whose end may be torn.
 */
import { type JournalContents, JournalReading, MemoryDisk } from "../../runtime/journal/mod.ts";
import type { NodeCoreOptions } from "../../runtime/node/mod.ts";
import { ShardStore } from "../../runtime/storage/mod.ts";
import { SeededRandom, type World } from "../../runtime/world/mod.ts";
import type { SimulationOptions } from "./options.ts";

/** The disks of all machines, by the nodes' names. */
export class SimulatedDisks {
  readonly #disks = new Map<string, MemoryDisk>();
  readonly #random: SeededRandom;
  readonly #options: SimulationOptions;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#random = new SeededRandom(options.seed + 2);
  }

  /** The power fails. */
  crash(name: string): void {
    this.#disks.get(name)?.crash(() => this.#random.next());
  }

  /** What a process that starts finds there; nothing where machines have no disks. */
  open(name: string, world: World): NodeCoreOptions["journal"] {
    const { hasDisks, syncMs } = this.#options;
    if (!hasDisks) return undefined;
    let disk = this.#disks.get(name);
    if (disk === undefined) {
      const random = this.#random;
      disk = new MemoryDisk({ writeMs: () => random.next(), syncMs: () => random.next() * syncMs });
      this.#disks.set(name, disk);
    }
    const contents = read(disk);
    for (const [file, length] of contents.files) disk.cut(file, length);
    return { disk: disk.open(world), sync: "always", contents };
  }
}

function read(disk: MemoryDisk): JournalContents<ShardStore> {
  const reading = new JournalReading({ newLog: () => new ShardStore() });
  const { files } = disk;
  files.forEach(({ file, bytes }, i) => reading.file(file, bytes, i === files.length - 1));
  const contents = reading.end();
  if (contents.damaged > 0) throw new Error(`a crash alone damages nothing: ${contents.damaged} records`);
  return contents;
}
