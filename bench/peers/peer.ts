/**
 * What we are compared with: how it is started on this machine, and which client talks to it. Everything listens on
 * 127.0.0.1 only, keeps nothing on disk but its log file, and ends with the bench.
 */

/** A program that must be on the PATH, and the Debian package that brings it. */
export interface Need {
  command: string;
  package: string;
}

/** Its processes. */
export interface RunningPeer {
  /** of servers, whose CPU is counted */
  pids: number[];
  /** where the client connects, in the order that it expects */
  ports: number[];
  /** Ends all its processes. */
  stop(): Promise<void>;
}

/** Something that does the work that our cluster does. */
export interface Peer {
  /** for the table */
  name: string;
  /** how `--only` calls it */
  word: string;
  needs: Need[];
  /** name of its sender, see `senders.ts` */
  sender: string;
  /**
   * Starts it, ready for messages.
   *
   * @param folder for configurations and logs; removed afterwards
   * @throws {Error} when it does not come up; nothing of it is left running
   */
  start(folder: string): Promise<RunningPeer>;
}

/** The needs that are not on the PATH. */
export function missingOf(needs: readonly Need[]): Need[] {
  const folders = (Deno.env.get("PATH") ?? "").split(":");
  return needs.filter(({ command }) => !folders.some((folder) => isFile(`${folder}/${command}`)));
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
