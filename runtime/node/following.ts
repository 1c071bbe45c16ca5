/**
 * Following a message: what plugins decided about it and what became of that stands in the shard's log, behind it. And
 * finding messages without a key: every node looks through the shards that it writes, newest first, in small slices.
 */
import { parseKey, WaterparkError } from "../base/mod.ts";
import { decodeDone, effectId, readOutcomes } from "../effects/mod.ts";
import type {
  FindQuery,
  FollowingService,
  FoundMessage,
  FoundView,
  TracedEffect,
  TracedOutcome,
  TraceView,
} from "../gateway/mod.ts";
import { ENTRY, type ShardStore } from "../storage/mod.ts";
import { DATA_SHARDS } from "../topology/mod.ts";
import { askAll } from "./ask_all.ts";
import type { NodeCore } from "./core.ts";

const TRACE = "trace";
const FIND = "find";
const ANSWER_MS = 5_000;
/** Entries behind a message that are looked through: a second's worth of a busy shard's log, and many days of a quiet one's. */
const ENTRIES_MAX = 100_000;
/** A node looks for so long, ms. */
const FIND_MS = 3_000;
/** Entries looked at before others get their turn: about a millisecond. */
const ENTRIES_A_TURN = 1_000;
const LIMIT = 100;
const LIMIT_MAX = 1_000;

interface FoundHere {
  messages: FoundMessage[];
  isWhole: boolean;
}

/** See the file's header. */
export class Following implements FollowingService {
  readonly #core: NodeCore;

  constructor(core: NodeCore) {
    this.#core = core;
    core.requests.handle(TRACE, (body, done) => {
      const { key, seq } = Object(body) as { key: string; seq: number };
      done({ ok: true, value: this.#traceHere(String(key), Number(seq)) });
    });
    core.requests.handle(FIND, (body, done) => {
      void this.#findHere(Object(body)).then((value) => done({ ok: true, value }));
    });
  }

  async trace(key: string, seq: number): Promise<TraceView> {
    const all = await askAll<TraceView>(this.#core, TRACE, { key, seq }, ANSWER_MS);
    const found = all.find(({ said }) => said !== null && typeof said === "object")?.said;
    if (found) return found;
    throw new WaterparkError("Cannot follow the message as its actor must have it", {
      code: "actors/unknown",
      outcome: "not-applied",
    });
  }

  async find(query: FindQuery): Promise<FoundView> {
    const limit = Math.min(LIMIT_MAX, Math.max(1, query.limit ?? LIMIT));
    const all = await askAll<FoundHere>(this.#core, FIND, { ...query, limit }, ANSWER_MS + FIND_MS);
    const messages = all.flatMap(({ said }) => said?.messages ?? []).sort((a, b) => b.at - a.at);
    return {
      messages: messages.slice(0, limit),
      isWhole: messages.length <= limit && all.every(({ said }) => said === null || said.isWhole),
      silent: all.filter(({ said }) => said === null).map(({ node }) => node).sort(),
    };
  }

  /** null: this node does not write the actor's shard, or there is no such message. */
  #traceHere(key: string, seq: number): TraceView | null {
    const { replication, directory } = this.#core;
    const shard = directory.require().shardOf(key);
    const store = replication.isWriter(shard) ? replication.store(shard) : null;
    if (store === null) return null;
    const commit = replication.commitIndex(shard);
    const [first] = store.history(key, seq - 1, 1, commit);
    if (first === undefined || store.seqOf(first) !== seq) return null;
    return traceIn(store, { key, seq, first, commit });
  }

  async #findHere(query: FindQuery): Promise<FoundHere> {
    const { replication, world } = this.#core;
    const { limit = LIMIT } = query;
    const untilMs = world.nowMonoMs() + FIND_MS;
    const messages: FoundMessage[] = [];
    let looked = 0;
    for (let shard = 0; shard < DATA_SHARDS; shard++) {
      const commit = replication.isWriter(shard) ? replication.commitIndex(shard) : 0;
      for (let index = commit; index > 0; index--) {
        // The copy may have gone while others had their turn.
        const store = replication.store(shard);
        if (store === null) break;
        if (store.kindAt(index) === ENTRY.MESSAGE) {
          // A shard's times never go back, so what is older stands before it.
          if (query.since !== undefined && store.atMsOf(index) < query.since) break;
          const found = foundAt(store, index, query);
          if (found !== null && messages.push(found) >= limit) return { messages, isWhole: false };
        }
        if (++looked % ENTRIES_A_TURN > 0) continue;
        if (world.nowMonoMs() > untilMs) return { messages, isWhole: false };
        await new Promise<void>((resolve) => void world.after(0, resolve));
      }
    }
    return { messages, isWhole: true };
  }
}

function traceIn(
  store: ShardStore,
  { key, seq, first, commit }: { key: string; seq: number; first: number; commit: number },
): TraceView {
  const last = Math.min(commit, first + ENTRIES_MAX);
  const outcomes = new Map<string, TracedOutcome>();
  /** effects that may be carried out yet, by the place of their decision */
  const open = new Map<string, TracedEffect>();
  for (let index = first + 1; index <= last; index++) {
    const kind = store.kindAt(index);
    if (kind === ENTRY.OUTCOMES) {
      let position = 0;
      for (const record of readOutcomes(store.body(index))) {
        const at = position;
        position += record.types.length;
        const before = outcomes.get(record.plugin);
        // The first that stands is the one; a plugin that was parked may have gone on later.
        if (record.key !== key || record.seq < seq || (before !== undefined && before.state === "ok")) continue;
        const effects = record.seq === seq ? effectsOf(record, key) : [];
        const { plugin, hash, state, error } = record;
        const isHere = state === "ok" || record.seq === seq;
        const why = { code: error?.code ?? "", text: error?.message ?? "" };
        outcomes.set(plugin, { plugin, hash, state: isHere ? state : "ok", ...isHere ? why : NO_REASON, effects });
        effects.forEach((effect, n) => open.set(`${index} ${at + n}`, effect));
      }
    } else if (kind === ENTRY.DONE) {
      for (const [outcomeIndex, position, answer] of decodeDone(store.body(index))) {
        const effect = open.get(`${outcomeIndex} ${position}`);
        if (effect === undefined) continue;
        effect.state = "done";
        effect.answer = answer ?? null;
      }
    }
  }
  return { key, seq, outcomes: [...outcomes.values()], isWhole: last === commit };
}

const NO_REASON = { code: "", text: "" };
const NOTHING_TO_DO = new Set(["reply", "schedule", "cancel"]);

function effectsOf({ plugin, seq, effects }: ReturnType<typeof readOutcomes>[number], key: string): TracedEffect[] {
  return (effects ?? []).map((effect, n) => {
    const { kind = "patient", facility = "", id = "" } = effect.type === "send" ? effect.key : {} as never;
    const to = effect.type === "send" ? `${kind}/${facility}/${id}` : effect.type === "deliver" ? effect.sink : "";
    const state = NOTHING_TO_DO.has(effect.type) ? "none" : "open";
    return { id: effectId(key, seq, plugin, n), type: effect.type, to, state, answer: null };
  });
}

function foundAt(store: ShardStore, index: number, query: FindQuery): FoundMessage | null {
  const { kind, facility, id, type, text, until } = query;
  if (until !== undefined && store.atMsOf(index) >= until) return null;
  if (id !== undefined && !store.idOf(index).includes(id)) return null;
  const key = store.keyOf(index);
  if (kind !== undefined || facility !== undefined) {
    const parts = parseKey(key);
    if ((kind ?? parts.kind) !== parts.kind || (facility ?? parts.facility) !== parts.facility) return null;
  }
  if (type === undefined && text === undefined) return headOf(store, index);
  const message = store.message(index);
  if (type !== undefined && message.type !== type) return null;
  if (text !== undefined && !DECODER.decode(message.payload).includes(text)) return null;
  return headOf(store, index);
}

const DECODER = new TextDecoder();

function headOf(store: ShardStore, index: number): FoundMessage {
  const { key, seq, id, atMs, type, contentType } = store.message(index);
  return { key, seq, id, at: atMs, type, contentType };
}
