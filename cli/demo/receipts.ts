/**
 * Receipts for messages that came in by MLLP, which gives none: whoever sends a message again by HTTP under the same id
 * and with the same bytes is given its first receipt. Then the copies are asked whether they hold what those say.
 */
import type { Sending, WaterparkClient } from "../../client.ts";
import { openReceipts, ReceiptsWriter } from "../audit/receipts_file.ts";
import { receiptsReport } from "../audit/receipts_report.ts";
import { auditLines, ReceiptsTally } from "../audit/receipts_tally.ts";
import type { Feed } from "./feed.ts";

const HL7 = "x-application/hl7-v2+er7";

/** What the receipts came to. */
export interface ReceiptsFound {
  /** messages without a receipt, or with one that puts them elsewhere than where they were sent */
  unknown: number;
  notProven: number;
  /** the audit's report, line by line */
  report: string[];
}

/** Gets every message's receipt into `file`, and has them audited. */
export async function auditFeed(client: WaterparkClient, feed: Feed, file: string): Promise<ReceiptsFound> {
  const { clusterId, node } = await client.topology();
  const writer = new ReceiptsWriter(file, { clusterId });
  let unknown = 0;
  // "duplicate" would say so, too, but for the mailroom's own repetitions: a message recorded only now stands at the end.
  const seqs = [...feed.patients.values()].flatMap((messages) => messages.map((_, i) => i + 1));
  let at = 0;
  for await (const answer of client.sendMany(sendingsOf(feed))) {
    const seq = seqs[at++];
    if (answer.state === "recorded") writer.take(answer.receipt);
    if (answer.state !== "recorded" || answer.receipt.seq !== seq) unknown++;
  }
  writer.close();
  const tally = new ReceiptsTally();
  const fromMs = Date.now();
  await auditLines(client, await openReceipts(file), { tally });
  const report = receiptsReport(tally, { clusterId, node, fromMs, toMs: Date.now(), file, sampleOf: null });
  return { unknown, notProven: tally.notProven, report };
}

function* sendingsOf(feed: Feed): Generator<Sending> {
  for (const [key, messages] of feed.patients) {
    const [kind, facility, id] = key.split("/");
    for (const { facility: sender, controlId, text } of messages) {
      yield { key: { kind, facility, id }, id: `${sender}/${controlId}`, message: text, contentType: HL7 };
    }
  }
}
