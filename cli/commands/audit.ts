import { WaterparkError } from "../../client.ts";
import { compareCopies, copiesReport, CopiesTally } from "../audit/copies_audit.ts";
import { openReceipts, type ReceiptLine, SAMPLE_MAX, sampleOf } from "../audit/receipts_file.ts";
import { receiptsReport } from "../audit/receipts_report.ts";
import { auditLines, ReceiptsTally } from "../audit/receipts_tally.ts";
import { type Call, command } from "../command.ts";
import { MisuseError } from "../errors.ts";

const PROGRESS_LINES = 1000;

/** `waterpark audit` */
export const audit = command({
  description: "proves that every acknowledged message is on enough copies",
  args: {
    receipts: {
      type: "string",
      metavar: "FILE",
      description: "receipts, one a line as JSON, - for stdin; left out: all copies are compared",
    },
    sample: { type: "number", description: "audit only so many of the receipts, drawn by chance" },
    deep: { type: "boolean", default: false, description: "without receipts: every copy reads all its bytes anew" },
    "show-keys": { type: "boolean", default: false, description: "name actors and messages: patients' data" },
  },
  examples: [
    "audit --receipts receipts.ndjson",
    "waterpark actor send HOSPX/1001 hello --json | waterpark audit --receipts -",
    "audit --deep --json",
  ],
  async run(call) {
    const { values, client } = call;
    const { sample, receipts } = values;
    if (sample !== undefined && receipts === undefined) {
      throw new MisuseError("Cannot use --sample as there must be --receipts to draw from");
    }
    if (sample !== undefined && !(Number.isInteger(sample) && sample >= 1 && sample <= SAMPLE_MAX)) {
      throw new MisuseError(`Cannot use --sample as it must be a whole number from 1 to ${SAMPLE_MAX}`);
    }
    if (values.deep && receipts !== undefined) {
      throw new MisuseError("Cannot use --deep with --receipts as the bytes of each message are read anyway");
    }
    const lines = receipts === undefined ? null : await openReceipts(receipts);
    const { clusterId, node } = await client.topology();
    const about = { clusterId, node, fromMs: Date.now() };
    if (lines === null) await auditCopies(call, about);
    else await auditReceipts(call, { file: receipts!, lines }, about);
  },
});

type AuditCall = Call<{ sample?: number; deep?: boolean; "show-keys"?: boolean }>;
type About = { clusterId: string; node: string; fromMs: number };

async function auditReceipts(
  { values, client, out }: AuditCall,
  { file, lines }: { file: string; lines: AsyncIterable<ReceiptLine> },
  about: About,
): Promise<void> {
  const drawn = values.sample === undefined ? null : await sampleOf(lines, values.sample);
  const tally = new ReceiptsTally({ showKeys: values["show-keys"] });
  const onLine = () => {
    if (tally.audited % PROGRESS_LINES === 0) out.progress(`${tally.audited} audited, ${tally.notProven} not proven`);
  };
  await auditLines(client, drawn?.sample ?? lines, { tally, onLine });
  if (tally.audited === 0) throw new MisuseError(`Cannot audit "${file}" as there must be a receipt in it`);
  const period = { ...about, toMs: Date.now() };
  if (out.isJson) {
    for (const finding of tally.findings) out.json({ finding });
    const { audited, states, notProven, needed, onCopies, fewestCopies, medianCopies } = tally;
    const copies = Object.fromEntries(onCopies.flatMap((count, copies) => count ? [[copies, count]] : []));
    const sums = {
      audited,
      sampleOf: drawn?.of ?? null,
      notProven,
      states,
      needed,
      copies,
      fewestCopies,
      medianCopies,
    };
    out.json({ summary: { ...period, ...sums, nodes: Object.fromEntries(tally.nodes) } });
  } else {
    out.progress("");
    for (const line of receiptsReport(tally, { ...period, file, sampleOf: drawn?.of ?? null })) out.data(line);
  }
  if (tally.notProven > 0) {
    throw notProven(`Cannot prove ${tally.notProven} of ${tally.audited} messages: see the report`);
  }
}

async function auditCopies({ values, client, out }: AuditCall, about: About): Promise<void> {
  const tally = new CopiesTally();
  const deep = values.deep === true;
  await compareCopies(client, { deep, keys: values["show-keys"] === true }, {
    tally,
    onPage: () => out.progress(`${tally.shards} shards compared, ${tally.shards - tally.agree} do not agree`),
  });
  const period = { ...about, toMs: Date.now() };
  if (out.isJson) {
    for (const finding of tally.findings) out.json({ finding });
    const { shards, agree, actors, messages, damaged, needed } = tally;
    const sums = { shards, agree, actors, messages, damaged: deep ? damaged : null, needed };
    out.json({ summary: { ...period, ...sums, nodes: Object.fromEntries(tally.nodes) } });
  } else {
    out.progress("");
    for (const line of copiesReport(tally, { ...period, deep })) out.data(line);
  }
  if (tally.agree < tally.shards) {
    throw notProven(`Cannot prove that all copies agree on ${tally.shards - tally.agree} of ${tally.shards} shards`);
  }
}

function notProven(message: string): WaterparkError {
  return new WaterparkError(message, { code: "cli/not-proven", outcome: "not-applied" });
}
