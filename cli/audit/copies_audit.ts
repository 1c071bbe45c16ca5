/**
 * The audit without receipts: all copies of all shards compared with each other, page by page, and the report on it.
 */
import type { CopiesNeeded, CopiesVerdict, WaterparkClient } from "../../client.ts";
import { columnsOf, counted, listed, needText, periodText, type ReportAbout } from "./report_text.ts";

/** How the copies are compared. */
export interface CopiesOptions {
  /** every copy reads all its bytes anew */
  deep: boolean;
  /** actors that differ are named */
  keys: boolean;
}

/** Shards of one page; a deep page reads all bytes of its shards within one request's time. */
const PAGE = { quick: 64, deep: 8 };
/** Shards that do not agree and are told one by one. */
const FINDINGS_MAX = 1000;

/** What the comparison came to. */
export class CopiesTally {
  shards = 0;
  agree = 0;
  actors = 0;
  messages = 0;
  /** messages whose bytes do not give their digests, over all copies */
  damaged = 0;
  needed: CopiesNeeded | null = null;
  /** per node: copies that count, such as come or go, entries that its copies are behind the furthest, shards unasked */
  readonly nodes = new Map<string, { copies: number; passing: number; behind: number; unasked: number }>();
  readonly findings: CopiesVerdict[] = [];

  /** Counts one shard. */
  take(verdict: CopiesVerdict): void {
    this.shards++;
    this.needed = verdict.needed;
    this.actors += verdict.actors;
    this.messages += verdict.messages;
    if (verdict.state === "agree") this.agree++;
    else if (this.findings.length < FINDINGS_MAX) this.findings.push(verdict);
    const furthest = Math.max(0, ...verdict.copies.map(({ commit }) => commit));
    for (const { node, stands, commit, damaged } of verdict.copies) {
      const count = this.#node(node);
      if (stands) count.copies++;
      else count.passing++;
      if (stands) count.behind += furthest - commit;
      this.damaged += damaged ?? 0;
    }
    for (const node of verdict.unreachable) this.#node(node).unasked++;
  }

  #node(name: string): { copies: number; passing: number; behind: number; unasked: number } {
    let count = this.nodes.get(name);
    if (count === undefined) this.nodes.set(name, count = { copies: 0, passing: 0, behind: 0, unasked: 0 });
    return count;
  }
}

/** Compares all copies; `onPage` is told after each page. */
export async function compareCopies(
  client: WaterparkClient,
  { deep, keys }: CopiesOptions,
  { tally, onPage }: { tally: CopiesTally; onPage?: () => void },
): Promise<void> {
  const limit = deep ? PAGE.deep : PAGE.quick;
  for (let after: string | null | undefined = undefined; after !== null;) {
    const page: Awaited<ReturnType<WaterparkClient["auditCopies"]>> = await client.auditCopies({
      ...(after === undefined ? {} : { after }),
      limit,
      deep,
      keys,
    });
    for (const verdict of page.shards) tally.take(verdict);
    onPage?.();
    after = page.next;
  }
}

/** The lines of the report. */
export function copiesReport(tally: CopiesTally, about: ReportAbout & { deep: boolean }): string[] {
  const { shards, agree, actors, messages, needed } = tally;
  const lines = [
    `Comparison of all copies, ${periodText(about)}`,
    `Cluster ${about.clusterId}, asked through node ${about.node}.`,
    "",
    `${agree} of ${
      counted(shards, "shard agrees", "shards agree")
    }: on each the copies have the same histories, on at least ` +
    `${needed === null ? "as many copies as the rule wants" : needText(needed)}.`,
    `They hold ${counted(messages, "message", "messages")} of ${counted(actors, "actor", "actors")}.`,
  ];
  if (about.deep) {
    lines.push(
      tally.damaged === 0
        ? "Every copy read all its bytes anew; all of them give the digests that stand beside them."
        : `Every copy read all its bytes anew; ${tally.damaged} do not give the digests that stand beside them.`,
    );
  }
  const rows = [...tally.nodes].sort(([a], [b]) => a < b ? -1 : 1)
    .map(([name, { copies, passing, behind, unasked }]) => [name, ...[copies, passing, behind, unasked].map(String)]);
  if (rows.length > 0) {
    lines.push("", ...columnsOf(["NODE", "COPIES", "COME OR GO", "ENTRIES BEHIND", "NOT ASKED"], rows));
  }
  if (agree < shards) {
    lines.push("", "Shards that do not agree:");
    for (const verdict of tally.findings) lines.push(...verdictLines(verdict).map((line) => `  ${line}`));
    if (shards - agree > tally.findings.length) lines.push(`  and ${shards - agree - tally.findings.length} more`);
  }
  lines.push(
    "",
    "How this proves it: every node computed, from its own memory only, one digest over all actors of each of its copies:",
    "over key, length and chained digest of each history, at the same log index. Equal digests mean equal histories.",
  );
  return lines;
}

function verdictLines(verdict: CopiesVerdict): string[] {
  const { shard, state, copies, unreachable, differing, differingCount, upTo } = verdict;
  const unasked = unreachable.length === 0 ? "" : `; could not be asked: ${listed(unreachable)}`;
  const standing = copies.filter(({ stands }) => stands).map(({ node }) => node);
  if (state === "lost") return [`${shard}: lost, no node that could be asked has a copy${unasked}`];
  if (state !== "differs") return [`${shard}: ${state}, copies on ${listed(standing) || "no node"}${unasked}`];
  const damaged = copies.filter(({ damaged }) => damaged !== null && damaged > 0);
  return [
    `${shard}: differs up to #${upTo}, ${counted(differingCount, "actor", "actors")}${unasked}`,
    ...damaged.map(({ node, damaged }) =>
      `  ${node}: ${counted(damaged!, "message has", "messages have")} other bytes`
    ),
    ...differing.map(({ at, key, copies }) => {
      const said = copies.map(({ node, seq, chain }) => seq === 0 ? `${node} none` : `${node} seq ${seq} ${chain}`);
      return `  actor at ${at}${key === undefined ? "" : ` (${key})`}: ${said.join(", ")}`;
    }),
    ...(differingCount > differing.length ? [`  and ${differingCount - differing.length} more actors`] : []),
  ];
}
