import type { TopologyState } from "./state.ts";

/** What an accepted command tells beside its version. */
export interface AnswerDetails {
  /** of `join` and `birth`: the shards were born by it */
  born?: boolean;
  /** of `home`: the facility's shard set, 0 to 15 */
  set?: number;
  /** of `deploy`, `promote`, `rollback`: the plugin's version that it was about */
  pluginVersion?: number;
}

/** A command was applied, or asked for what is so already. */
export interface Accepted extends AnswerDetails {
  /** it holds now */
  ok: true;
  /** version of the topology in which it holds */
  version: number;
  /** false: it was so before */
  changed: boolean;
}

/** A command was refused; nothing has changed. */
export interface Refused {
  /** nothing has changed */
  ok: false;
  /** stable, `topology/what` */
  code: string;
  /** for people */
  message: string;
}

/** What came of a command. */
export type CommandAnswer = Accepted | Refused;

/** Fields of the state that a command replaces; none: it changes nothing. */
export interface Change {
  fields: Partial<Omit<TopologyState, "version">>;
  details: AnswerDetails;
}

/** A command that may be applied. */
export function accepted(fields: Change["fields"], details: AnswerDetails = {}): Change {
  return { fields, details };
}

/** A command that may not. */
export function refused(code: string, message: string): Refused {
  return { ok: false, code, message };
}
