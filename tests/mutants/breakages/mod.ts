/** All mutants, in the order of the table. */
import type { Mutant } from "../mutant.ts";
import { HANDLING } from "./handling.ts";
import { MEMBERS } from "./members.ts";
import { RECORDING } from "./recording.ts";
import { REPLICATING } from "./replicating.ts";

export const MUTANTS: readonly Mutant[] = [...REPLICATING, ...MEMBERS, ...RECORDING, ...HANDLING];
