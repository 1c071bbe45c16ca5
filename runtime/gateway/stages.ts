/**
 * Stages of plugins and switches, as the gateway asks for them.
 */
import type { PluginView } from "./service.ts";

/** One kept version of a plugin. */
export interface VersionView {
  /** counted from 1 */
  version: number;
  /** SHA-256 of its bundle */
  hash: string;
  /** where the source came from */
  url: string;
  /** `live`, `dark` or `canary` */
  stage: string;
  /** of the actors that a canary decides for, by hash */
  percent: number;
  /** keys that a canary has beside them */
  actors: string[];
  /** place whose actors a canary decides for; null: none */
  where: string | null;
  /** it goes from ring to ring by itself */
  byItself: boolean;
  /** size of the bundle */
  bytes: number;
  /** wall time in ms */
  deployedAt: number;
  /** why it was taken back; null: it was not */
  withdrawn: string | null;
  /** what it said of itself when it was deployed: permissions, limits and such; null: it is a handler, and may do nothing */
  declares: Record<string, unknown> | null;
}

/** One line of a plugin's deployment history. */
export interface DeedView {
  /** `deploy`, `promote` or `rollback` */
  deed: string;
  /** the version that it was about; of a rollback, the one that was left */
  version: number;
  /** of its bundle */
  hash: string;
  /** the version's stage from then on */
  stage: string;
  /** of a canary */
  percent: number;
  /** of a canary: at which place; null: at none */
  where: string | null;
  /** name of the token; `unknown` where there is none */
  by: string;
  /** wall time in ms */
  at: number;
  /** why; empty where nobody said it */
  reason: string;
}

/** How far a version that does not decide for all is with the actors' histories, over the whole cluster. */
export interface FoldingView {
  /** the version */
  version: number;
  /** of its bundle */
  hash: string;
  /** actors whose histories it has folded, of `actorsAll` */
  actors: number;
  /** actors that there are */
  actorsAll: number;
  /** shards that it is through with, of `shardsAll` */
  shards: number;
  /** shards that there are */
  shardsAll: number;
  /** actors at which it stands still */
  parked: number;
}

/** A plugin with all that is known of its versions. */
export interface PluginDetail extends PluginView {
  /** oldest first */
  versions: VersionView[];
  /** oldest first */
  history: DeedView[];
  /** versions that fold along */
  folding: FoldingView[];
  /** actors at which the live version stands still, over the whole cluster */
  parkedEverywhere: number;
  /** nodes that did not answer: what they know is missing */
  silent: string[];
}

/** How an outcome can differ. */
export type DiffKindName =
  | "projection"
  | "effects-missing"
  | "effects-added"
  | "effects-changed"
  | "parked-by-new"
  | "parked-by-old";

/** In what two versions differ. */
export interface DiffView {
  /** number and hash of the older one */
  old: { version: number; hash: string };
  /** number and hash of the newer one */
  new: { version: number; hash: string };
  /** messages compared since the present writers began */
  compared: number;
  /** of those, how many came to the same */
  equal: number;
  /** messages that were not compared as there was no room */
  skipped: number;
  /** actors with at least one message compared */
  actors: number;
  /** messages by kind of difference; one may count in several */
  counts: Record<DiffKindName, number>;
  /** messages of those looked at, by path of the projections at which they differ */
  paths: Record<string, number>;
  /** a few of each kind; data of actors */
  examples: { kind: DiffKindName; key: string; seq: number; paths?: string[]; what?: string }[];
  /** differences in effects, which stop a promotion until they are accepted */
  blocking: number;
}

/** All that is known of differences between a plugin's versions. */
export interface PluginDiffView {
  /** of the plugin */
  name: string;
  /** a pair of versions each */
  diffs: DiffView[];
  /** nodes that did not answer: what they have seen is missing */
  silent: string[];
}

/** A switch. */
export interface SwitchView {
  /** of the switch */
  name: string;
  /** as handlers see it */
  on: boolean;
  /** who set it, oldest first; `at` in ms of wall time */
  history: { on: boolean; by: string; at: number }[];
}

/** How a version is to be promoted. */
export interface PromoteOptions {
  /** number; left out: the newest that was not taken back */
  version?: number;
  /** left out: `live` */
  stage?: "canary" | "live";
  /** of a canary */
  percent?: number;
  /** of a canary: canonical keys */
  actors?: string[];
  /** of a canary: a node, zone or data center */
  where?: string;
  /** differences in effects are as they should be */
  acceptDiff?: boolean;
  /** who wants it */
  by?: string;
}

/** Stages and switches of a cluster. */
export interface StagesService {
  /** All about one plugin; throws `gateway/not-found`. */
  inspect(name: string): Promise<PluginDetail>;
  /** In what its versions differ, gathered from all nodes now. */
  diff(name: string): Promise<PluginDiffView>;
  /**
   * Has a version decide for all, or for a part.
   *
   * @throws {WaterparkError} `node/diff-not-accepted`, `node/other-actors`, `topology/no-such-version`
   */
  promote(name: string, options?: PromoteOptions): Promise<PluginView>;
  /** Takes the canary back, or else makes the version live again that was live before. */
  rollback(name: string, options?: { by?: string; reason?: string }): Promise<PluginView>;
  /** ms for which a version must have decided for a part before it may decide everywhere; 0: there is no such time */
  everywhereAfterMs(): number;
  /** Sets it, for the whole cluster. */
  setEverywhereAfter(ms: number): Promise<void>;
  /** All switches, by name. */
  switches(): SwitchView[];
  /** Sets one; resolves when all nodes that are up know. */
  setSwitch(name: string, on: boolean, by?: string): Promise<SwitchView>;
}
