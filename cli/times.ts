import { MisuseError } from "./errors.ts";

/** What an option says of time, in ms since 1970; undefined where it is left out. */
export function timeOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const time = Date.parse(text);
  if (Number.isFinite(time)) return time;
  throw new MisuseError(`Cannot use --${name} "${text}" as it must be a time: 2026-11-23T08:00Z`);
}
