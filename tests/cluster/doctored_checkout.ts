/**
 * The next version of this code, as far as its neighbours can tell: a copy of the checkout that speaks one version of the
 * protocol more, says a field more in its hello, sends frames of a kind that nobody knows yet to those who speak that
 * version, and knows a command to the topology that belongs to it.
 */

const ROOT = new URL("../../", import.meta.url);
const FOLDERS = ["runtime", "client", "cli", "plugins", "testing", "bench", "tests"];
const FILES = [
  "deno.json",
  "deno.lock",
  "package.json",
  "mod.ts",
  "client.ts",
  "testing.ts",
];

/** What is changed: file, text, its successor. The text must be there, or nothing is doctored. */
const CHANGES: [file: string, before: string, after: string][] = [
  ["runtime/wire/protocol.ts", "{ oldest: 1, newest: 2 }", "{ oldest: 1, newest: 3 }"],
  ["runtime/topology/protocol.ts", "number>> = {};", "number>> = { ack: 3 };"],
  [
    "runtime/transport/handshake.ts",
    "nonce: options.nonce,\n    });",
    "nonce: options.nonce,\n      future: [2],\n    });",
  ],
  [
    "runtime/node/peer_news.ts",
    "    mailroom.peerChanged(incarnation, up);\n    if (up)",
    "    mailroom.peerChanged(incarnation, up);\n" +
    "    if (up && this.#core.mesh.versionOf(incarnation)! >= 3) {\n" +
    "      this.#core.mesh.send(incarnation, 0, 99, new Uint8Array(8));\n" +
    "    }\n" +
    "    if (up)",
  ],
];

/** A doctored copy in a folder of its own, gone at the end of an `await using`. */
export async function doctoredCheckout(): Promise<{ root: URL } & AsyncDisposable> {
  const folder = await Deno.makeTempDir({ prefix: "waterpark-next-" });
  const root = new URL(`file://${folder}/`);
  for (const name of FOLDERS) await copyFolder(new URL(`${name}/`, ROOT), new URL(`${name}/`, root));
  for (const name of FILES) await Deno.copyFile(new URL(name, ROOT), new URL(name, root));
  for (const [file, before, after] of CHANGES) {
    const text = await Deno.readTextFile(new URL(file, root));
    if (text.split(before).length !== 2) throw new Error(`Cannot doctor ${file} as it must have once: ${before}`);
    await Deno.writeTextFile(new URL(file, root), text.replace(before, () => after));
  }
  return { root, [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}

async function copyFolder(from: URL, to: URL): Promise<void> {
  await Deno.mkdir(to);
  for await (const { name, isDirectory, isFile } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(new URL(`${name}/`, from), new URL(`${name}/`, to));
    else if (isFile && !name.endsWith("_test.ts")) await Deno.copyFile(new URL(name, from), new URL(name, to));
  }
}
