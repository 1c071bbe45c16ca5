/** What a mailroom counts, for telemetry; numbers only ever grow. */
export interface MailroomCounters {
  /** postings taken in */
  posted: number;
  /** of these, recorded */
  recorded: number;
  /** of these, refused */
  refused: number;
  /** tries beyond the first of a posting */
  resent: number;
  /** tries that got no answer in time */
  timeouts: number;
  /** `moved` answers */
  moved: number;
  /** `gap` answers */
  gaps: number;
  /** frames thrown away as malformed */
  malformed: number;
  /** frames thrown away as seen before, or too late */
  replayed: number;
  /** answers to nothing that is open */
  strayAnswers: number;
  /** answers that the transport did not take; who asked will ask again */
  answersUnsent: number;
}

/** All zero. */
export function zeroCounters(): MailroomCounters {
  return {
    posted: 0,
    recorded: 0,
    refused: 0,
    resent: 0,
    timeouts: 0,
    moved: 0,
    gaps: 0,
    malformed: 0,
    replayed: 0,
    strayAnswers: 0,
    answersUnsent: 0,
  };
}
