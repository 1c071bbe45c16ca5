import { Hl7Cursor } from "./hl7_cursor.ts";
import { parseHl7Path } from "./hl7_path.ts";

/** Where in a message its actor's key stands. */
export interface Hl7RouteOptions {
  /** path of the facility, default `MSH-4.1` */
  facility?: string;
  /** path of the patient's id, default `PID-3.1` */
  id?: string;
  /** charset of messages that leave MSH-18 empty, in its words (`8859/1`); default: by what the bytes are */
  charset?: string;
}

/** What it takes to record a message. */
export interface Hl7Route {
  /** the facility, blanks around it cut off */
  facility: string;
  /** the id in the facility, blanks around it cut off */
  id: string;
  /** MSH-10; `""` where the sender left it out */
  controlId: string;
  /** message code and trigger event, `ADT^A01` */
  type: string;
  /** MSH-4.1, which together with the control id names the message; `""` where left out */
  sendingFacility: string;
}

/** A route, or why there is none. */
export type Hl7RouteAnswer =
  | { state: "ok"; route: Hl7Route }
  | { state: "refused"; code: "wire/not-hl7" | "wire/no-key"; message: string };

const CODE = parseHl7Path("MSH-9.1");
const EVENT = parseHl7Path("MSH-9.2");
const CONTROL_ID = parseHl7Path("MSH-10");
const SENDING_FACILITY = parseHl7Path("MSH-4.1");

/**
 * Reads from the raw bytes of an HL7 v2 message where it goes. This is the hot path: it makes the five strings and
 * nothing else.
 *
 * @param bytes one message; segments end by CR, LF or both
 * @param options where the key stands
 * @returns the route, or `wire/not-hl7` (no MSH segment) or `wire/no-key` (facility or id are empty or `""`)
 * @throws {TypeError} when a path in `options` is none
 *
 * @example
 * ```ts
 * import { readHl7Route } from "./hl7_route.ts";
 * const text = "MSH|^~\\&|LAB|HOSPX|||20260101||ADT^A01|7|P|2.5\rPID|1||1001^^^MRN\r";
 * const answer = readHl7Route(new TextEncoder().encode(text));
 * if (answer.state !== "ok" || answer.route.id !== "1001") throw new Error("unreachable");
 * ```
 */
export function readHl7Route(bytes: Uint8Array, options: Hl7RouteOptions = {}): Hl7RouteAnswer {
  const cursor = Hl7Cursor.open(bytes, options.charset);
  if (cursor === null) {
    return {
      state: "refused",
      code: "wire/not-hl7",
      message: "Cannot read the message as it must begin with an MSH segment",
    };
  }
  const facilityPath = options.facility ?? "MSH-4.1";
  const idPath = options.id ?? "PID-3.1";
  const facility = keyPart(cursor, facilityPath);
  const id = keyPart(cursor, idPath);
  if (facility === "" || id === "") {
    return {
      state: "refused",
      code: "wire/no-key",
      message: `Cannot route the message as it must name its actor: ${
        facility === "" ? facilityPath : idPath
      } is empty`,
    };
  }
  const code = cursor.seek(CODE) ? cursor.text() : "";
  const event = cursor.seek(EVENT) ? cursor.text() : "";
  const controlId = cursor.seek(CONTROL_ID) ? cursor.text() : "";
  const sendingFacility = cursor.seek(SENDING_FACILITY) ? cursor.text() : "";
  return {
    state: "ok",
    route: { facility, id, controlId, type: event === "" ? code : `${code}^${event}`, sendingFacility },
  };
}

const ACCEPT = parseHl7Path("MSH-15");
const APPLICATION = parseHl7Path("MSH-16");

/**
 * What a message asks to be told: MSH-15 and MSH-16, each `AL`, `NE`, `ER`, `SU` or `""`. Both empty is original mode.
 *
 * @param bytes the message, or as much of it as there is; need not be HL7
 */
export function readAckWishes(bytes: Uint8Array): { accept: string; application: string } {
  const cursor = Hl7Cursor.open(bytes);
  if (cursor === null) return { accept: "", application: "" };
  return {
    accept: cursor.seek(ACCEPT) ? cursor.binary(8).trim() : "",
    application: cursor.seek(APPLICATION) ? cursor.binary(8).trim() : "",
  };
}

function keyPart(cursor: Hl7Cursor, path: string): string {
  if (!cursor.seek(parseHl7Path(path))) return "";
  const text = cursor.text().trim();
  return text === '""' ? "" : text;
}
