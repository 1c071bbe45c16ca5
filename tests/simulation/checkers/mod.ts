/**
 * The checkers: each reads a journal and says what is wrong, in sentences. `checkers_test.ts` shows each of them a journal
 * of a broken system that it must object to.
 *
 * @module
 */
import type { Journal } from "../journal.ts";
import { allIsSettled } from "./all_is_settled.ts";
import { copiesAgree } from "./copies_agree.ts";
import { decidedAsAsked } from "./decided_as_asked.ts";
import { allIsDelivered, deliveredInOrder } from "./delivered.ts";
import { effectsOnce } from "./effects_once.ts";
import { foldsAreTrue } from "./folds_are_true.ts";
import { historiesAreTrue } from "./histories_are_true.ts";
import { ifMatchHolds } from "./if_match.ts";
import { livesEnd } from "./lives_end.ts";
import { oneWriter } from "./one_writer.ts";
import { pluginsCannotHurt } from "./plugins_cannot_hurt.ts";
import { readsAreTrue } from "./reads_are_true.ts";
import { receiptsAreTrue } from "./receipts_are_true.ts";
import { recordedIsKept } from "./recorded_is_kept.ts";
import { sendersOrder } from "./senders_order.ts";
import { standsOnce } from "./stands_once.ts";
import { timeGoesOn } from "./time_goes_on.ts";
import { timersFire, timersFireOnce } from "./timers_fire_once.ts";
import { withinBounds } from "./within_bounds.ts";

/** Safety: what may never be wrong, whatever fails. */
export const SAFETY: ((journal: Journal) => string[])[] = [
  recordedIsKept,
  standsOnce,
  sendersOrder,
  copiesAgree,
  oneWriter,
  receiptsAreTrue,
  ifMatchHolds,
  readsAreTrue,
  historiesAreTrue,
  foldsAreTrue,
  decidedAsAsked,
  effectsOnce,
  deliveredInOrder,
  timersFireOnce,
  livesEnd,
  timeGoesOn,
  pluginsCannotHurt,
  withinBounds,
];
/** Liveness: what must come true once faults have ended. */
export const LIVENESS: ((journal: Journal) => string[])[] = [allIsSettled, timersFire, allIsDelivered];
