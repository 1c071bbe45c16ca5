/**
 * What every error code means. A house test holds this list against the codes in the tree, both ways.
 */
import { CLUSTER } from "./explanations/cluster.ts";
import { DATA } from "./explanations/data.ts";
import { JOURNAL } from "./explanations/journal.ts";
import { OUTSIDE } from "./explanations/outside.ts";
import { PLUGINS } from "./explanations/plugins.ts";

/** What a code means. */
export interface Explanation {
  /** what happened */
  happened: string;
  /** what is now true */
  now: string;
  /** what to try */
  next: string;
}

/** All codes, in the order in which one is likely to meet them. */
export const EXPLANATIONS: Readonly<Record<string, Explanation>> = {
  ...OUTSIDE,
  ...DATA,
  ...PLUGINS,
  ...CLUSTER,
  ...JOURNAL,
};
