/**
 * Builds the Go program beside this file, which gives histories to porcupine, and asks it. Where there is no Go, or the
 * module cannot be had, there is a reason instead.
 */

/** What the checker said. */
export interface Verdict {
  code: number;
  said: string;
}

/** Built and ready. */
export interface Checker {
  /** Checks the history in a file. */
  check(path: string): Promise<Verdict>;
  /** Checks lines of a history. */
  checkLines(lines: readonly object[]): Promise<Verdict>;
}

const MODULE = new URL("./", import.meta.url);
/** Fetching a module of 30 KB and compiling it and what it needs of the standard library. */
const BUILD_MS_MAX = 120_000;
/** What the go command says when the module is not to be had, which is not this project's fault. */
const UNREACHED = /dial tcp|no such host|connection refused|i\/o timeout|disabled by GOPROXY|proxyconnect|EOF/;

/** The checker, whose files go to `folder`; a text when it cannot be had here: why. */
export async function buildChecker(folder: string): Promise<Checker | string> {
  const program = `${folder}/porcupine`;
  try {
    const { success, stderr } = await run("go", ["build", "-o", program, "."], { cwd: MODULE, ms: BUILD_MS_MAX });
    if (!success && UNREACHED.test(stderr)) return `the module cannot be fetched: ${stderr.trim().split("\n").at(-1)}`;
    if (!success) throw new Error(stderr);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "there is no go on the PATH";
    if (error instanceof DOMException) return `go build took more than ${BUILD_MS_MAX} ms`;
    throw error;
  }
  const check = async (path: string): Promise<Verdict> => {
    const { code, stdout, stderr } = await run(program, ["-timeout", "20s", path], { ms: 60_000 });
    return { code, said: (stdout + stderr).trim() };
  };
  return {
    check,
    checkLines: async (lines) => {
      const path = `${folder}/lines.jsonl`;
      await Deno.writeTextFile(path, lines.map((line) => JSON.stringify(line) + "\n").join(""));
      return await check(path);
    },
  };
}

async function run(program: string, args: string[], { cwd, ms }: { cwd?: URL; ms: number }) {
  const signal = AbortSignal.timeout(ms);
  const { code, success, stdout, stderr } = await new Deno.Command(program, { args, cwd, signal, stdin: "null" })
    .output();
  signal.throwIfAborted();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, success, stdout: text(stdout), stderr: text(stderr) };
}
