/**
 * The bench's last question: are the messages whose receipts it has kept where those say? Asked of the copies themselves.
 */
import { connect } from "../client.ts";
import { openReceipts } from "../cli/audit/receipts_file.ts";
import { receiptsReport } from "../cli/audit/receipts_report.ts";
import { auditLines, ReceiptsTally } from "../cli/audit/receipts_tally.ts";

/** Audits the receipts in `file`; the report goes to `talk`. @throws {Error} when not all are proven */
export async function auditReceipts(
  urls: readonly string[],
  file: string,
  talk: (text: string) => void,
): Promise<void> {
  const client = connect(urls);
  const { clusterId, node } = await client.topology();
  const tally = new ReceiptsTally();
  const fromMs = Date.now();
  await auditLines(client, await openReceipts(file), { tally });
  const about = { clusterId, node, fromMs, toMs: Date.now(), file, sampleOf: null };
  for (const line of receiptsReport(tally, about)) talk(line);
  if (tally.notProven > 0) throw new Error(`Cannot trust the run as ${tally.notProven} receipts are not proven`);
}
