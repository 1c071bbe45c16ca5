import type { Model } from "./tlc.ts";

/** One run of the model, and what it must come to. */
export interface Variant {
  name: string;
  model: Model;
  /** the invariant that must break; `""`: all hold */
  expected: "" | "RecordedIsKept" | "RecordedIsHeld" | "OneWriterCommits";
  /** takes minutes: only with `--full` */
  isLong?: boolean;
}

const none = { values: 0, swaps: 0, crashes: 0 };

/** All of them: the protocol at several bounds, then every deliberate fault at the least bounds that show it. */
export const VARIANTS: readonly Variant[] = [
  {
    name: "the protocol: 2 terms, 1 swap, 1 crash",
    model: { break: "none", terms: 2, values: 0, swaps: 1, crashes: 1 },
    expected: "",
  },
  {
    name: "the protocol: 4 terms, entries in pieces",
    model: { ...none, break: "none", terms: 4, pieces: true },
    expected: "",
  },
  {
    name: "the protocol: 3 terms, 1 swap",
    model: { ...none, break: "none", terms: 3, swaps: 1 },
    expected: "",
    isLong: true,
  },
  {
    name: "the protocol: 2 terms, 2 swaps, 2 crashes",
    model: { break: "none", terms: 2, values: 0, swaps: 2, crashes: 2 },
    expected: "",
    isLong: true,
  },
  {
    name: "a restarted process keeps its incarnation",
    model: { ...none, break: "keeps incarnation", terms: 2, crashes: 1 },
    expected: "OneWriterCommits",
  },
  {
    name: "a learner counts in the majority",
    model: { ...none, break: "learner counts", terms: 3, swaps: 1 },
    expected: "RecordedIsKept",
  },
  {
    name: "a member is exchanged without a joint configuration",
    model: { ...none, break: "no joint", terms: 2, swaps: 1 },
    expected: "OneWriterCommits",
  },
  {
    name: "a swap ends before its joint configuration is committed",
    model: { ...none, break: "swap ends uncommitted", terms: 3, swaps: 1 },
    expected: "OneWriterCommits",
  },
  { name: "two votes in a term", model: { ...none, break: "two votes", terms: 2 }, expected: "OneWriterCommits" },
  {
    name: "a vote without a look at the log",
    model: { ...none, break: "vote without log", terms: 3 },
    expected: "RecordedIsKept",
  },
  {
    name: "entries of an earlier term accepted",
    model: { ...none, break: "no term check", terms: 2, values: 1 },
    expected: "RecordedIsKept",
  },
  {
    name: "entries of an earlier term committed by counting",
    model: { ...none, break: "commit earlier term", terms: 5, pieces: true },
    expected: "RecordedIsKept",
  },
  {
    name: "a departed copy forgets its term and the end of its log",
    model: { ...none, break: "departed forgets", terms: 3, swaps: 2 },
    expected: "RecordedIsKept",
  },
  {
    name: "a copy leaves before the configuration is committed",
    model: { ...none, break: "leaves early", terms: 2, swaps: 1, crashes: 1 },
    expected: "RecordedIsHeld",
  },
  {
    name: "members come and go one by one, before an entry of the own term",
    model: { ...none, break: "one by one before own term", terms: 3, swaps: 2 },
    expected: "RecordedIsKept",
  },
  {
    name: "a swap before an entry of the own term (holds: see README)",
    model: { ...none, break: "swap before own term", terms: 3, swaps: 1 },
    expected: "",
    isLong: true,
  },
];
