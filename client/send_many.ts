/**
 * Many messages over `POST /v1/messages`, in batches. A batch whose connection breaks goes out again from its first
 * unanswered line, to the next node, under the same ids.
 */
import { formatKey, WaterparkError } from "../runtime/base/mod.ts";
import type { ActorKey, Problem, Receipt } from "../runtime/gateway/mod.ts";
import { contentTypeOf, lineFields, type Message } from "./content.ts";
import type { Dialer } from "./dialer.ts";

/** One of many messages. */
export interface Sending {
  /** the actor it is about */
  key: ActorKey;
  /** what to record */
  message: Message;
  /** message id; made up where left out */
  id?: string;
  /** what happened; where left out, the node looks into the message */
  type?: string;
  /** media type; where left out, by the message's form */
  contentType?: string;
}

/** What became of one of many messages. */
export type SendingAnswer =
  | { state: "recorded"; receipt: Receipt; duplicate: boolean }
  | { state: "refused"; id: string; error: WaterparkError };

const BATCH_LINES = 256;
const BATCH_UNITS = 1 << 20;

interface Line {
  id: string;
  text: string;
}

/** The answers, one for each message, in order. */
export async function* sendMany(
  dialer: Dialer,
  messages: Iterable<Sending> | AsyncIterable<Sending>,
): AsyncGenerator<SendingAnswer> {
  let batch: Line[] = [];
  let units = 0;
  for await (const message of messages) {
    const line = lineOf(message);
    batch.push(line);
    units += line.text.length;
    if (batch.length < BATCH_LINES && units < BATCH_UNITS) continue;
    yield* sendBatch(dialer, batch);
    batch = [];
    units = 0;
  }
  if (batch.length > 0) yield* sendBatch(dialer, batch);
}

async function* sendBatch(dialer: Dialer, lines: Line[]): AsyncGenerator<SendingAnswer> {
  let left = lines;
  while (left.length > 0) {
    const { value: text, isOnly } = await dialer.answerTo<string>({
      method: "POST",
      path: "/v1/messages",
      headers: { "content-type": "application/x-ndjson" },
      body: left.map((line) => line.text).join("\n"),
      kind: "send-many",
    });
    const answers = text.split("\n").filter((line) => line !== "");
    // A node that goes down ends the stream early; nothing at all would go round for ever.
    if (answers.length === 0) throw shortAnswer();
    if (answers.length < left.length) dialer.turn();
    for (const [i, answer] of answers.entries()) yield answerOf(answer, left[i].id, isOnly);
    left = left.slice(answers.length);
  }
}

function lineOf({ key, message, id = crypto.randomUUID(), type, contentType = contentTypeOf(message) }: Sending): Line {
  return { id, text: JSON.stringify({ key: formatKey(key), id, type, ...lineFields(message, contentType) }) };
}

function answerOf(text: string, id: string, isOnly: boolean): SendingAnswer {
  const answer = JSON.parse(text) as (Receipt & { duplicate?: boolean }) | Problem;
  if ("code" in answer) {
    const { code, detail, retryAfterMs } = answer;
    // what this node refused, the one that was asked before it may have recorded
    const outcome = isOnly ? answer.outcome : "unknown";
    return { state: "refused", id, error: new WaterparkError(detail, { code, outcome, retryAfterMs }) };
  }
  const { duplicate = false, ...receipt } = answer;
  return { state: "recorded", receipt, duplicate };
}

function shortAnswer(): WaterparkError {
  return new WaterparkError("Cannot tell how the messages ended as each must have an answer: there was none", {
    code: "client/bad-answer",
    outcome: "unknown",
  });
}
