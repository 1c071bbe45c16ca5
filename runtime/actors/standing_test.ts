/**
 * What a committed log says, read by the rules in the words of the design and with no code of the room: the oracle of the
 * room's tests. It objects to what must not stand in a log.
 */
import assert from "node:assert/strict";
import { decodeDone, decodeOutcomes, type Effect, effectId } from "../effects/mod.ts";
import { ENTRY, type ShardStore } from "../storage/mod.ts";

const DECODER = new TextDecoder();

/** A committed entry, as it was when it was committed: stores free what has ended. */
export interface Line {
  kind: number;
  /** of a message, or the end of a life */
  key: string;
  id: string;
  atMs: number;
  text: string;
  body: Uint8Array;
}

/** The entry at `index` as it is now. */
export function lineOf(store: ShardStore, index: number): Line {
  const line: Line = { kind: store.kindAt(index), key: "", id: "", atMs: 0, text: "", body: store.body(index).slice() };
  if (line.kind === ENTRY.RETIRE) return { ...line, key: store.keyOf(index), atMs: store.atMsOf(index) };
  if (line.kind !== ENTRY.MESSAGE) return line;
  const { key, id, atMs, payload } = store.message(index);
  return { ...line, key, id, atMs, text: DECODER.decode(payload) };
}

/** What a log says, read by the rules in the words of the design and with no code of the room. */
export interface Standing {
  /** by `key plugin`: seq up to which it is handled */
  marks: Map<string, number>;
  /** by `key plugin`: seq at which it stands still */
  parked: Map<string, number>;
  /** id -> effect, of outcomes that stand */
  effects: Map<string, Effect>;
  /** by plugin: log index of its start */
  starts: Map<string, number>;
  /** by key: its messages in all its lives */
  messages: Map<string, { index: number; text: string }[]>;
  /** by key: seqs at which lives ended */
  ends: Map<string, number[]>;
  /** by `key plugin name`: when it is due */
  timers: Map<string, { id: string; dueMs: number }>;
  /** ids of timers that have fired, in the log's order */
  fired: string[];
}

/** Reads a committed log, and objects to what must not stand in it. */
export function standingOf(book: readonly Line[]): Standing {
  const standing: Standing = {
    marks: new Map(),
    parked: new Map(),
    effects: new Map(),
    starts: new Map(),
    messages: new Map(),
    ends: new Map(),
    timers: new Map(),
    fired: [],
  };
  const { marks, parked, effects, starts, messages, ends, timers, fired } = standing;
  const owed = new Map<string, string[]>();
  const ids = new Set<string>();
  let lastAtMs = 0;
  book.forEach((line, i) => {
    const index = i + 1;
    const { key, id } = line;
    if (line.kind === ENTRY.MESSAGE) {
      assert(line.atMs >= lastAtMs, "time never goes back");
      lastAtMs = line.atMs;
      assert(!ids.has(`${key} ${id}`), "a message stands once");
      ids.add(`${key} ${id}`);
      messages.set(key, [...messages.get(key) ?? [], { index, text: line.text }]);
      if (!line.text.startsWith('"fired')) return;
      const open = [...timers].find(([place, timer]) => place.startsWith(`${key} `) && timer.id === id);
      assert(open !== undefined, "only what is scheduled and not cancelled fires, and once");
      assert(line.atMs >= open[1].dueMs, "nothing fires early");
      timers.delete(open[0]);
      fired.push(id);
      return;
    }
    if (line.kind === ENTRY.RETIRE) {
      const seq = messages.get(key)!.length;
      const wished = [...effects].some(([id, { type }]) => type === "retire" && id.startsWith(`${key}#${seq}#`));
      assert(wished, "a life ends only where a handler has wished it");
      assert.deepEqual(owed.get(key) ?? [], [], "an actor that owes effects does not retire");
      ends.set(key, [...ends.get(key) ?? [], seq]);
      for (const place of timers.keys()) if (place.startsWith(`${key} `)) timers.delete(place);
      for (const place of parked.keys()) if (place.startsWith(`${key} `)) parked.delete(place);
      return;
    }
    if (line.kind === ENTRY.DONE) {
      for (const [outcomeIndex, position] of decodeDone(line.body)) {
        let n = position;
        for (const item of decodeOutcomes(book[outcomeIndex - 1].body)) {
          const debts = owed.get(item.key) ?? [];
          if (n >= 0 && n < (item.effects?.length ?? 0)) {
            const done = effectId(item.key, item.seq, item.plugin, n);
            owed.set(item.key, debts.filter((debt) => debt !== done));
          }
          n -= item.effects?.length ?? 0;
        }
      }
      return;
    }
    if (line.kind !== ENTRY.OUTCOMES) return;
    for (const item of decodeOutcomes(line.body)) {
      if (item.key === "") {
        if (!starts.has(item.plugin)) starts.set(item.plugin, item.seq);
        continue;
      }
      const place = `${item.key} ${item.plugin}`;
      const start = starts.get(item.plugin);
      assert(start !== undefined, "no outcome before its plugin's start");
      const history = messages.get(item.key) ?? [];
      const before = history.filter((message) => message.index <= start).length;
      const mark = Math.max(before, ends.get(item.key)?.at(-1) ?? 0, marks.get(place) ?? 0);
      if (item.seq <= mark) continue;
      assert(item.seq <= history.length, "no outcome before its message");
      if (item.state === "parked") {
        assert.equal(item.seq, mark + 1, "it stands still at the first unhandled message");
        if (!parked.has(place)) parked.set(place, item.seq);
        continue;
      }
      assert(item.effects === null || item.seq === mark + 1, "an outcome with effects speaks for one message");
      item.effects?.forEach((effect, n) => {
        const id = effectId(item.key, item.seq, item.plugin, n);
        effects.set(id, effect);
        if (effect.type === "send") owed.set(item.key, [...owed.get(item.key) ?? [], id]);
        if (effect.type === "cancel") timers.delete(`${place} ${effect.name}`);
        if (effect.type === "schedule") timers.set(`${place} ${effect.name}`, { id, dueMs: effect.at! });
      });
      marks.set(place, item.seq);
      parked.delete(place);
    }
  });
  return standing;
}
