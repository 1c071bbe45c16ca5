/**
 * Actors: has every message handled, one at a time and in log order, and every outcome committed before anything leaves.
 *
 * Think of a notary's office. The log is the register; handlers are clerks in another building (the plugin host), who
 * read an actor's file and say what they would do. The notary at the writer's desk enters what they say into the same
 * register, and only what is entered is done; the first entry about a matter counts. Every copy of the register says
 * how far each clerk is with each file, so a new notary goes on without asking the old one.
 *
 * A file may be closed for good (retire): the notary looks whether every clerk is through with it and nothing is owed,
 * and enters that it is closed; from there on every copy burns it, and keeps a card.
 *
 * Idle actors cost four bytes a plugin, in typed arrays. What costs is an actor with something to do: one object, one
 * call to the host for up to 256 messages. It stops being right where one actor gets more messages a second than one
 * session can fold: an actor is never handled in parallel.
 *
 * @module
 */
export {
  DIFF_KINDS,
  type DiffExample,
  type DiffKind,
  effectDifferences,
  mergeDiffs,
  type VersionDiff,
} from "./diff_book.ts";
export { type SweepProgress } from "./sweep.ts";
export { type Fold, type FoldAnswer, type FoldMessage, type FoldRequest, type FoldResult } from "./fold.ts";
export type { FoldPlaces } from "./fold_pumps.ts";
export { Actors } from "./actors.ts";
export {
  type ActorsConfig,
  type ActorsOptions,
  type CanaryVersion,
  type EffectsRoom,
  type HandledAnswer,
  type LivePlugin,
  type ParkedView,
  type ProjectAnswer,
  type ProposalEnd,
  type Standing,
  type TimersRoom,
} from "./actors_options.ts";
