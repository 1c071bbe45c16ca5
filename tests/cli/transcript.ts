/**
 * Transcripts: what somebody types, and all that comes back. A file holds several:
 *
 *     $ waterpark explain mailroom/buzy
 *     ! error: Cannot explain ...          a line on stderr
 *     = 2                                  the exit code
 *
 * Lines without a mark are stdout. `UPDATE=1 deno task test command` writes them anew, for the eye to judge.
 */

/** What came back. */
export interface Answer {
  code: number;
  stdout: string;
  stderr: string;
}

const AT_A_TIME = 4;
const ROOT = new URL("../../", import.meta.url);

/** Runs the command line. */
export async function waterpark(args: string[], env: Record<string, string> = {}): Promise<Answer> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--config",
      new URL("deno.json", ROOT).pathname,
      new URL("cli/main.ts", ROOT).pathname,
      ...args,
    ],
    env: { NO_COLOR: "1", ...cleared(), ...env },
    cwd: ROOT,
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** The command lines of a transcript. */
export function commandsOf(transcript: string): string[] {
  return transcript.split("\n").filter((line) => line.startsWith("$ ")).map((line) => line.slice(2));
}

/** Plays a transcript's commands; what it should read. */
export async function play(transcript: string): Promise<string> {
  const state = await Deno.makeTempDir();
  const commands = commandsOf(transcript);
  const parts: string[] = [];
  try {
    // a few at a time: each is a process of its own
    for (let i = 0; i < commands.length; i += AT_A_TIME) {
      const some = commands.slice(i, i + AT_A_TIME);
      parts.push(...await Promise.all(some.map((line) => playOne(line, `${state}/cluster.json`))));
    }
  } finally {
    await Deno.remove(state, { recursive: true });
  }
  return parts.join("\n\n") + "\n";
}

async function playOne(line: string, state: string): Promise<string> {
  const [, ...args] = line.split(" ");
  const { code, stdout, stderr } = await waterpark(args, { WATERPARK_STATE: state });
  const marked = (mark: string, text: string) =>
    text === "" ? [] : text.replace(/\n$/, "").split("\n").map((line) => `${mark}${line}`.trimEnd());
  return [`$ ${line}`, ...marked("", stdout), ...marked("! ", stderr), `= ${code}`].join("\n");
}

/** Variables of whoever runs the tests must not change what is printed. */
function cleared(): Record<string, string> {
  return Object.fromEntries(
    Object.keys(Deno.env.toObject()).filter((name) => name.startsWith("WATERPARK_")).map((name) => [name, ""]),
  );
}
