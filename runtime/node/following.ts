/**
 * Following a message: what plugins decided about it and what became of that stands in the shard's log, behind it. And
 * finding and counting messages without a key: every node goes through the logs that it writes, newest first, in small
 * slices.
 */
import { parseKey, WaterparkError } from "../base/mod.ts";
import { decodeDone, type Effect, effectId, payloadOf, readOutcomes } from "../effects/mod.ts";
import {
  type ContentJson,
  contentJson,
  type FindQuery,
  type FollowingService,
  type FoundMessage,
  type FoundView,
  type PluginCounts,
  type TracedEffect,
  type TracedOutcome,
  type TraceView,
} from "../gateway/mod.ts";
import { rawOf } from "../plugin_host/mod.ts";
import { ENTRY, type ShardStore } from "../storage/mod.ts";
import { DATA_SHARDS } from "../topology/mod.ts";
import { HL7_CONTENT_TYPE, type Hl7Leaf, hl7Values, parseHl7 } from "../wire/mod.ts";
import { askAll } from "./ask_all.ts";
import type { NodeCore } from "./core.ts";
import { mergeCounts, MessageCounts, readCounts } from "./message_counts.ts";
import { MessageFates, stateOf, statesOf, targetOf } from "./message_fates.ts";

const TRACE = "trace";
const FIND = "find";
const COUNT = "count-messages";
const ANSWER_MS = 5_000;
/** Entries behind a message that are looked through: a second's worth of a busy shard's log, and many days of a quiet one's. */
const ENTRIES_MAX = 100_000;
/** A node looks, or counts, for so long, ms. */
const LOOK_MS = 3_000;
/** Others get their turn after so long, ms; the clock is looked at every so many entries. */
const TURN_MS = 1;
const ENTRIES_A_LOOK = 64;
const LIMIT = 100;
const LIMIT_MAX = 1_000;

interface FoundHere {
  messages: FoundMessage[];
  isWhole: boolean;
}

/** Somebody who goes through logs from their ends. */
interface Visitor {
  /** the next shard's log is begun */
  begin(shard: number, store: ShardStore): void;
  /** an entry, the last first */
  visit(index: number): "on" | "next-shard" | "enough";
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
    core.requests.handle(COUNT, (body, done) => {
      const { name, since } = Object(body) as { name: unknown; since?: unknown };
      void this.#countHere(String(name), Number(since ?? 0)).then((value) => done({ ok: true, value }));
    });
  }

  async trace(key: string, seq: number): Promise<TraceView> {
    const all = await askAll<TraceView>(this.#core, TRACE, { key, seq }, ANSWER_MS);
    const found = all.find(({ said }) => said !== null && typeof said === "object")?.said;
    // What a node of an older version does not tell stands here.
    if (found) {
      return { ...found, message: found.message ?? null, parsed: found.parsed ?? null, waiting: found.waiting ?? [] };
    }
    throw new WaterparkError("Cannot follow the message as its actor must have it", {
      code: "actors/unknown",
      outcome: "not-applied",
    });
  }

  async find(query: FindQuery): Promise<FoundView> {
    const limit = Math.min(LIMIT_MAX, Math.max(1, query.limit ?? LIMIT));
    const all = await askAll<FoundHere>(this.#core, FIND, { ...query, limit }, ANSWER_MS + LOOK_MS);
    // A node of an older version finds whatever the state is.
    const knows = ({ messages }: FoundHere) =>
      query.state === undefined || messages.every(({ states }) => Array.isArray(states));
    const heard = all.filter(({ said }) => said !== null && knows(said)) as { node: string; said: FoundHere }[];
    const messages = heard.flatMap(({ said }) => said.messages).sort((a, b) => b.at - a.at);
    const names = new Set(heard.map(({ node }) => node));
    return {
      messages: messages.slice(0, limit),
      isWhole: messages.length <= limit && heard.every(({ said }) => said.isWhole),
      silent: all.map(({ node }) => node).filter((node) => !names.has(node)).sort(),
    };
  }

  async counts(name: string, since = 0): Promise<PluginCounts> {
    const { plugins } = this.#core.directory.require().state;
    if (!Object.hasOwn(plugins, name)) {
      throw new WaterparkError(`Cannot find "${name}" as no plugin has that name`, {
        code: "topology/no-such-plugin",
        outcome: "not-applied",
      });
    }
    const all = await askAll<unknown>(this.#core, COUNT, { name, since }, ANSWER_MS + LOOK_MS);
    const heard = all.map(({ node, said }) => ({ node, said: readCounts(said) }));
    const silent = heard.filter(({ said }) => said === null).map(({ node }) => node).sort();
    return { name, ...mergeCounts(heard.flatMap(({ said }) => said ?? [])), silent };
  }

  /** null: this node does not write the actor's shard, or there is no such message. */
  #traceHere(key: string, seq: number): TraceView | null {
    const { replication, directory, actors } = this.#core;
    const shard = directory.require().shardOf(key);
    const store = replication.isWriter(shard) ? replication.store(shard) : null;
    if (store === null) return null;
    const commit = replication.commitIndex(shard);
    const [first] = store.history(key, seq - 1, 1, commit);
    if (first === undefined || store.seqOf(first) !== seq) return null;
    const { id, atMs, ...content } = store.message(first);
    const standings = actors.standings(shard, { key, seq, index: first }, this.#handlers()(key));
    const waiting = standings.filter(({ state }) => state === "waiting");
    return {
      key,
      seq,
      message: { id, at: atMs, ...contentJson(content) },
      parsed: parsedOf(content),
      ...traceIn(store, { key, seq, first, commit }),
      waiting: waiting.map(({ plugin }) => plugin),
    };
  }

  async #findHere(query: FindQuery): Promise<FoundHere> {
    const { limit = LIMIT, since = 0, state } = query;
    const messages: FoundMessage[] = [];
    const handlersOf = this.#handlers();
    let place: { shard: number; store: ShardStore; fates: MessageFates | null };
    const isWhole = await this.#backwards({
      begin(shard, store) {
        place = { shard, store, fates: state === undefined ? null : new MessageFates(store, false) };
      },
      visit: (index) => {
        const { shard, store, fates } = place;
        if (store.kindAt(index) !== ENTRY.MESSAGE) {
          fates?.pass(index);
          return fates?.isFull ? "enough" : "on";
        }
        // A shard's times never go back, so what is older stands before it.
        if (store.atMsOf(index) < since) return "next-shard";
        const key = fates === null ? "" : store.keyOf(index);
        const led = fates === null ? [] : fates.of(key, store.seqOf(index));
        const found = foundAt(store, index, query);
        if (found === null) return "on";
        if (fates !== null) {
          const standings = this.#core.actors.standings(shard, { key, seq: found.seq, index }, handlersOf(key));
          found.states = statesOf(led, standings);
          if (state !== "any" && !found.states.includes(state!)) return "on";
        }
        return messages.push(found) >= limit ? "enough" : "on";
      },
    });
    return { messages, isWhole };
  }

  async #countHere(name: string, sinceMs: number): Promise<Omit<PluginCounts, "name" | "silent">> {
    const { actors } = this.#core;
    const counts = new MessageCounts(name);
    const handlersOf = this.#handlers();
    let place: { shard: number; store: ShardStore; fates: MessageFates };
    const isWhole = await this.#backwards({
      begin(shard, store) {
        place = { shard, store, fates: new MessageFates(store, true) };
      },
      visit: (index) => {
        const { shard, store, fates } = place;
        if (store.kindAt(index) !== ENTRY.MESSAGE) {
          fates.pass(index);
          return fates.isFull ? "enough" : "on";
        }
        if (store.atMsOf(index) < sinceMs) return "next-shard";
        const [key, seq] = [store.keyOf(index), store.seqOf(index)];
        const fate = fates.of(key, seq).find(({ plugin }) => plugin === name);
        if (!handlersOf(key).includes(name)) return "on";
        const [standing] = actors.standings(shard, { key, seq, index }, [name]);
        if (standing !== undefined) counts.add(store.idOf(index), standing, fate);
        return "on";
      },
    });
    return { ...counts.told(), isWhole };
  }

  /** Tells of an actor which handlers decide about it, by name; also those that are stopped. */
  #handlers(): (key: string) => readonly string[] {
    const { plugins } = this.#core.directory.require().state;
    const byKind = new Map<string, string[]>();
    return (key) => {
      const { kind } = parseKey(key);
      let names = byKind.get(kind);
      if (names === undefined) {
        names = Object.keys(plugins).sort().filter((name) => {
          const { kind: pluginKind, live, versions } = plugins[name];
          const version = versions.find((one) => one.version === live);
          return pluginKind === "handler" && version !== undefined && ["*", kind].includes(version.actorKind);
        });
        byKind.set(kind, names);
      }
      return names;
    };
  }

  /** Goes through the logs that are written here. @returns false: it took too long, or was enough */
  async #backwards(visitor: Visitor): Promise<boolean> {
    const { replication, world } = this.#core;
    const untilMs = world.nowMonoMs() + LOOK_MS;
    let looked = 0;
    let turnMs = world.nowMonoMs() + TURN_MS;
    for (let shard = 0; shard < DATA_SHARDS; shard++) {
      const store = replication.isWriter(shard) ? replication.store(shard) : null;
      if (store === null) continue;
      visitor.begin(shard, store);
      for (let index = replication.commitIndex(shard); index > 0; index--) {
        const next = visitor.visit(index);
        if (next === "enough") return false;
        if (next === "next-shard") break;
        if (++looked % ENTRIES_A_LOOK > 0 || world.nowMonoMs() < turnMs) continue;
        if (turnMs > untilMs) return false;
        await new Promise<void>((resolve) => void world.after(0, resolve));
        turnMs = world.nowMonoMs() + TURN_MS;
        // The copy may have gone while others had their turn.
        if (replication.store(shard) !== store) break;
      }
    }
    return true;
  }
}

function traceIn(
  store: ShardStore,
  { key, seq, first, commit }: { key: string; seq: number; first: number; commit: number },
): Pick<TraceView, "outcomes" | "isWhole"> {
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
      for (const [outcomeIndex, position, answer, givenUp = ""] of decodeDone(store.body(index))) {
        const effect = open.get(`${outcomeIndex} ${position}`);
        if (effect === undefined) continue;
        effect.state = stateOf(effect.type, givenUp);
        effect.answer = answer ?? null;
        effect.code = givenUp;
      }
    }
  }
  return { outcomes: [...outcomes.values()], isWhole: last === commit };
}

const NO_REASON = { code: "", text: "" };

function effectsOf({ plugin, seq, effects }: ReturnType<typeof readOutcomes>[number], key: string): TracedEffect[] {
  return (effects ?? []).map((effect, n) => ({
    id: effectId(key, seq, plugin, n),
    type: effect.type,
    to: targetOf(effect),
    state: stateOf(effect.type, undefined),
    sent: sentBy(effect),
    answer: null,
    code: "",
  }));
}

function sentBy(effect: Effect): ContentJson | null {
  if (!("message" in effect)) return null;
  try {
    return contentJson({ type: String(effect.message.type), ...payloadOf(effect.message) });
  } catch {
    // what cannot be sent is told where it is tried
    return null;
  }
}

function parsedOf({ contentType, payload }: { contentType: string; payload: Uint8Array }): Hl7Leaf[] | null {
  if (!contentType.startsWith(HL7_CONTENT_TYPE)) return null;
  try {
    return hl7Values(parseHl7(rawOf(contentType, payload)));
  } catch {
    return null;
  }
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
