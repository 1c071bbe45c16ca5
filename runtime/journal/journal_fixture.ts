import { ENTRY, ShardStore } from "../storage/mod.ts";
import { SeededRandom, SimulatedTime, simulatedWorld } from "../world/mod.ts";
import { Journal, type JournalConfig, type JournalContents, JournalReading, MemoryDisk, type SyncMode } from "./mod.ts";

const ENCODER = new TextEncoder();

/** One journal on one disk, and the copies that it is about. */
export class Desk {
  readonly time = new SimulatedTime();
  readonly world = simulatedWorld({ time: this.time, random: new SeededRandom(1) });
  readonly disk: MemoryDisk;
  readonly stores = new Map<number, ShardStore>();
  readonly faults: (string | null)[] = [];
  journal: Journal;
  contents: JournalContents<ShardStore>;
  readonly #sync: SyncMode;
  readonly #config: Partial<JournalConfig>;
  #life = 100;

  constructor(options: { sync?: SyncMode; disk?: MemoryDisk; config?: Partial<JournalConfig> } = {}) {
    this.disk = options.disk ?? new MemoryDisk({ writeMs: () => 1, syncMs: () => 2 });
    this.#sync = options.sync ?? "always";
    this.#config = options.config ?? {};
    this.contents = readAll(this.disk);
    this.journal = this.#open();
  }

  /** The process has ended; another one starts on the same disk. */
  restart(): void {
    this.contents = readAll(this.disk);
    if (this.contents.torn !== null) this.disk.cut(this.contents.torn.file, this.contents.torn.bytes);
    this.stores.clear();
    for (const [shard, { log }] of this.contents.copies) this.stores.set(shard, log);
    this.journal = this.#open();
  }

  begin(shard: number, generation = 1): void {
    this.stores.set(shard, new ShardStore());
    this.journal.begin(shard, generation);
  }

  /** So many entries more in the shard's copy, and in the journal. */
  add(
    shard: number,
    count: number,
    options: { term?: number; from?: number; bytes?: number; commit?: number } = {},
  ): void {
    const store = this.stores.get(shard)!;
    if (options.from !== undefined) store.truncateFrom(options.from);
    const first = store.lastIndex + 1;
    for (let i = 0; i < count; i++) {
      const text = `${shard}/${options.term ?? 1}/${first + i}`.padEnd(options.bytes ?? 0, ".");
      store.appendEntry(options.term ?? 1, ENTRY.OUTCOMES, ENCODER.encode(text));
    }
    const bytes = count === 0 ? new Uint8Array(0) : store.copyRange(first, Infinity).bytes;
    this.journal.append(shard, { generation: 1, first, commit: options.commit ?? 0, bytes });
  }

  /** Flushes, and lets time pass until it is safe; false: it never was. */
  settle(ms = 50): boolean {
    let isSafe = false;
    this.journal.flush(() => isSafe = true);
    this.time.runUntil(this.time.nowMs + ms);
    return isSafe;
  }

  /** The copies as texts, by shard. */
  texts(): Record<number, string[]> {
    return textsOf(new Map([...this.stores].map(([shard, log]) => [shard, { log }])));
  }

  #open(): Journal {
    return new Journal({
      world: this.world,
      disk: this.disk.open(this.world),
      sync: this.#sync,
      config: { syncIntervalMs: 100, fileBytesMax: 1 << 20, pendingBytesMax: 1 << 20, slackBytes: 0, ...this.#config },
      self: { name: "TN-A-1", incarnation: this.#life++ },
      contents: this.contents,
      onFault: (fault) => this.faults.push(fault),
    });
  }
}

/** What stands on a disk. */
export function readAll(disk: { files: { file: number; bytes: Uint8Array }[] }): JournalContents<ShardStore> {
  const reading = new JournalReading({ newLog: () => new ShardStore() });
  const { files } = disk;
  files.forEach(({ file, bytes }, i) => reading.file(file, bytes, i === files.length - 1));
  return reading.end();
}

const DECODER = new TextDecoder();

/** Copies as texts, by shard. */
export function textsOf(copies: Map<number, { log: ShardStore }>): Record<number, string[]> {
  const texts: Record<number, string[]> = {};
  for (const [shard, { log }] of copies) {
    texts[shard] = Array.from({ length: log.lastIndex }, (_, i) => DECODER.decode(log.body(i + 1)).replace(/\.+$/, ""));
  }
  return texts;
}
