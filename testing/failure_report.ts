/**
 * How a failure is told: what is wrong, the line that finds it again, and a test that shows it without a search.
 *
 * @module
 */
import type { FullKey } from "../runtime/base/mod.ts";
import type { GivenMessage } from "./given_message.ts";
import type { Indifference } from "./indifference.ts";
import type { Invariant } from "./invariants.ts";
import { literalOf, literalOfHistory } from "./literal.ts";
import type { ReplayOptions } from "./replay.ts";
import type { Problem } from "./watched_handler.ts";

/** A failure, found and shrunk. */
export interface Failure {
  /** the plugin, and the actor that invariants are told of */
  about: { plugin: string; key: FullKey };
  problem: Problem;
  /** the smallest history that shows it */
  history: readonly GivenMessage[];
  /** for an indifference: the other history */
  changed: readonly GivenMessage[] | null;
  /** messages in the history in which it was found */
  foundIn: number;
  /** the call that finds it again */
  again: string;
  /** what the handler was replayed with */
  options: Pick<ReplayOptions, "key" | "switches" | "mayChangeInputs">;
  invariants: Record<string, Invariant>;
  indifferentTo: Indifference;
  /** for growth */
  lifeMessages: number;
  probeMessages: number;
}

/** All of it, as text. */
export function reportOf(failure: Failure): string {
  const { about: { plugin }, problem, history, foundIn, again } = failure;
  const { rule, seq, text } = problem;
  const where = seq === 0 ? "" : `, at message ${seq} of ${history.length}`;
  const from = foundIn > history.length ? ` (shrunk from ${foundIn})` : "";
  return [
    `${plugin} breaks the rule "${rule}"${where}: ${text}`,
    `found with ${count(history.length)}${from}`,
    `again: ${again}`,
    "",
    "As a test of its own:",
    "",
    pastedTest(failure),
  ].join("\n");
}

/** A whole test file without `checkHandler`. */
export function pastedTest(failure: Failure): string {
  const { about: { plugin }, problem, history, again } = failure;
  const title = `${plugin}: ${problem.rule}`;
  return `import assert from "node:assert/strict";
import { ${importsOf(failure)} } from "@waterpark/waterpark/testing";
import handler from "./${plugin}.ts"; // wherever it is

Deno.test(${JSON.stringify(title)}, () => {
  // ${problem.text.replace(/\s+/g, " ")}
  // found by ${again}
  const history = [
${literalOfHistory(history)}  ];
${assertionOf(failure)}});
`;
}

function importsOf({ problem, invariants }: Failure): string {
  if (problem.rule === "bounded" && problem.seq === 0) return "growth";
  return problem.rule in invariants ? "type Invariant, replay" : "replay";
}

function assertionOf(failure: Failure): string {
  const { problem, changed, invariants, indifferentTo } = failure;
  const options = optionsText(failure.options);
  if (problem.rule === "bounded" && problem.seq === 0) {
    const { lifeMessages, probeMessages } = failure;
    const given = optionsText({ ...failure.options, mayChangeInputs: undefined, lifeMessages, probeMessages });
    return `  assert.equal(growth(handler, history${given}), null);\n`;
  }
  if (problem.rule in invariants) {
    return `  const invariant: Invariant = ${sourceOf(invariants[problem.rule])};
  const { steps } = replay(handler, history${options});
  const messages = steps.map((step) => step.message);
  const effects = steps.flatMap((step) => step.effects);
  const about = ${literalOf(failure.about)};
  assert.equal(invariant(steps[steps.length - 1].projections, messages, effects, about), true);
`;
  }
  const kind = /^indifferent to (\w+)$/.exec(problem.rule)?.[1] as keyof Indifference | undefined;
  if (changed === null) return `  assert.equal(replay(handler, history${options}).problem, null);\n`;
  const other = `  const changed = [\n${literalOfHistory(changed)}  ];\n`;
  if (kind === undefined) return `${other}  assert.equal(replay(handler, changed${options}).problem, null);\n`;
  const view = indifferentTo[kind];
  const look = typeof view === "function" ? `  const view: (projections: any) => unknown = ${sourceOf(view)};\n` : "";
  const seen = (name: string) => {
    const projections = `replay(handler, ${name}${options}).projections`;
    return look === "" ? projections : `view(${projections})`;
  };
  return `${other}${look}  assert.deepEqual(${seen("changed")}, ${seen("history")});\n`;
}

function optionsText(options: object): string {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return given.length === 0 ? "" : `, ${literalOf(Object.fromEntries(given))}`;
}

/** The text of a function, as an expression: a method's text lacks its `function`. */
// deno-lint-ignore ban-types -- any function will do
export function sourceOf(given: Function): string {
  const text = String(given);
  const isMethod = /^(?!function\b|async\b|\(|class\b)[\w$"'\[][^=]*?\)\s*\{/s.test(text) && !/^[\w$]+\s*=>/.test(text);
  if (!isMethod) return text;
  return `function${text.replace(/^(["'\[].*?["'\]]|[\w$]+)(?=\s*\()/s, "")}`;
}

function count(messages: number): string {
  return messages === 1 ? "1 message" : `${messages} messages`;
}
