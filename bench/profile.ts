/**
 * Where did the time go? The functions with the greatest self time in V8 CPU profiles, such as nodes leave behind under
 * `deno task bench --profile DIR`. Idle time is left out: 100 % is what the thread worked, or was kept from working by
 * others who use the machine: samples are taken by the wall clock.
 *
 *     deno run --allow-read bench/profile.ts [--last SECONDS] DIR/TN-A-1.cpuprofile ...
 *
 * With `--last` only the end of the profile counts, without what starting a node costs.
 */
import { parseArgs } from "node:util";

const TOP = 25;

/** The part of a `.cpuprofile` that is looked at (the DevTools protocol's `Profiler.Profile`). */
interface Profile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  samples: number[];
  timeDeltas: number[];
  /** microseconds */
  startTime: number;
  endTime: number;
}

/** Self time of each function in the last `lastUs`, microseconds, most first; without what V8 calls idle. */
export function selfTimes(profile: Profile, lastUs = Infinity): { name: string; us: number }[] {
  const names = new Map(profile.nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const times = new Map<string, number>();
  let atUs = profile.startTime;
  profile.samples.forEach((id, i) => {
    atUs += profile.timeDeltas[i];
    const name = names.get(id)!;
    if (name === "(idle)" || atUs < profile.endTime - lastUs) return;
    times.set(name, (times.get(name) ?? 0) + profile.timeDeltas[i]);
  });
  return [...times].map(([name, us]) => ({ name, us })).sort((a, b) => b.us - a.us);
}

function nameOf({ functionName, url, lineNumber }: Profile["nodes"][number]["callFrame"]): string {
  const name = functionName || "(anonymous)";
  return url === "" ? name : `${name} ${url.split("/").slice(-2).join("/")}:${lineNumber + 1}`;
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({ options: { last: { type: "string" } }, allowPositionals: true });
  for (const path of positionals) {
    const profile = JSON.parse(Deno.readTextFileSync(path)) as Profile;
    const times = selfTimes(profile, Number(values.last ?? Infinity) * 1e6);
    const total = times.reduce((sum, { us }) => sum + us, 0);
    console.log(`${path}: ${(total / 1e6).toFixed(2)} s`);
    for (const { name, us } of times.slice(0, TOP)) {
      console.log(`${(us / total * 100).toFixed(1).padStart(6)} %  ${(us / 1000).toFixed(0).padStart(6)} ms  ${name}`);
    }
  }
}
