/** Where a search begins: the members are born, all is quiet, then the scenario's script. */
import { DEAD, type Group, type Groups, type Outcome } from "./groups.ts";
import type { NodeEvent } from "./lone_node.ts";
import type { Scenario } from "./scenarios.ts";

const STEPS_MAX = 2000;

/** The group that the scenario begins with. Throws where a line of the script does nothing. */
export function beginningOf(groups: Groups, { members, wants, script }: Scenario): Group {
  let group = groups.started();
  for (const member of members) group = must(groups, group, { to: member, event: { type: "birth", members } });
  group = checked(groups.want(group, wants[0]), "want") ?? group;
  group = settled(groups, group, groups.incarnations);
  for (const line of script) group = played(groups, group, line);
  return group;
}

function played(groups: Groups, group: Group, line: string): Group {
  const [verb, ...words] = line.split(" ");
  const [node, other] = words.map(Number);
  const does = (event: NodeEvent) => must(groups, group, { to: node, event });
  switch (verb) {
    case "settle":
      return settled(groups, group, groups.incarnations);
    case "among":
      return settled(groups, group, words.map(Number));
    case "pass":
      return passed(groups, group, { from: node, to: other });
    case "want":
      return checked(groups.wanted(group), line) ?? group;
    case "crash":
      return checked(groups.crashed(group, groups.incarnations.indexOf(node)), line) ?? group;
    case "suspect":
      return does({ type: "suspect", incarnation: other });
    case "propose":
      return does({ type: "propose", number: 100 + other });
    case "late":
      return does({ type: "tick", afterMs: 11_000 });
    case "sweep":
      return does({ type: "sweep" });
    default:
      throw new Error(`a script knows no ${verb}`);
  }
}

function must(groups: Groups, group: Group, { to, event }: { to: number; event: NodeEvent }): Group {
  const step = { node: groups.incarnations.indexOf(to), event: groups.table.event(event) };
  const next = checked(groups.after(group, step), event.type);
  if (next === null) throw new Error(`the script's ${event.type} does nothing to ${to}`);
  return next;
}

function checked({ next, wrong }: Outcome, line: string): Group | null {
  if (wrong !== "") throw new Error(`the script's ${line}: ${wrong}`);
  return next;
}

/** What is under way from one node to another arrives now. */
function passed(groups: Groups, group: Group, way: { from: number; to: number }): Group {
  for (;;) {
    const at = indexOfFrame(groups, group, (from, to) => from === way.from && to === way.to);
    if (at < 0) return group;
    group = taken(groups, group, at);
  }
}

/** Everything under way between these nodes arrives, oldest first, and time passes for them, until nothing happens. */
function settled(groups: Groups, group: Group, nodes: readonly number[]): Group {
  for (let i = 0; i < STEPS_MAX; i++) {
    const at = indexOfFrame(groups, group, (from, to) => nodes.includes(from) && nodes.includes(to));
    if (at >= 0) {
      group = taken(groups, group, at);
      continue;
    }
    const next = ticked(groups, group, nodes);
    if (next === null) return group;
    group = next;
  }
  throw new Error("the script's group does not settle");
}

/** So little time passes that nobody gives up, and enough that the last commit is told. */
const LITTLE_MS = 210;

function ticked(groups: Groups, group: Group, nodes: readonly number[]): Group | null {
  for (let node = 0; node < groups.incarnations.length; node++) {
    if (!nodes.includes(groups.incarnations[node]) || group[node] === DEAD) continue;
    if (!groups.table.view(group[node]).isAwake) continue;
    const event = groups.table.event({ type: "tick", afterMs: LITTLE_MS });
    const next = checked(groups.after(group, { node, event }), "tick");
    if (next !== null) return next;
  }
  return null;
}

function indexOfFrame(groups: Groups, group: Group, isMeant: (from: number, to: number) => boolean): number {
  for (let at = groups.framesAt; at < group.length; at++) {
    const { from, to } = groups.table.frames[group[at]];
    if (isMeant(from, to)) return at;
  }
  return -1;
}

function taken(groups: Groups, group: Group, at: number): Group {
  const frame = group[at];
  const step = { node: groups.addressee(frame), event: groups.arrival(frame), taken: at };
  return checked(groups.after(group, step), "frame") ?? group.filter((_, i) => i !== at);
}
