import type { DeliveryEnd } from "./io_sdk.ts";

const ANSWER_UNITS_MAX = 4_096;
const TEXT_UNITS_MAX = 1_000;

/**
 * What a sink has answered, as it may be believed: of each delivery an end. What is none of the three is a `retry` that
 * says so.
 */
export function endsOf(answer: unknown, count: number): DeliveryEnd[] {
  const list: unknown[] = Array.isArray(answer) ? answer : [];
  return Array.from({ length: count }, (_, i) => endOf(list[i]));
}

function endOf(value: unknown): DeliveryEnd {
  const { state, code, text, answer, afterMs } = Object(value) as Record<string, unknown>;
  const said = typeof answer === "string" ? { answer: answer.slice(0, ANSWER_UNITS_MAX) } : {};
  if (state === "done") return { state, ...said };
  const why = {
    code: typeof code === "string" && /^[\w-]+\/[\w-]+$/.test(code) ? code.slice(0, 100) : "plugin_host/no-code",
    text: String(text ?? "").slice(0, TEXT_UNITS_MAX),
  };
  if (state === "dead") return { state, ...why, ...said };
  if (state === "retry") return { state, ...why, ...Number.isFinite(afterMs) ? { afterMs: Number(afterMs) } : {} };
  return { state: "retry", code: "plugin_host/bad-answer", text: "the sink gave no end for this delivery" };
}
