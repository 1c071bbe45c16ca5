/**
 * HL7's times and numbers as values. Imports nothing, as it also runs inside plugin contexts.
 *
 * @module
 */

/** A moment as HL7 writes it, `YYYYMMDDHHMMSS`, in UTC. */
export function hl7Timestamp(wallMs: number): string {
  return new Date(wallMs).toISOString().slice(0, 19).replace(/[-:T]/g, "");
}

const TIME = /^(\d{4})(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(\.\d{1,4})?)?)?)?)?)?([+-]\d{4})?$/;

/**
 * A time (DT, TS, DTM) as ISO 8601, as far as it is told: `20200508130643+0200` as `2020-05-08T13:06:43+02:00`, `2020` as
 * `2020`. Without a zone it has none: HL7 leaves it to the sender. Null when it is empty or no time.
 */
export function readHl7Time(text: string): string | null {
  const match = TIME.exec(text.trim());
  if (match === null) return null;
  const [, year, month, day, hour, minute, second, fraction, offset] = match;
  const date = [year, month, day].filter((part) => part !== undefined).join("-");
  if (hour === undefined) return date;
  const zone = offset === undefined ? "" : `${offset.slice(0, 3)}:${offset.slice(3)}`;
  return `${date}T${hour}:${minute ?? "00"}${second === undefined ? "" : ":" + second}${fraction ?? ""}${zone}`;
}

/** A number (NM, SI), or null when it is empty or none; what has words or signs before it (`>200`) is none. */
export function readHl7Number(text: string): number | null {
  const trimmed = text.trim();
  return /^[+-]?(?:\d+\.?\d*|\.\d+)$/.test(trimmed) ? Number(trimmed) : null;
}
