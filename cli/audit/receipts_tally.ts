/**
 * What comes of an audit of receipts, added up: a few numbers per node, and the first findings one by one.
 */
import type { AuditAnswer, AuditState, AuditVerdict, CopiesNeeded, WaterparkClient } from "../../client.ts";
import type { ReceiptLine } from "./receipts_file.ts";

/** What a line came to: a verdict's state, or that it is no receipt, or that nobody could say. */
export type LineState = AuditState | "unreadable" | "unasked";

/** A line that is not proven. */
export interface Finding extends Partial<Omit<AuditVerdict, "state">> {
  /** number of the line in the file */
  line: number;
  state: LineState;
  /** why there is no verdict */
  code?: string;
  /** only where keys may be shown */
  key?: string;
  /** only where keys may be shown */
  id?: string;
}

/** What one node was asked and said. */
export interface NodeCount {
  /** messages that it holds */
  holds: number;
  /** messages that should be, or may be, there and are not */
  lacks: number;
  /** messages that it has otherwise */
  differs: number;
  /** messages about which it could not be asked */
  unasked: number;
}

/** Findings told one by one; the others are numbers. */
export const FINDINGS_MAX = 1000;
/** States that are as they should be. */
const GOOD: ReadonlySet<LineState> = new Set(["proven", "retired"]);
/** Refusals that are the line's own fault. */
const UNREADABLE = /^(gateway\/(bad-|too-large)|base\/bad-key|topology\/bad-shard)/;

/** The sum of an audit. */
export class ReceiptsTally {
  /** lines */
  audited = 0;
  /** lines by what they came to */
  readonly states: Partial<Record<LineState, number>> = {};
  /** how many messages are on how many copies */
  readonly onCopies: number[] = [];
  readonly nodes = new Map<string, NodeCount>();
  readonly findings: Finding[] = [];
  needed: CopiesNeeded | null = null;
  readonly #showKeys: boolean;

  constructor(options: { showKeys?: boolean } = {}) {
    this.#showKeys = options.showKeys ?? false;
  }

  /** lines that are not as they should be */
  get notProven(): number {
    return this.audited - (this.states.proven ?? 0) - (this.states.retired ?? 0);
  }

  /** The number of copies that the median message is on; 0 without messages. */
  get medianCopies(): number {
    const all = this.onCopies.reduce((sum, count) => sum + (count ?? 0), 0);
    let below = 0;
    return Math.max(0, this.onCopies.findIndex((count) => (below += count ?? 0) * 2 >= all && all > 0));
  }

  /** The number of copies that the message on the fewest is on; 0 without messages. */
  get fewestCopies(): number {
    return Math.max(0, this.onCopies.findIndex((count) => (count ?? 0) > 0));
  }

  /** Counts what a line came to. */
  take(line: ReceiptLine, answer: AuditAnswer): void {
    this.audited++;
    const state = answer.state !== "refused"
      ? answer.state
      : UNREADABLE.test(answer.error.code)
      ? "unreadable"
      : "unasked";
    this.states[state] = (this.states[state] ?? 0) + 1;
    if (answer.state !== "refused") this.#count(answer);
    if (GOOD.has(state) || this.findings.length >= FINDINGS_MAX) return;
    const what = answer.state === "refused" ? { code: answer.error.code } : answer;
    this.findings.push({ line: line.number, ...what, state, ...(this.#showKeys ? namesIn(line.text) : {}) });
  }

  #count({ state, needed, copies, missing, differing, unreachable }: AuditVerdict): void {
    this.needed = needed;
    if (state === "foreign") return;
    if (state !== "retired") this.onCopies[copies.length] = (this.onCopies[copies.length] ?? 0) + 1;
    for (const name of copies) this.#node(name).holds++;
    for (const name of missing) this.#node(name).lacks++;
    for (const { node } of differing) if (node !== "") this.#node(node).differs++;
    for (const name of unreachable) this.#node(name).unasked++;
  }

  #node(name: string): NodeCount {
    let count = this.nodes.get(name);
    if (count === undefined) this.nodes.set(name, count = { holds: 0, lacks: 0, differs: 0, unasked: 0 });
    return count;
  }
}

/** Audits the lines; `onLine` is told after each. */
export async function auditLines(
  client: WaterparkClient,
  lines: AsyncIterable<ReceiptLine> | Iterable<ReceiptLine>,
  { tally, onLine }: { tally: ReceiptsTally; onLine?: () => void },
): Promise<void> {
  // Those whose verdict is still to come: a batch, not a file.
  const waiting: ReceiptLine[] = [];
  let head = 0;
  async function* texts(): AsyncGenerator<string> {
    for await (const line of lines) {
      waiting.push(line);
      yield line.text;
    }
  }
  for await (const answer of client.audit(texts())) {
    tally.take(waiting[head++], answer);
    if (head === waiting.length) {
      waiting.length = 0;
      head = 0;
    }
    onLine?.();
  }
}

function namesIn(text: string): { key?: string; id?: string } {
  try {
    const { key, id } = JSON.parse(text) as Record<string, unknown>;
    return { ...(typeof key === "string" ? { key } : {}), ...(typeof id === "string" ? { id } : {}) };
  } catch {
    return {};
  }
}
