/**
 * A copy of the tree in which lines can be broken. One copy serves one mutant after another: a module that has not
 * changed is then not compiled again.
 */
import type { Mutant } from "./mutant.ts";

const ROOT = new URL("../../", import.meta.url);
/** What the simulator and the unit tests need. */
const PARTS = ["deno.json", "deno.lock", "mod.ts", "client.ts", "testing.ts", "runtime", "client", "plugins", "tests"];

/** See the module's header. */
export class TreeCopy {
  /** absolute path of the copy's root */
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** A fresh copy of the working tree. */
  static async make(): Promise<TreeCopy> {
    const path = await Deno.makeTempDir({ prefix: "waterpark-mutants-" });
    for (const part of PARTS) await copy(new URL(part, ROOT).pathname, `${path}/${part}`);
    return new TreeCopy(path);
  }

  /** Calls `use` while the mutant's line is broken. */
  async broken<T>(mutant: Mutant, use: () => Promise<T>): Promise<T> {
    const path = `${this.path}/${mutant.file}`;
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, mutated(text, mutant).text);
    try {
      return await use();
    } finally {
      await Deno.writeTextFile(path, text);
    }
  }

  /** Removes the copy. */
  async remove(): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

/** The text of `mutant.file` in the working tree. */
export function textOf(mutant: Mutant): Promise<string> {
  return Deno.readTextFile(new URL(mutant.file, ROOT));
}

/**
 * The broken text, and the number of the broken line.
 *
 * @throws {Error} when the text to replace is not there, or there twice: the code has moved on and the mutant has not
 */
export function mutated(text: string, { name, file, before, after }: Mutant): { text: string; line: number } {
  const pieces = text.split(before);
  if (pieces.length !== 2) {
    throw new Error(`Cannot break ${name} as its text stands ${pieces.length - 1} times in ${file}: ${before}`);
  }
  return { text: pieces.join(after), line: pieces[0].split("\n").length };
}

async function copy(from: string, to: string): Promise<void> {
  const { isDirectory } = await Deno.stat(from);
  if (!isDirectory) return await Deno.copyFile(from, to);
  await Deno.mkdir(to);
  for await (const { name } of Deno.readDir(from)) await copy(`${from}/${name}`, `${to}/${name}`);
}
