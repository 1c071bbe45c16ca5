/**
 * V8 CPU profiles, read: which rooms and functions had the thread, and how they were called. Idle time is left out:
 * the whole is what the thread worked, or was kept from working by others who use the machine, as samples are taken by
 * the wall clock. So only shares are taken from here; what a share is worth says the kernel's count of CPU time.
 */
import { type CallFrame, roomOf } from "../rooms.ts";

/** The part of a `.cpuprofile` that is looked at (the DevTools protocol's `Profiler.Profile`). */
export interface Profile {
  nodes: { id: number; callFrame: CallFrame; children?: number[] }[];
  samples: number[];
  timeDeltas: number[];
}

/** A function as it was called: how long it and all that it called had the thread. */
export interface Call {
  name: string;
  room: string;
  selfUs: number;
  totalUs: number;
  calls: Call[];
}

/** The tree of calls, without idle time. What V8's own functions do belongs to the room that called them. */
export function callTree(profile: Profile): Call {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const selfUs = new Map<number, number>();
  profile.samples.forEach((id, i) => selfUs.set(id, (selfUs.get(id) ?? 0) + Math.max(0, profile.timeDeltas[i])));
  const visit = (id: number, callersRoom: string): Call => {
    const { callFrame, children = [] } = nodes.get(id)!;
    const room = callersRoom === MEASURING ? MEASURING : workRoomOf(callFrame) ?? callersRoom;
    const calls = children.map((child) => visit(child, room)).filter(({ totalUs }) => totalUs > 0);
    const own = room === "idle" || room === MEASURING ? 0 : selfUs.get(id) ?? 0;
    return {
      name: nameOf(callFrame),
      room,
      selfUs: own,
      totalUs: calls.reduce((sum, { totalUs }) => sum + totalUs, own),
      calls,
    };
  };
  return visit(profile.nodes[0].id, "native");
}

/** Trees laid over one another: what has the same name at the same place becomes one. */
export function mergedCalls(name: string, trees: readonly Call[]): Call {
  const byName = Map.groupBy(trees.flatMap(({ calls }) => calls), (call) => `${call.room} ${call.name}`);
  return {
    name,
    room: trees[0]?.room ?? "native",
    selfUs: trees.reduce((sum, { selfUs }) => sum + selfUs, 0),
    totalUs: trees.reduce((sum, { totalUs }) => sum + totalUs, 0),
    calls: [...byName.values()].map((calls) => mergedCalls(calls[0].name, calls)),
  };
}

/** Self time of each room, microseconds. */
export function roomTimes(tree: Call): Map<string, number> {
  return summed(tree, ({ room }) => room);
}

/** Self time of each function, microseconds. */
export function functionTimes(tree: Call): Map<string, number> {
  return summed(tree, ({ name }) => name);
}

function summed(tree: Call, keyOf: (call: Call) => string): Map<string, number> {
  const times = new Map<string, number>();
  const visit = (call: Call) => {
    if (call.selfUs > 0) times.set(keyOf(call), (times.get(keyOf(call)) ?? 0) + call.selfUs);
    call.calls.forEach(visit);
  };
  visit(tree);
  return times;
}

/** The inspector itself: what it takes to begin and end a profile is no part of the time that is looked at. */
const MEASURING = "inspector";

/** Like {@linkcode roomOf}; calls of Deno's Rust are native work, whoever asked for it. */
function workRoomOf(frame: CallFrame): string | null {
  if (frame.functionName === "(program)" || /^op_/.test(frame.functionName)) return "native";
  if (frame.url.endsWith("/inspector.js")) return MEASURING;
  return roomOf(frame);
}

function nameOf({ functionName, url, lineNumber }: CallFrame): string {
  const name = functionName || "(anonymous)";
  return url === "" ? name : `${name} ${url.split("/").slice(-2).join("/")}:${lineNumber + 1}`;
}
