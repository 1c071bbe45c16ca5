/**
 * The checkers: each reads a journal and says what is wrong, in sentences. `checkers_test.ts` shows each of them a journal
 * of a broken system that it must object to.
 *
 * @module
 */
import type { Journal } from "../journal.ts";
import { allIsSettled } from "./all_is_settled.ts";
import { oneHistory } from "./one_history.ts";
import { oneWriter } from "./one_writer.ts";
import { recordedIsKept } from "./recorded_is_kept.ts";

/** Safety: what may never be wrong, whatever fails. */
export const SAFETY: ((journal: Journal) => string[])[] = [recordedIsKept, oneHistory, oneWriter];
/** Liveness: what must come true once faults have ended. */
export const LIVENESS: ((journal: Journal) => string[])[] = [allIsSettled];
