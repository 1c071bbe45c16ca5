import type { Journal } from "../journal.ts";

/** Memory: no queue of any node has ever held more than it may. */
export function withinBounds(journal: Journal): string[] {
  return [...journal.gauges.values()].filter(({ most, max }) => most > max).map(({ node, name, most, max }) =>
    `bounds: ${node} held ${most} ${name}, and ${max} is the most`
  );
}
