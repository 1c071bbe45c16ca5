/** What happens to a node, in words: a schedule is read by people. */
import { RAFT } from "../../../runtime/replication/raft_message.ts";
import { type NodeEvent, recordsOf } from "./lone_node.ts";

const NAMES = new Map<number, string>(
  Object.entries(RAFT).map(([name, type]) => [type, name.toLowerCase().replaceAll("_", " ")]),
);

/** "takes from 1: append term 1 after 1 (+1 entries) commit 1". */
export function describe(event: NodeEvent): string {
  switch (event.type) {
    case "frame":
      return `takes from ${event.from}: ${recordsOf(event.payload).map(record).join("; ")}`;
    case "tick":
      return event.afterMs === 0 ? "looks around" : `looks around after ${event.afterMs} ms`;
    case "suspect":
      return `suspects ${event.incarnation}`;
    case "propose":
      return `is given proposal ${event.number}`;
    case "birth":
      return `is born with ${event.members.join(" ")}`;
    case "want":
      return `hears that placement wants ${event.desired.voters.join(" ")}`;
    case "sweep":
      return "sweeps";
    case "hand over":
      return "hands over";
  }
}

function record(message: ReturnType<typeof recordsOf>[number]): string {
  const { type, term, index, logTerm, commit, count, flag, session } = message;
  const name = `${NAMES.get(type)} of term ${term}`;
  switch (type) {
    case RAFT.APPEND:
      return `${name}, ${count} behind ${index} (term ${logTerm}), commit ${commit}, session ${session}`;
    case RAFT.APPEND_ANSWER:
      return `${name}, ${flag === 1 ? "yes" : "no"} ${index}, session ${session}`;
    case RAFT.PRE_VOTE:
    case RAFT.VOTE:
      return `${name}, log up to ${index} (term ${logTerm})`;
    default:
      return `${name}, ${flag}, ${index}`;
  }
}
