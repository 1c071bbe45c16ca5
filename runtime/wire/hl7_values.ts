import type { Hl7Segment, Hl7View } from "./hl7_view.ts";

/** A value that is there, with the path by which it is asked for. */
export type Hl7Leaf = [path: string, value: string];

const HEADER = /^(?:MSH|FHS|BHS)$/;

/**
 * Everything that a message says, value by value in its order, as people look through one who do not know its standard by
 * heart. Empty values are left out.
 *
 * @param most values at most; what stands behind them is left out
 *
 * @example
 * ```ts
 * import { parseHl7 } from "./hl7.ts";
 * import { hl7Values } from "./hl7_values.ts";
 * const values = hl7Values(parseHl7("MSH|^~\\&|LAB\rPID|||1001~77^^^H||Doe^Jane\r"));
 * if (values.join(" ") !== "MSH-1,| MSH-2,^~\\& MSH-3,LAB PID-3,1001 PID-3[2].1,77 PID-3[2].4,H PID-5.1,Doe PID-5.2,Jane") {
 *   throw new Error("unreachable");
 * }
 * ```
 */
export function hl7Values(message: Hl7View, most = 5_000): Hl7Leaf[] {
  const leaves: Hl7Leaf[] = [];
  const seen = new Map<string, number>();
  for (const segment of message.segments()) {
    const { name } = segment;
    const occurrence = (seen.get(name) ?? 0) + 1;
    seen.set(name, occurrence);
    const title = nth(name, occurrence);
    for (let field = 1; field <= segment.length; field++) {
      for (let repetition = 1, count = segment.count(field); repetition <= count; repetition++) {
        addParts(leaves, segment, { title, occurrence, field, repetition });
        if (leaves.length >= most) return leaves.slice(0, most);
      }
    }
  }
  return leaves;
}

function addParts(
  leaves: Hl7Leaf[],
  segment: Hl7Segment,
  { title, occurrence, field, repetition }: { title: string; occurrence: number; field: number; repetition: number },
): void {
  const { name, delimiters } = segment;
  const place = { segment: name, occurrence, field, repetition };
  const path = `${title}-${nth(String(field), repetition)}`;
  const raw = segment.rawAt({ ...place, component: 0, subcomponent: 0 });
  const isWhole = (text: string, delimiter: string) => !text.includes(delimiter);
  const add = (path: string, component: number, subcomponent: number) => {
    const value = segment.at({ ...place, component, subcomponent });
    if (value !== "") leaves.push([path, value]);
  };
  const { component, subcomponent } = delimiters;
  if ((HEADER.test(name) && field <= 2) || (isWhole(raw, component) && isWhole(raw, subcomponent))) {
    return add(path, 0, 0);
  }
  raw.split(component).forEach((part, c) => {
    if (isWhole(part, subcomponent)) add(`${path}.${c + 1}`, c + 1, 0);
    else part.split(subcomponent).forEach((_, s) => add(`${path}.${c + 1}.${s + 1}`, c + 1, s + 1));
  });
}

/** The first goes without a number. */
function nth(text: string, number: number): string {
  return number === 1 ? text : `${text}[${number}]`;
}
