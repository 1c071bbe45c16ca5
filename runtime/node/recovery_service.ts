/** The promises behind `NodeService.recovery`: surveys, recoveries and lost copies, with names in place of numbers. */
import { WaterparkError } from "../base/mod.ts";
import type {
  LostCopyName,
  LostCopyView,
  LostMessageView,
  RecoveryService,
  RecoveryView,
  ResentView,
  ShardView,
} from "../gateway/mod.ts";
import { shardText } from "../topology/mod.ts";
import { ackRuleFault } from "./config.ts";
import type { NodeCore } from "./core.ts";
import type { LostCopySummary, LostMessage, Resent } from "./lost_and_found.ts";
import { shardOfText, type Surveyed } from "./recovering.ts";
import { errorOf, type RequestResult } from "./requests.ts";

/** What one node does for the operators of the whole cluster. */
export class CoreRecovery implements RecoveryService {
  readonly #core: NodeCore;

  constructor(core: NodeCore) {
    this.#core = core;
  }

  async standing(): Promise<string[]> {
    const nodes = this.#core.directory.require().state.nodes.filter((one) => !this.#core.isSuspect(one.incarnation));
    const lists = await Promise.all(nodes.map(({ incarnation }) => this.#ask<number[]>(incarnation, "standing", null)));
    return [...new Set(lists.flat())].sort((a, b) => a - b).map(shardText);
  }

  async shard(text: string): Promise<ShardView> {
    const shard = shardOfText(text);
    const found = await new Promise<Surveyed[]>((resolve) => this.#core.recovering.survey(shard, resolve));
    return {
      shard: shardText(shard),
      target: this.#core.directory.require().placementOf(shard).map((node) => node.name),
      copies: found.map(({ node, copy }) => {
        if (!copy) return { node: node.name, answers: copy === null, copy: null };
        const { members: _, ...rest } = copy;
        return { node: node.name, answers: true, copy: rest };
      }),
    };
  }

  recover(text: string, options: { survivor?: string; force?: boolean }): Promise<RecoveryView> {
    const shard = shardOfText(text);
    this.#core.directory.require();
    return answered((done) => this.#core.recovering.recover(shard, options, done));
  }

  async recoverFromJournals(): Promise<string[]> {
    const { shards } = await answered<{ shards: (number | string)[] }>((done) =>
      this.#core.reviving.recoverFromJournals(done)
    );
    return shards.map((shard) => typeof shard === "number" ? shardText(shard) : shard);
  }

  async setAck({ force, ...ack }: { copies: number; dataCenters: number; force?: boolean }): Promise<void> {
    const fault = ackRuleFault({ copies: this.#core.directory.require().state.copies, ack });
    if (fault !== null && force !== true) {
      throw new WaterparkError(
        `Cannot set this rule for receipts as it must stand the loss of a data center: ${fault}`,
        {
          code: "node/ack-rule",
          outcome: "not-applied",
        },
      );
    }
    await answered((done) => this.#core.directory.command({ type: "ack", ...ack }, done));
  }

  async lost(): Promise<LostCopyView[]> {
    const nodes = this.#core.directory.require().state.nodes;
    const lists = await Promise.all(nodes.map(async ({ name, incarnation }) => {
      // Who does not answer may hold some: it is asked again by whoever looks again.
      const copies = await this.#ask<LostCopySummary[]>(incarnation, "lost", null).catch(() => []);
      return copies.map((copy) => ({ node: name, ...copy }));
    }));
    return lists.flat();
  }

  async lostMessages(
    copy: LostCopyName,
    page: { after: number; limit: number },
  ): Promise<{ messages: LostMessageView[]; next: number | null }> {
    const { incarnation, shard, generation } = this.#named(copy);
    const { messages, next } = await this.#ask<{ messages: LostMessage[]; next: number | null }>(
      incarnation,
      "lost-messages",
      { shard, generation, ...page },
    );
    const items = messages.map(({ key, id }) => [key, id]);
    const present = await this.#find(shard, items);
    return { messages: messages.map((message, i) => ({ ...message, present: present?.[i] ?? null })), next };
  }

  async resend(copy: LostCopyName, ids: string[] | null): Promise<ResentView> {
    const { incarnation, shard, generation } = this.#named(copy);
    const sum: ResentView = { sent: 0, already: 0, refused: [] };
    for (let after: number | null = 0; after !== null;) {
      const page: Resent = await this.#ask(incarnation, "lost-resend", { shard, generation, after, ids });
      sum.sent += page.sent;
      sum.already += page.already;
      sum.refused.push(...page.refused);
      // Something is not as it should be, and going on would only repeat it.
      if (page.refused.length > 0 && page.sent + page.already === 0) break;
      after = page.next;
    }
    return sum;
  }

  async discard(copy: LostCopyName): Promise<void> {
    const { incarnation, shard, generation } = this.#named(copy);
    await this.#ask(incarnation, "lost-discard", { shard, generation });
  }

  /** Which of these messages its writer has; null when that cannot be found. */
  async #find(shard: number, items: string[][]): Promise<boolean[] | null> {
    const hinted = this.#core.replication.hint(shard)?.writer ?? 0;
    const placed = this.#core.directory.require().placementOf(shard).map((node) => node.incarnation);
    for (const writer of new Set([hinted, ...placed])) {
      if (writer === 0 || this.#core.isSuspect(writer)) continue;
      const found = await this.#ask<boolean[]>(writer, "find", { shard, items }).catch(() => null);
      if (found !== null) return found;
    }
    return null;
  }

  #named({ node, shard, generation }: LostCopyName): { incarnation: number; shard: number; generation: number } {
    const found = this.#core.directory.require().nodeByName(node);
    if (found === null) {
      throw new WaterparkError(`Cannot ask "${node}" as the topology has no node of that name`, {
        code: "topology/no-such-node",
        outcome: "not-applied",
      });
    }
    return { incarnation: found.incarnation, shard: shardOfText(shard), generation };
  }

  #ask<T>(incarnation: number, method: string, body: unknown): Promise<T> {
    const { requests, config } = this.#core;
    // One deadline for what may itself wait for receipts.
    const timeoutMs = config.requestMs * 1.5;
    return answered((done) => requests.ask(incarnation, method, body, { timeoutMs, done }));
  }
}

async function answered<T>(ask: (done: (result: RequestResult) => void) => void): Promise<T> {
  const result = await new Promise<RequestResult>((resolve) => ask(resolve));
  if (!result.ok) throw errorOf(result);
  return result.value as T;
}
