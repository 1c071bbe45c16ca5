/**
 * The report on an audit of receipts, in sentences that somebody can read who has never seen the program. It names
 * messages by the line of the receipt and by their place in the cluster's logs, `S05/017#42`, which tells nothing about
 * a patient.
 */
import { columnsOf, counted, listed, needText, periodText, type ReportAbout } from "./report_text.ts";
import { type Finding, FINDINGS_MAX, type LineState, type ReceiptsTally } from "./receipts_tally.ts";

/** How the receipts were chosen. */
export interface ReceiptsAbout extends ReportAbout {
  /** where they came from */
  file: string;
  /** receipts in the file where only a sample was audited; else null */
  sampleOf: number | null;
}

const MEANINGS: Record<Exclude<LineState, "proven">, string> = {
  retired: "their actors are retired; the copies have the tombstones",
  lost: "on no copy that could be asked",
  thin: "on fewer copies than was promised",
  differs: "some copy, or the receipt, says otherwise",
  unproven: "too few copies could be asked to tell",
  foreign: "receipts of another cluster",
  unreadable: "lines that are no receipts",
  unasked: "no verdict: the audit broke off or the node was busy",
};

/** The lines of the report. */
export function receiptsReport(tally: ReceiptsTally, about: ReceiptsAbout): string[] {
  const { audited, states, notProven, needed } = tally;
  const proven = states.proven ?? 0;
  const lines = [
    `Audit of receipts, ${periodText(about)}`,
    `Cluster ${about.clusterId}, asked through node ${about.node}. Receipts: ${about.file}` +
    (about.sampleOf === null ? "." : `, a sample of ${audited} of its ${about.sampleOf}, drawn by chance.`),
    "",
    `${proven} of ${
      counted(audited, "message is", "messages are")
    } proven: each stands as its receipt says on at least ` +
    `${needed === null ? "as many copies as the rule wants" : needText(needed)}, and its copies agree.`,
  ];
  for (const state of Object.keys(MEANINGS) as (keyof typeof MEANINGS)[]) {
    if (states[state] !== undefined) lines.push(`${states[state]} ${state}: ${MEANINGS[state]}.`);
  }
  const spread = tally.onCopies.flatMap((count, copies) => count ? [`${count} on ${copies}`] : []);
  if (spread.length > 0) {
    lines.push(
      `Messages by copies that hold them: ${
        spread.join(", ")
      }; fewest ${tally.fewestCopies}, median ${tally.medianCopies}.`,
    );
  }
  const rows = [...tally.nodes].sort(([a], [b]) => a < b ? -1 : 1).map(([name, { holds, lacks, differs, unasked }]) => [
    name,
    String(holds),
    String(lacks),
    String(differs),
    String(unasked),
  ]);
  if (rows.length > 0) {
    lines.push("", ...columnsOf(["NODE", "HOLDS", "LACKS", "DIFFERS", "NOT ASKED"], rows));
    const silent = [...tally.nodes].filter(([, { unasked }]) => unasked > 0).map(([name]) => name).sort();
    if (silent.length > 0) {
      lines.push(`Could not be asked: ${listed(silent)}. Nothing here rests on what may be there.`);
    }
  }
  if (notProven > 0) {
    lines.push("", "Not proven, by line of the receipt and place of the message:");
    for (const finding of tally.findings) lines.push(`  ${findingText(finding)}`);
    if (notProven > FINDINGS_MAX) lines.push(`  and ${notProven - FINDINGS_MAX} more`);
  }
  lines.push("", ...METHOD);
  return lines;
}

const METHOD = [
  "How this proves it: every node was asked for its own memory only, looked the message up there, and computed its digest",
  "anew from the bytes that it found; no node, and not the writer either, spoke for another. The digests of an actor's",
  "messages are chained, so copies with the same chained digest have the same history up to that message.",
];

/** One finding on one line. */
export function findingText(finding: Finding): string {
  const { line, shard, index, seq, key, id } = finding;
  const place = shard === undefined ? "" : ` ${shard}#${index} seq ${seq}`;
  const names = key === undefined && id === undefined ? "" : ` (${[key, id].filter(Boolean).join(" ")})`;
  return `line ${line}${place}${names}: ${whatOf(finding)}`;
}

function whatOf(finding: Finding): string {
  const { state, copies = [], missing = [], differing = [], unreachable = [], code } = finding;
  const unasked = unreachable.length === 0 ? "" : `; could not be asked: ${listed(unreachable)}`;
  const lacking = missing.length === 0 ? "" : `; a copy without it on ${listed(missing)}`;
  switch (state) {
    case "lost":
      return `lost, on none of ${listed(missing) || "the nodes"}${unasked}`;
    case "thin":
      return `thin, only on ${listed(copies)}${lacking}${unasked}`;
    case "unproven":
      return `unproven, seen on ${listed(copies) || "none"}${lacking}${unasked}`;
    case "differs": {
      const how = differing.map(({ node, what, index, seq, digest }) =>
        node === ""
          ? "the receipt's key belongs to another shard"
          : `${node} has ${DIFFERENCES[what]} (#${index}, seq ${seq}, digest ${digest})`
      );
      return `differs, ${how.join("; ")}${copies.length === 0 ? "" : `; as the receipt says on ${listed(copies)}`}`;
    }
    case "foreign":
      return "foreign, a receipt of another cluster";
    default:
      return `${state}, ${code ?? MEANINGS[state as keyof typeof MEANINGS]}`;
  }
}

const DIFFERENCES: Record<string, string> = {
  shard: "it in another shard",
  index: "it at another place",
  seq: "it as another seq",
  digest: "other bytes",
  chain: "another history before it",
  term: "it from another writer's term",
  twice: "its id twice",
};
