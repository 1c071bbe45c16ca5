import { differingPaths } from "./compare.ts";
import { addExample, addPaths, type DiffExample, type DiffKind, emptyDiff, type VersionDiff } from "./diff_book.ts";
import type { Compared } from "./shadow.ts";
import type { Handler } from "./versions.ts";

/** Pairs of versions that are remembered, over all plugins; past it the oldest is forgotten. */
const BOOKS_MAX = 100;
/** Actors that are told apart in one book. */
const ACTORS_MAX = 100_000;

/** What one looks like from the other side. */
const MIRRORED: Partial<Record<DiffKind, DiffKind>> = {
  "effects-missing": "effects-added",
  "effects-added": "effects-missing",
  "parked-by-new": "parked-by-old",
  "parked-by-old": "parked-by-new",
};

/** One pair of versions. */
export class DiffBook {
  readonly diff: VersionDiff;
  /** null: nothing is compared any more, and only the count is kept */
  #actors: Set<string> | null = new Set<string>();

  constructor(diff: VersionDiff) {
    this.diff = diff;
  }

  /**
   * Counts a comparison.
   *
   * @param isOldDeciding false: the new version has decided, and the old one folds along
   * @returns the examples that were kept
   */
  add(actor: string, { messages, examples }: Compared, isOldDeciding: boolean): DiffExample[] {
    const { diff } = this;
    diff.compared += messages;
    const different = new Set(examples.map(({ seq }) => seq)).size;
    diff.equal += messages - different;
    if (this.#actors !== null && this.#actors.size < ACTORS_MAX) this.#actors.add(actor);
    diff.actors = this.#actors?.size ?? diff.actors;
    const kept: DiffExample[] = [];
    for (const example of examples) {
      const kind = isOldDeciding ? example.kind : MIRRORED[example.kind] ?? example.kind;
      const seen = { ...example, kind };
      diff.counts[kind]++;
      if (addExample(diff, seen)) kept.push(seen);
    }
    return kept;
  }

  /** One of the versions folds no more. The actors are the dear part: 70 bytes each, for every version there ever was. */
  close(): void {
    this.#actors = null;
  }

  /** Both versions' projections after an example's message. */
  look(example: DiffExample, before: unknown, after: unknown): void {
    example.paths = differingPaths(before, after);
    addPaths(this.diff, example.paths);
  }
}

/** The books of a node. */
export class DiffBooks {
  readonly #books = new Map<string, DiffBook>();

  /** The book of two versions; the lower number is the old one. */
  of({ name, numbers = {} }: Handler, a: string, b: string): DiffBook {
    const [old, fresh] = (numbers[a] ?? 0) <= (numbers[b] ?? 0) ? [a, b] : [b, a];
    const title = `${name} ${old} ${fresh}`;
    let book = this.#books.get(title);
    if (book === undefined) {
      this.#books.set(title, book = new DiffBook(emptyDiff(name, old, fresh)));
      if (this.#books.size > BOOKS_MAX) this.#books.delete(this.#books.keys().next().value!);
    }
    return book;
  }

  /** Versions by name and hash that fold from now on: books about others are closed. */
  keep(folds: (plugin: string, hash: string) => boolean): void {
    for (const book of this.#books.values()) {
      const { plugin, old, new: fresh } = book.diff;
      if (!folds(plugin, old) || !folds(plugin, fresh)) book.close();
    }
  }

  /** Those of a plugin. */
  diffs(plugin: string): VersionDiff[] {
    return [...this.#books.values()].map(({ diff }) => diff).filter((diff) => diff.plugin === plugin);
  }
}
