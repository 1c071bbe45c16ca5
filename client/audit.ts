/**
 * Receipts over `POST /v1/audit`, in batches. Auditing changes nothing, so a batch whose connection breaks goes on at the
 * next node from its first receipt without a verdict.
 */
import { WaterparkError } from "../runtime/base/mod.ts";
import type { AuditReceipt, AuditVerdict, Problem } from "../runtime/gateway/mod.ts";
import type { Dialer } from "./dialer.ts";

/** What became of one receipt: a verdict, or the reason why there is none. */
export type AuditAnswer = AuditVerdict | { state: "refused"; error: WaterparkError };

const BATCH_LINES = 1024;
const BATCH_UNITS = 1 << 20;

/** The answers, one for each receipt, in order. A receipt that is a text is sent as it is, as a line of JSON. */
export async function* auditMany(
  dialer: Dialer,
  receipts: Iterable<AuditReceipt | string> | AsyncIterable<AuditReceipt | string>,
): AsyncGenerator<AuditAnswer> {
  let batch: string[] = [];
  let units = 0;
  for await (const receipt of receipts) {
    // A line's end within a receipt would make two of it, and an empty line none.
    const line = typeof receipt === "string" ? receipt.replace(/[\r\n]+/g, " ") || " " : JSON.stringify(receipt);
    batch.push(line);
    units += line.length;
    if (batch.length < BATCH_LINES && units < BATCH_UNITS) continue;
    yield* auditBatch(dialer, batch);
    batch = [];
    units = 0;
  }
  if (batch.length > 0) yield* auditBatch(dialer, batch);
}

async function* auditBatch(dialer: Dialer, lines: string[]): AsyncGenerator<AuditAnswer> {
  let left = lines;
  while (left.length > 0) {
    const text = await dialer.ask<string>({
      method: "POST",
      path: "/v1/audit",
      headers: { "content-type": "application/x-ndjson" },
      body: left.join("\n"),
      isLook: true,
      kind: "audit",
    });
    const answers = text.split("\n").filter((line) => line !== "");
    // A node that goes down ends the stream early; nothing at all would go round for ever.
    if (answers.length === 0 || answers.length > left.length) throw badAnswer();
    if (answers.length < left.length) dialer.turn();
    for (const answer of answers) yield answerOf(answer);
    left = left.slice(answers.length);
  }
}

function answerOf(text: string): AuditAnswer {
  const answer = JSON.parse(text) as ({ line: number } & AuditVerdict) | Problem;
  if ("code" in answer) {
    const { code, outcome, detail, retryAfterMs } = answer;
    return { state: "refused", error: new WaterparkError(detail, { code, outcome, retryAfterMs }) };
  }
  const { line: _, ...verdict } = answer;
  return verdict;
}

function badAnswer(): WaterparkError {
  return new WaterparkError("Cannot use the audit's answer as each receipt must have one verdict", {
    code: "client/bad-answer",
    outcome: "not-applied",
  });
}
