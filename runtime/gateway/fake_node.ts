/**
 * A node of one process and no cluster: histories in a Map. What the gateway is tested against; `refusal` and `hang`
 * make it behave badly.
 */
import { digest64, digestText, formatKey, parseKey, WaterparkError } from "../base/mod.ts";
import type {
  LostCopyName,
  LostCopyView,
  LostMessageView,
  RecoveryService,
  RecoveryView,
  ResentView,
  ShardView,
} from "./recovery.ts";
import type { AuditReceipt, AuditVerdict, CopiesVerdict } from "./audit_views.ts";
import { fakePage, fakeVerdict } from "./fake_audit.ts";
import { fakePlanned } from "./fake_planned.ts";
import { fakeOutside } from "./fake_outside.ts";
import { fakeStages } from "./fake_stages.ts";
import type { FollowingService } from "./following.ts";
import type { OutsideService } from "./outside.ts";
import type { PlannedService } from "./planned.ts";
import type { RetentionService, RetentionView } from "./retention_routes.ts";
import type { StagesService } from "./stages.ts";
import type {
  HandledView,
  HistoryEvent,
  NodeService,
  PluginView,
  PostAnswer,
  PostRequest,
  Receipt,
} from "./service.ts";

interface Kept extends HistoryEvent {
  receipt: Receipt;
}

/** Answers for one shard that has lost its majority. */
class FakeRecovery implements RecoveryService {
  readonly #asked: string[];

  constructor(asked: string[]) {
    this.#asked = asked;
  }

  standing(): Promise<string[]> {
    return Promise.resolve(["S05/017"]);
  }

  shard(shard: string): Promise<ShardView> {
    const copy = {
      generation: 1,
      term: 3,
      lastTerm: 3,
      lastIndex: 9,
      commit: 8,
      isWriter: false,
      isWhole: true,
      standsStill: true,
    };
    const copies = [{ node: "TN-A-1", answers: true, copy }, { node: "TX-A-1", answers: false, copy: null }];
    return Promise.resolve({ shard, target: ["TN-A-1", "TX-A-1"], copies });
  }

  recover(shard: string, { survivor, force }: { survivor?: string; force?: boolean }): Promise<RecoveryView> {
    this.#asked.push(`recover ${shard} ${survivor} ${force}`);
    return Promise.resolve({ shard, generation: 2, survivor: "TN-A-1", lastIndex: 9, unreachable: ["TX-A-1"] });
  }

  recoverFromJournals(): Promise<string[]> {
    this.#asked.push("recover-from-journals");
    return Promise.resolve(["SYS/000"]);
  }

  setAck({ copies, dataCenters }: { copies: number; dataCenters: number }): Promise<void> {
    this.#asked.push(`ack ${copies} ${dataCenters}`);
    return Promise.resolve();
  }

  lost(): Promise<LostCopyView[]> {
    return Promise.resolve([{ node: "TX-A-1", shard: "S05/017", generation: 1, term: 3, messages: 9 }]);
  }

  lostMessages(
    copy: LostCopyName,
    page: { after: number; limit: number },
  ): Promise<{ messages: LostMessageView[]; next: number | null }> {
    this.#asked.push(`lost ${copy.node} ${copy.shard} ${copy.generation} ${page.after} ${page.limit}`);
    const message = { index: 9, key: "patient/H/1", id: "m9", seq: 4, type: "", at: 0, digest: "00", present: false };
    return Promise.resolve({ messages: [message], next: null });
  }

  resend(copy: LostCopyName, ids: string[] | null): Promise<ResentView> {
    this.#asked.push(`resend ${copy.node} ${ids}`);
    return Promise.resolve({ sent: 1, already: 8, refused: [] });
  }

  discard(copy: LostCopyName): Promise<void> {
    this.#asked.push(`discard ${copy.node} ${copy.shard} ${copy.generation}`);
    return Promise.resolve();
  }
}

/** A {@linkcode NodeService} in memory. */
export class FakeNode implements NodeService {
  readonly name: string = "TN-A-1";
  /** what came in, in order */
  readonly posted: PostRequest[] = [];
  /** answered in place of recording, where it is not null */
  refusal: (request: PostRequest) => (PostAnswer & { state: "refused" }) | null = () => null;
  /** true: a post is never answered */
  hang = false;
  /** not null: answers are put here in place of being given */
  held: (() => void)[] | null = null;
  /** URLs of other nodes' gateways, by name */
  urls: Record<string, string> = {};
  /** what removing, draining and such was asked for */
  readonly asked: string[] = [];
  ready = true;
  readonly recovery = new FakeRecovery(this.asked);
  readonly planned: PlannedService = fakePlanned(this.asked);
  readonly following: FollowingService = {
    trace: (key, seq) =>
      Promise.resolve({ key, seq, message: null, parsed: null, outcomes: [], waiting: [], isWhole: true }),
    find: (query) => {
      this.asked.push(`find ${JSON.stringify(query)}`);
      return Promise.resolve({ messages: [], isWhole: true, silent: [] });
    },
    counts: (name, since) => {
      this.asked.push(`counts ${name} ${since}`);
      const none = { received: 0, waiting: 0, parked: 0, filtered: 0, failed: 0, destinations: [] };
      return Promise.resolve({ name, ...none, isWhole: true, silent: [] });
    },
  };
  readonly outside: OutsideService = fakeOutside(this.asked);
  readonly retention: RetentionService = fakeRetention();
  readonly stages: StagesService = fakeStages(this.asked, (name) => this.#plugins.get(name)!);
  /** what comparing the copies of S05/017 shows */
  copiesState: CopiesVerdict["state"] = "agree";
  #histories = new Map<string, Kept[]>();
  #plugins = new Map<string, PluginView>();
  #waiting = new Set<() => void>();
  #ids = 0;

  newId(): string {
    return `id${++this.#ids}`;
  }

  nowWallMs(): number {
    return 1767225600000;
  }

  post: NodeService["post"] = (request) => {
    return new Promise((resolve) => this.#post(request, resolve));
  };

  postNow: NodeService["postNow"] = ({ key, atMs: _, ...request }, done) => {
    this.#post({ key: parseKey(key), ...request }, done);
  };

  whenHandled(): Promise<HandledView> {
    return Promise.resolve({ isHandled: true, standstill: "" });
  }

  httpOf(name: string): string | null {
    return this.urls[name] ?? null;
  }

  /** `done` comes later, as a node's does. */
  #post(request: PostRequest, done: (answer: PostAnswer) => void): void {
    this.posted.push(request);
    if (this.hang) return;
    const answer = this.#answerTo(request);
    if (this.held !== null) this.held.push(() => done(answer));
    else queueMicrotask(() => done(answer));
  }

  #answerTo(request: PostRequest): PostAnswer {
    const refused = this.refusal(request);
    if (refused !== null) return refused;
    const key = formatKey(request.key);
    const history = this.#histories.get(key) ?? [];
    const digest = digestText(digest64(request.payload));
    const first = history.find((event) => event.id === request.id);
    if (first !== undefined) {
      if (first.receipt.digest === digest) {
        return { state: "recorded", receipt: first.receipt, duplicate: true };
      }
      return refusal("mailroom/conflict", "Cannot record the message as its id has other bytes");
    }
    if (request.ifMatch !== undefined && request.ifMatch !== history.length) {
      const message = "Cannot record the message as If-Match must be the actor's last seq";
      return { ...refusal("mailroom/precondition", message), seq: history.length };
    }
    const id = request.id ?? this.newId();
    const seq = history.length + 1;
    const place = { shard: "S05/017", generation: 1, term: 3, index: seq, writer: this.name };
    const receipt: Receipt = { key, id, seq, ...place, copies: ["TN-A-1", "TX-A-1", "FL-A-1"], digest };
    const { type = "", contentType, payload } = request;
    history.push({ seq, id, at: this.nowWallMs(), type, contentType, payload, receipt });
    this.#histories.set(key, history);
    for (const wake of this.#waiting) wake();
    const handled = request.wait === "handled" ? { projections: { census: { ward: "5W" } }, reply: "seen" } : {};
    return { state: "recorded", receipt, duplicate: false, ...handled };
  }

  read: NodeService["read"] = (key, options = {}) => {
    const text = formatKey(key);
    const seq = options.at ?? this.#histories.get(text)?.length ?? 0;
    return Promise.resolve({
      key: text,
      seq,
      projections: { read: options.read ?? "writer" },
      parked: {},
      writer: this.name,
      followers: ["TX-A-1"],
      behind: 0,
    });
  };

  history: NodeService["history"] = async (key, { after = 0, limit = 100, waitMs } = {}) => {
    const all = () => this.#histories.get(formatKey(key)) ?? [];
    if (waitMs !== undefined && all().length <= after) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.add(resolve);
      await promise;
      this.#waiting.delete(resolve);
    }
    const events = all().slice(after, after + limit).map(({ receipt: _, ...event }) => event);
    return { events, next: all().length > after + limit ? after + limit : null };
  };

  /** Ends all waiting for events, as the time limit would. */
  wake(): void {
    for (const wake of this.#waiting) wake();
  }

  place: NodeService["place"] = (key) => ({
    key: formatKey(key),
    shard: "S05/017",
    generation: 1,
    term: 3,
    writer: this.name,
    followers: ["TX-A-1"],
    target: [this.name, "TX-A-1"],
    version: 7,
  });

  topology: NodeService["topology"] = () => ({
    clusterId: "c1",
    version: 7,
    copies: 5,
    node: this.name,
    born: true,
    ack: { copies: 3, dataCenters: 2 },
    homes: ["TN"],
    nodes: [{
      name: this.name,
      dataCenter: "TN",
      zone: "A",
      incarnation: 11,
      address: "127.0.0.1:4600",
      http: "http://127.0.0.1:8600",
      mllp: null,
      status: "up",
      alive: true,
      shards: 1024,
      copies: 1024,
    }],
  });

  plugins(): PluginView[] {
    return [...this.#plugins.values()];
  }

  deploy: NodeService["deploy"] = ({ name, kind, hash, url, bundle, stage: wished = "live", percent, actors }) => {
    if (wished !== "live") this.asked.push(`deploy ${name} ${wished} ${percent ?? "-"} ${actors?.join(" ") ?? "-"}`);
    const version = (this.#plugins.get(name)?.version ?? 0) + 1;
    const stage = { stage: wished, deployedAt: this.nowWallMs(), loaded: true, parked: 0 };
    const view = { name, kind, hash, url, version, bytes: bundle.length, ...stage };
    this.#plugins.set(name, view);
    return Promise.resolve(view);
  };

  declareAbsent(name: string): Promise<void> {
    this.asked.push(`absent ${name}`);
    return Promise.resolve();
  }

  removePlugin(name: string): Promise<void> {
    this.#plugins.delete(name);
    return Promise.resolve();
  }

  removeNode(name: string, options: { force?: boolean } = {}): Promise<void> {
    this.asked.push(`remove ${name}${options.force ? " by force" : ""}`);
    return Promise.reject(
      new WaterparkError(`Cannot remove "${name}" as no other node would be up`, {
        code: "topology/last-node",
        outcome: "not-applied",
      }),
    );
  }

  actors: NodeService["actors"] = ({ after = "", limit = 100 } = {}) => {
    const keys = [...this.#histories.keys()].sort().filter((key) => key > after);
    const actors = keys.slice(0, limit).map((key) => ({ key, seq: this.#histories.get(key)!.length }));
    return Promise.resolve({ actors, next: keys.length > limit ? actors[limit - 1].key : null });
  };

  audit(receipt: AuditReceipt): Promise<AuditVerdict> {
    const kept = this.#histories.get(receipt.key ?? "")?.find((event) => event.id === receipt.id)?.receipt;
    return Promise.resolve(fakeVerdict(receipt, kept));
  }

  auditCopies: NodeService["auditCopies"] = (options) => {
    const histories = [...this.#histories.values()];
    const messages = histories.reduce((sum, history) => sum + history.length, 0);
    return Promise.resolve(fakePage({ state: this.copiesState, actors: histories.length, messages }, options));
  };

  readiness(): { ready: boolean; reason: string } {
    return { ready: this.ready, reason: this.ready ? "" : "joining" };
  }

  metrics(): Promise<string> {
    return Promise.resolve("waterpark_up 1\n");
  }

  /** The history of `key`, a text as the CLI takes it. */
  historyOf(key: string): HistoryEvent[] {
    return this.#histories.get(formatKey(parseKey(key))) ?? [];
  }
}

function refusal(code: string, message: string): PostAnswer & { state: "refused" } {
  return { state: "refused", code, outcome: "not-applied", message };
}

function fakeRetention(): RetentionService {
  const kinds = new Map<string, RetentionView>();
  return {
    list: () => [...kinds.values()],
    set(kind, days) {
      if (days === undefined) kinds.delete(kind);
      else kinds.set(kind, { kind, days, isDefault: false });
      return Promise.resolve();
    },
  };
}
