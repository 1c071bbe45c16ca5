/**
 * What processes have used, from Linux's `/proc`: the kernel counts for all threads of a process, also for ended ones, so
 * nothing has to be measured from inside.
 */
const DECODER = new TextDecoder();
/** USER_HZ, the unit of every time in `/proc`: fixed at 100 on all platforms that Deno runs on. */
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;

/** `pid` and all its descendants that live now: a node's plugin hosts are part of its cost. */
export function processTree(pid: number): number[] {
  const pids = [pid];
  for (let i = 0; i < pids.length; i++) {
    for (const thread of threadsOf(pids[i])) {
      // Any thread may be the one that forked.
      const children = readIfThere(`/proc/${pids[i]}/task/${thread}/children`);
      for (const child of children.split(" ")) if (child !== "") pids.push(Number(child));
    }
  }
  return pids;
}

/** CPU time that the processes and their descendants have used, ended children included; seconds. */
export function cpuSeconds(pids: Iterable<number>): number {
  let ticks = 0;
  for (const pid of pids) {
    for (const member of processTree(pid)) ticks += cpuTicks(read(`/proc/${member}/stat`));
  }
  return ticks / TICKS_PER_SECOND;
}

/** Ticks in the text of a `stat` file: user and system time of the process and of the children it has waited for. */
export function cpuTicks(stat: string): number {
  // The name in brackets may hold blanks and brackets itself; what follows the last one is numbers.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]) + Number(fields[13]) + Number(fields[14]);
}

/** Memory that the processes and their descendants hold now (resident set), bytes. */
export function residentBytes(pids: Iterable<number>): number {
  let pages = 0;
  for (const pid of pids) {
    for (const member of processTree(pid)) pages += Number(read(`/proc/${member}/statm`).split(" ")[1]);
  }
  return pages * PAGE_BYTES;
}

/** CPU time that all processes of this machine have used, seconds: tells how alone a measurement was. */
export function machineSeconds(): number {
  const [user, nice, system, , , irq, softIrq] = read("/proc/stat").split("\n")[0].split(/ +/).slice(1).map(Number);
  return (user + nice + system + irq + softIrq) / TICKS_PER_SECOND;
}

/** CPU time of a process's threads by their names, seconds, without its children; `main` is the one that it began with. */
export function threadSeconds(pid: number): Map<string, number> {
  const seconds = new Map<string, number>();
  for (const name of threadsOf(pid)) {
    const stat = readIfThere(`/proc/${pid}/task/${name}/stat`);
    if (stat === "") continue;
    const [utime, stime] = stat.slice(stat.lastIndexOf(")") + 2).split(" ").slice(11, 13).map(Number);
    const thread = Number(name) === pid ? "main" : stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"));
    seconds.set(thread, (seconds.get(thread) ?? 0) + (utime + stime) / TICKS_PER_SECOND);
  }
  return seconds;
}

/** CPU time of this process's first thread, the one that runs JavaScript, nanoseconds; without the collector's helpers. */
export function threadCpuNs(): number {
  return Number(read("/proc/self/schedstat").split(" ")[0]);
}

function threadsOf(pid: number): string[] {
  return Array.from(Deno.readDirSync(`/proc/${pid}/task`), ({ name }) => name);
}

/** The text of a file of a thread, which may end between two looks: empty then. */
function readIfThere(path: string): string {
  try {
    return read(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || (error as { code?: string }).code === "ESRCH") return "";
    throw error;
  }
}

function read(path: string): string {
  return DECODER.decode(Deno.readFileSync(path));
}
