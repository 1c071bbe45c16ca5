import { unpack } from "../wire/mod.ts";
import { badEntry } from "./bad_entry.ts";
import type { Effect } from "./effect.ts";
import { MsgpackCursor } from "./msgpack_cursor.ts";
import type { OutcomeError, OutcomeItem } from "./outcome_entry.ts";

const NO_TYPES: readonly string[] = [];
/** "type" as MessagePack has it. */
const TYPE_KEY = [0xa4, 0x74, 0x79, 0x70, 0x65];
/** Types as one string each, however often they come. */
const KNOWN_TYPES = new Map(
  ["send", "emit", "reply", "alert", "schedule", "cancel", "retire", "deliver"].map((type) => [type, type]),
);

/**
 * An item of an OUTCOMES entry as every copy applies it: marks and kinds of effects at hand, the effects themselves read
 * from the entry's bytes when somebody asks. A follower never does: 0.6 us an item in place of 2.5.
 */
export class OutcomeRecord implements OutcomeItem {
  readonly key: string;
  readonly plugin: string;
  readonly hash: string;
  readonly seq: number;
  readonly state: "ok" | "parked";
  readonly error: OutcomeError | null;
  /** of each effect its type, `""` where it has none */
  readonly types: readonly string[];
  readonly #cursor: MsgpackCursor;
  readonly #effectsAt: number;
  readonly #digestAt: number;

  /** Reads the item at the cursor; `before` is the one before it in the entry, whose texts it may share. */
  constructor(cursor: MsgpackCursor, before: OutcomeRecord | null) {
    this.#cursor = cursor;
    const fields = cursor.array();
    this.key = cursor.text();
    this.plugin = sameText(cursor, before?.plugin);
    this.hash = sameText(cursor, before?.hash);
    this.seq = cursor.whole();
    this.state = stateOf(cursor.whole());
    this.#effectsAt = cursor.at;
    this.types = cursor.nil() ? NO_TYPES : typesOf(cursor);
    this.#digestAt = cursor.at;
    const digestLength = cursor.textLength();
    if (digestLength < 0) throw badEntry("an outcome without digest");
    cursor.at += digestLength;
    this.error = fields < 8 || cursor.nil() ? null : errorOf(cursor);
    for (let field = 8; field < fields; field++) cursor.skip();
  }

  /** true: it has a list of effects, which may be empty */
  get hasEffects(): boolean {
    return this.#cursor.bytes[this.#effectsAt] !== 0xc0;
  }

  /** The effects; none where they cannot be read, which is told when they are to be carried out. */
  get effects(): Effect[] | null {
    try {
      return this.readEffects();
    } catch {
      return [];
    }
  }

  /**
   * Reads the effects.
   *
   * @throws {WaterparkError} `wire/bad-payload`
   */
  readEffects(): Effect[] | null {
    if (!this.hasEffects) return null;
    return unpack(this.#cursor.bytes.subarray(this.#effectsAt, this.#digestAt)) as Effect[];
  }

  /** as in {@linkcode OutcomeItem} */
  get digest(): string {
    const cursor = new MsgpackCursor(this.#cursor.bytes);
    cursor.at = this.#digestAt;
    return cursor.text();
  }
}

function stateOf(state: number): "ok" | "parked" {
  if (state > 1) throw badEntry("an outcome that is neither ok nor parked");
  return state === 0 ? "ok" : "parked";
}

/** The text that stands here: plugin and version are mostly those of the item before. */
function sameText(cursor: MsgpackCursor, before: string | undefined): string {
  const length = cursor.textLength();
  if (length < 0) throw badEntry("an outcome of nobody");
  const from = cursor.at;
  cursor.at += length;
  if (before !== undefined && before.length === length) {
    let i = 0;
    while (i < length && cursor.bytes[from + i] === before.charCodeAt(i)) i++;
    if (i === length) return before;
  }
  return cursor.textAt(from, cursor.at);
}

function typesOf(cursor: MsgpackCursor): string[] {
  const types: string[] = [];
  for (let left = cursor.array(); left > 0; left--) types.push(typeOf(cursor));
  return types;
}

function typeOf(cursor: MsgpackCursor): string {
  let type = "";
  const pairs = cursor.map();
  if (pairs < 0) cursor.skip();
  for (let left = pairs; left > 0; left--) {
    const isType = TYPE_KEY.every((byte, i) => cursor.bytes[cursor.at + i] === byte);
    cursor.skip();
    const length = isType ? cursor.textLength() : -1;
    if (length < 0) cursor.skip();
    else {
      const text = cursor.textAt(cursor.at, cursor.at += length);
      type = KNOWN_TYPES.get(text) ?? text;
    }
  }
  return type;
}

function errorOf(cursor: MsgpackCursor): OutcomeError | null {
  const from = cursor.at;
  cursor.skip();
  const error = unpack(cursor.bytes.subarray(from, cursor.at));
  if (!Array.isArray(error)) return null;
  const [code, message, stack] = error;
  const told = { code: String(code), message: String(message) };
  return stack === undefined ? told : { ...told, stack: String(stack) };
}
