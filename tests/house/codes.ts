/**
 * Every error has a name, and the name an explanation.
 */
import { FLOORS } from "./imports.ts";
import { folderOf, type SourceFile } from "./tree.ts";

const ROOMS = [...FLOORS.flat(), "client", "cli"];
// alone in a text, or at its beginning: "gateway/bad-id: MSH-10 is ..."
const CODE = new RegExp(`["(]\`?((?:${ROOMS.join("|")})/[a-z0-9-]+)["\`:]`, "g");

/** The codes that stand in the tree, with the file that has them. */
export function codesIn(files: SourceFile[]): Map<string, string> {
  const codes = new Map<string, string>();
  for (const { path, text } of sources(files)) {
    for (const [, code] of text.matchAll(CODE)) codes.set(code, path);
    // some rooms put their name before it in one place: `mailroom/${code}`, called with the rest
    const prefix = text.match(new RegExp(`function (\\w+)\\([^]{0,200}?\`(${ROOMS.join("|")})/\\$\\{code\\}\``));
    if (prefix === null) continue;
    const call = new RegExp(`\\b${prefix[1]}\\(\\s*"([a-z0-9-]+)"`, "g");
    for (const other of sources(files).filter((other) => folderOf(other.path) === folderOf(path))) {
      for (const [, what] of other.text.matchAll(call)) codes.set(`${prefix[2]}/${what}`, other.path);
    }
  }
  return codes;
}

/** Codes that `waterpark explain` does not know. */
export function unexplainedComplaints(files: SourceFile[], explained: Iterable<string>): string[] {
  const known = new Set(explained);
  return [...codesIn(files)].filter(([code]) => !known.has(code)).sort()
    .map(([code, path]) => `${path} has the code ${code}, which waterpark explain does not know`);
}

/** Explanations of codes that nothing has any more. */
export function staleComplaints(files: SourceFile[], explained: Iterable<string>): string[] {
  const codes = codesIn(files);
  return [...explained].filter((code) => {
    const [room, what] = code.split("/");
    // a code may be put together where it is thrown; then its last part stands in its room
    return !codes.has(code) &&
      !sources(files).some(({ path, text }) => folderOf(path) === `runtime/${room}` && text.includes(`"${what}"`));
  }).map((code) => `waterpark explain knows ${code}, which is in no file`);
}

function sources(files: SourceFile[]): SourceFile[] {
  return files.filter(({ path, isProduct }) => isProduct && !path.startsWith("cli/explanations/"));
}
