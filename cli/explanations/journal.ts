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
};
