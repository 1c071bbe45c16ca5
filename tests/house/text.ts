/**
 * What stands in a file: words that are banned where they would open a window, sizes, names.
 */
import type { SourceFile } from "./tree.ts";

const WINDOWS =
  /\b(Date\.now|Math\.random|setTimeout|setInterval|performance\.now|crypto\.(?:randomUUID|subtle|getRandomValues)|Deno\.\w+)\b/g;
const CONSOLE = /\bconsole\.\w+/g;
const VAGUE = /(^|[/_])(utils?|helpers?|common|misc|manager|impl)(_|\.|\/|$)/;
const LINES_MAX = 500;
const LINES_WARN = 300;

/** Time, chance and the machine come through the world; only `cli/output.ts` prints. */
export function bannedWordComplaints(files: SourceFile[]): string[] {
  return files.filter((file) => file.isProduct).flatMap(({ path, text }) => {
    const code = withoutCommentsAndTexts(text);
    const words: string[] = [];
    if (path.startsWith("runtime/") && !path.startsWith("runtime/world/")) words.push(...code.match(WINDOWS) ?? []);
    if (/^(runtime|cli|client)\b/.test(path)) words.push(...code.match(CONSOLE) ?? []);
    return [...new Set(words)].map((word) => `${path} says ${word}`);
  });
}

/** Past 500 lines a file says why: `// house: long because ...`. */
export function sizeComplaints(files: SourceFile[]): string[] {
  return files.map(({ path, text }) => ({ path, text, lines: text.split("\n").length - 1 }))
    .filter(({ text, lines }) => lines > LINES_MAX && !/^\/\/ house: long because \S/m.test(text))
    .map(({ path, lines }) => `${path} has ${lines} lines: look for the second idea`);
}

/** Files that are getting long: not a fault, but worth a look. */
export function longFiles(files: SourceFile[]): string[] {
  return files.map(({ path, text }) => ({ path, lines: text.split("\n").length - 1 }))
    .filter(({ lines }) => lines > LINES_WARN).map(({ path, lines }) => `${path} ${lines}`);
}

/** Files are named in snake_case, after what they are. */
export function nameComplaints(files: SourceFile[]): string[] {
  return files.filter(({ path }) => !/^([a-z0-9_]+\/)*[a-z0-9_]+(\.d)?\.ts$/.test(path) || VAGUE.test(path))
    .map(({ path }) => `${path}: what is hard to name is two things`);
}

/**
 * The code alone: comments gone, strings empty; what stands in a template's `${}` is kept. Regular expressions are taken
 * for code, which is good enough here: a quote in one would at worst hide the rest of its line.
 */
export function withoutCommentsAndTexts(text: string): string {
  let code = "";
  const nesting: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === "/" && text[i + 1] === "/") i = endOr(text.indexOf("\n", i), text) - 1;
    else if (c === "/" && text[i + 1] === "*") i = endOr(text.indexOf("*/", i + 2), text) + 1;
    else if (c === '"' || c === "'") i = endOfString(text, i);
    else if (c === "`") i = template(i + 1);
    else if (c === "{" && nesting.length > 0) {
      nesting[nesting.length - 1]++;
      code += c;
    } else if (c === "}" && nesting.length > 0 && nesting[nesting.length - 1]-- === 0) {
      nesting.pop();
      i = template(i + 1);
    } else code += c;
  }
  return code;

  /** Skips template text; the index of its end, or of the `{` at which code begins. */
  function template(from: number): number {
    for (let i = from; i < text.length; i++) {
      if (text[i] === "\\") i++;
      else if (text[i] === "`") return i;
      else if (text[i] === "$" && text[i + 1] === "{") {
        nesting.push(0);
        return i + 1;
      }
    }
    return text.length;
  }
}

function endOfString(text: string, from: number): number {
  for (let i = from + 1; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === text[from] || text[i] === "\n") return i;
  }
  return text.length;
}

function endOr(index: number, text: string): number {
  return index < 0 ? text.length : index;
}
