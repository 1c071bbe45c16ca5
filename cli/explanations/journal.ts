import type { Explanation } from "../explain.ts";

/** What goes wrong with a node's journal. */
export const JOURNAL: Record<string, Explanation> = {
  "journal/in-use": {
    happened: "Another process has this --data folder.",
    now: "The node has not started; the journal is as it was.",
    next: "Give every node a folder of its own; end the other process if it is this node's earlier life.",
  },
  "journal/cannot-open": {
    happened: "The --data folder cannot be made, read or written.",
    now: "The node has not started.",
    next: "Look at its path, its owner and its rights; the node's user must be able to write there.",
  },
  "node/other-journal": {
    happened:
      "The --data folder has the journal of another node, or of another cluster than the one to be joined or made.",
    now: "The node has not started; the journal is as it was.",
    next: "Leave --create out to go on with that cluster; give a new node, or one of another cluster, an empty folder.",
  },
  "node/read-only": {
    happened: "The node's journal cannot be written: its disk is full, or broken.",
    now: "Nothing was recorded. What was acknowledged before is safe; other nodes take over what this one wrote.",
    next:
      "Send to another node. Make room: the node goes on by itself. If the disk is broken, replace it and start anew.",
  },
  "node/no-journal": {
    happened:
      "A cluster was to be recovered from journals by a node that does not wait for that, or has no copy of the topology.",
    now: "Nothing was changed.",
    next: "Ask a node whose GET /readyz says that it waits for journals, one with a journal of its own.",
  },
};
