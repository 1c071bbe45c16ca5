/**
 * Node names: a name says where the node stands. `TN-B-2` is data center TN, zone B, number 2; nothing else about a node
 * is told by its name, and nothing else tells where it stands.
 */
import { WaterparkError } from "../base/mod.ts";

/** The parts of a node's name. */
export interface NodeName {
  /** `TN` */
  dataCenter: string;
  /** availability zone, `B`; zones of two data centers have nothing in common but the letter */
  zone: string;
  /** 0 to 999999 */
  number: number;
}

const PATTERN = /^([A-Z][A-Z0-9]{0,15})-([A-Z][A-Z0-9]{0,15})-(0|[1-9][0-9]{0,5})$/;
const DATA_CENTER = /^[A-Z][A-Z0-9]{0,15}$/;

/**
 * Reads a node's name.
 *
 * @param text `DC-ZONE-NUMBER`: data center and zone of 1 to 16 capitals and digits beginning with a capital
 * @throws {WaterparkError} `topology/bad-name` for anything else
 *
 * @example
 * ```ts
 * import { parseNodeName } from "./node_name.ts";
 * const { dataCenter, zone, number } = parseNodeName("TN-B-2");
 * if (dataCenter !== "TN" || zone !== "B" || number !== 2) throw new Error("unreachable");
 * ```
 */
export function parseNodeName(text: string): NodeName {
  const name = readNodeName(text);
  if (name !== null) return name;
  throw new WaterparkError(
    `Cannot use ${
      JSON.stringify(String(text).slice(0, 60))
    } as a node's name as it must be DC-ZONE-NUMBER, like TN-A-1`,
    { code: "topology/bad-name", outcome: "not-applied" },
  );
}

/** {@linkcode parseNodeName} without the error: null for what is no name. */
export function readNodeName(text: unknown): NodeName | null {
  const parts = typeof text === "string" ? PATTERN.exec(text) : null;
  return parts && { dataCenter: parts[1], zone: parts[2], number: Number(parts[3]) };
}

/** True for what may stand for a data center in a node's name. */
export function isDataCenter(text: unknown): text is string {
  return typeof text === "string" && DATA_CENTER.test(text);
}

/** The one order of names (code units): `sort` without a locale, so that all nodes agree. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
