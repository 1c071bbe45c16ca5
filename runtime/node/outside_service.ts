/**
 * What operators and callers want of functions, sinks and sources. What one node knows of deliveries is what its shards
 * owe, so all are asked; dead letters are actors, found by their kind.
 */
import { parseKey, WaterparkError } from "../base/mod.ts";
import {
  DEAD_LETTER_KIND,
  type DeadLetter,
  deadLetterKey,
  type DeliveryInHand,
  type SinkCounts,
} from "../effects/mod.ts";
import {
  type DeliveryView,
  type EffectsQuery,
  type FunctionAnswer,
  type FunctionRequest,
  type HistoryEvent,
  type NodeService,
  notFound,
  type OutsideService,
  type OutsideView,
  type SinkView,
  type SourceView,
} from "../gateway/mod.ts";
import type { IoAnswer } from "../plugin_host/mod.ts";
import { badPayload } from "../wire/mod.ts";
import { DATA_SHARDS } from "../topology/mod.ts";
import { askAll } from "./ask_all.ts";
import type { NodeCore } from "./core.ts";
import { type OutsidePlugins, pausedSetting } from "./outside_plugins.ts";
import type { SourceRun, SourceRuns } from "./source_runs.ts";

const HERE = "effects-here";
const WORD = "effect-word";
const ANSWER_MS = 3_000;
const LIMIT = 100;
const LIMIT_MAX = 1_000;
/** Events of one dead letter that are read: each word of an operator is one. */
const LETTER_EVENTS_MAX = 100;
/** An operator waits so long for a sink, ms. */
const RETRY_MS = 60_000;

/** What one node knows. */
interface Here {
  inHand: DeliveryInHand[];
  /** canonical keys of dead letters whose shards it writes */
  letters: string[];
  counts: SinkCounts[];
  sources: SourceRun[];
}

/** What {@linkcode OutsideRooms} are given. */
export interface OutsideOptions {
  core: NodeCore;
  plugins: OutsidePlugins;
  sources: SourceRuns;
  service(): NodeService;
  command(name: string, isPaused: boolean): Promise<void>;
}

/** See the file's header. */
export class OutsideRooms implements OutsideService {
  readonly #options: OutsideOptions;
  readonly #core: NodeCore;

  constructor(options: OutsideOptions) {
    this.#options = options;
    this.#core = options.core;
    this.#core.requests.handle(HERE, (body, done) => done({ ok: true, value: this.#here(body as EffectsQuery) }));
    this.#core.requests.handle(WORD, (body, done) => {
      const { id, word } = Object(body) as { id: string; word: "retry" | "discard" };
      done({ ok: true, value: this.#core.effects.release(String(id), word === "retry" ? "retry" : "discard") });
    });
  }

  async effects(query: EffectsQuery = {}): Promise<OutsideView> {
    const limit = Math.min(LIMIT_MAX, Math.max(1, query.limit ?? LIMIT));
    const { plugins } = this.#core.directory.require().state;
    const silent: string[] = [];
    const sinks = new Map<string, SinkView>();
    for (const [name, { kind, live }] of Object.entries(plugins)) {
      if (kind === "sink") sinks.set(name, { ...this.#sinkView(name), version: live ?? 0 });
    }
    const sources: SourceView[] = [];
    const inHand: DeliveryInHand[] = [];
    const letters: string[] = [];
    for (const { node, said } of await askAll<Here>(this.#core, HERE, { ...query, limit }, ANSWER_MS)) {
      const here = readHere(said);
      if (here === null) {
        silent.push(node);
        continue;
      }
      inHand.push(...here.inHand);
      letters.push(...here.letters);
      sources.push(...here.sources.map((run) => ({ ...run, node })));
      for (const { sink, ...counts } of here.counts) {
        const sum = sinks.get(sink) ?? this.#sinkView(sink);
        sinks.set(sink, sum);
        for (const name of ["done", "retried", "dead", "inHand", "held"] as const) sum[name] += counts[name];
      }
    }
    const deliveries = query.dead === true
      ? await this.#letters(letters.slice(0, limit), query.settled === true)
      : inHand.slice(0, limit).map((one) => ({
        ...one,
        state: one.state === "lost" ? "dead" : one.state,
        letter: null,
      }));
    return {
      deliveries: deliveries as DeliveryView[],
      sinks: [...sinks.values()].sort((a, b) => a.name < b.name ? -1 : 1),
      sources: sources.filter(({ state }) => state !== "elsewhere"),
      silent: silent.sort(),
    };
  }

  async retry(id: string, { body, by = "unknown" }: { body?: Uint8Array; by?: string } = {}): Promise<DeliveryView> {
    const held = body === undefined ? await this.#word(id, "retry") : null;
    if (held !== null) return held;
    const { view, letter } = await this.#letterOf(id);
    if (view.state === "discarded") throw gone(id, "it was discarded");
    const bytes = body ?? (letter.bytes === null ? null : Uint8Array.fromBase64(letter.bytes));
    if (bytes === null) throw gone(id, "its message was too long to be kept: say what is to be sent instead");
    await this.#note(view.letter!, "retry", { by, ...body === undefined ? {} : { bytes: body.toBase64() } });
    const { sink, effect, key, seq, type, contentType, options } = letter;
    const attempt = view.attempts + 1;
    const delivery = { id: effect, key: parseKey(key), seq, attempt, type, contentType, bytes, options };
    const { plugins } = this.#options;
    const end = await this.#inTime((done: (end: Parameters<Parameters<OutsidePlugins["deliver"]>[2]>[0]) => void) =>
      plugins.deliver(sink, delivery, done)
    );
    await this.#note(view.letter!, end.state === "done" ? "sent" : "failed", { by, ...end });
    if (end.state === "done") return { ...view, state: "sent", attempts: attempt };
    throw new WaterparkError(
      `Cannot deliver it now either as ${end.text || "the sink does not take it"} (${end.code})`,
      {
        code: "effects/not-delivered",
        outcome: "applied",
      },
    );
  }

  async discard(id: string, { by = "unknown" }: { by?: string } = {}): Promise<DeliveryView> {
    const held = await this.#word(id, "discard");
    if (held !== null) return { ...held, state: "discarded" };
    const { view } = await this.#letterOf(id);
    if (view.state !== "discarded") await this.#note(view.letter!, "discard", { by });
    return { ...view, state: "discarded" };
  }

  async pause(name: string, isPaused: boolean): Promise<void> {
    const plugin = this.#core.directory.require().state.plugins[name];
    if (plugin === undefined || plugin.kind === "function") {
      throw notFound("Cannot stop the plugin as it must be a handler, a sink or a source: GET /v1/plugins lists all");
    }
    await this.#options.command(pausedSetting(name), isPaused);
  }

  async check(name: string): Promise<string> {
    const plugin = this.#options.plugins.of(name);
    if (plugin?.about.plugin !== "sink") {
      throw notFound("Cannot try the plugin as it must be a sink: GET /v1/plugins lists all");
    }
    const answer = await plugin.host.check();
    if (answer.state === "ok") return String(answer.value ?? "");
    throw new WaterparkError(`Cannot reach the target of "${name}": ${answer.text} (${answer.code})`, {
      code: "plugin_host/check-failed",
      outcome: "not-applied",
    });
  }

  async call(name: string, { body, ...request }: FunctionRequest): Promise<FunctionAnswer> {
    const plugin = this.#options.plugins.of(name);
    if (plugin?.about.plugin !== "function") {
      throw notFound("Cannot call the function as it must be deployed: GET /v1/plugins lists all");
    }
    const answer = await plugin.host.fetch(request, body);
    if (answer.state === "failed") throw functionFailed(answer);
    const { status, headers } = Object(answer.value) as { status: number; headers: [string, string][] };
    return { status, headers, body: answer.blobs[0] ?? new Uint8Array(0) };
  }

  #here({ sink, dead, limit = LIMIT }: EffectsQuery): Here {
    const { effects } = this.#core;
    const query = typeof sink === "string" ? { sink, limit } : { limit };
    return {
      inHand: dead === true ? [] : effects.deliveries(query),
      letters: dead === true ? this.#lettersHere(sink, limit) : [],
      counts: effects.sinkCounts(),
      sources: this.#options.sources.list(),
    };
  }

  #lettersHere(sink: string | undefined, limit: number): string[] {
    const { replication } = this.#core;
    const found: string[] = [];
    const prefix = sink === undefined ? `${DEAD_LETTER_KIND}/` : `${DEAD_LETTER_KIND}/${sink}/`;
    for (let shard = 0; shard < DATA_SHARDS; shard++) {
      const store = replication.isWriter(shard) ? replication.store(shard) : null;
      for (let row = 0; store !== null && row < store.rowCount; row++) {
        if (store.isRetired(row)) continue;
        const key = store.rowKey(row);
        if (key.startsWith(prefix) && found.push(key) >= limit) return found;
      }
    }
    return found;
  }

  async #letters(keys: string[], withSettled: boolean): Promise<DeliveryView[]> {
    const views = await Promise.all(keys.map(async (key) => {
      try {
        return (await this.#letter(key)).view;
      } catch {
        return null; // retired meanwhile, or its node has just gone
      }
    }));
    return views.filter((view) => view !== null).filter(({ state }) => withSettled || state === "dead");
  }

  /** The dead letter of an effect; any of its id, as the sink is not in it. */
  async #letterOf(id: string): Promise<{ view: DeliveryView; letter: DeadLetter }> {
    const { plugins } = this.#core.directory.require().state;
    const names = Object.keys(plugins).filter((name) => plugins[name].kind === "sink");
    for (const sink of names) {
      try {
        return await this.#letter(deadLetterKey(sink, id));
      } catch (error) {
        if (!(error instanceof WaterparkError) || !error.code.startsWith("actors/")) throw error;
      }
    }
    throw gone(id, "nothing of that id is in hand, or a dead letter");
  }

  async #letter(key: string): Promise<{ view: DeliveryView; letter: DeadLetter }> {
    const { events } = await this.#options.service().history(parseKey(key), { limit: LETTER_EVENTS_MAX });
    const died = events.findLast((event) => event.type === "dead");
    if (died === undefined) {
      throw new WaterparkError("Cannot read the dead letter as it must have one", {
        code: "actors/unknown",
        outcome: "not-applied",
      });
    }
    const letter = JSON.parse(new TextDecoder().decode(died.payload)) as DeadLetter;
    const since = events.slice(events.indexOf(died) + 1);
    const { effect: id, key: source, seq, plugin, sink, type, code, text } = letter;
    const attempts = letter.attempts + since.filter((event) => event.type === "retry").length;
    const state = stateAfter(since);
    return { view: { id, key: source, seq, plugin, sink, type, state, attempts, code, text, letter: key }, letter };
  }

  async #note(letter: string, type: string, body: unknown): Promise<void> {
    const payload = new TextEncoder().encode(JSON.stringify(body));
    const post = { key: parseKey(letter), type, contentType: "application/json", payload };
    const answer = await this.#options.service().post(post);
    if (answer.state === "recorded") return;
    throw new WaterparkError(answer.message, { code: answer.code, outcome: answer.outcome });
  }

  /** Tells whoever has it in hand; null: nobody has. */
  async #word(id: string, word: "retry" | "discard"): Promise<DeliveryView | null> {
    const { deliveries } = await this.effects({ limit: LIMIT_MAX });
    const found = deliveries.find((one) => one.id === id);
    const said = await askAll<boolean>(this.#core, WORD, { id, word }, ANSWER_MS);
    if (!said.some((answer) => answer.said === true)) return null;
    if (found !== undefined) return { ...found, state: "waiting" };
    return {
      id,
      key: "",
      seq: 0,
      plugin: "",
      sink: "",
      type: "",
      state: "waiting",
      attempts: 0,
      code: "",
      text: "",
      letter: null,
    };
  }

  #sinkView(name: string): SinkView {
    const isPaused = this.#options.plugins.isPaused(name);
    return { name, version: 0, isPaused, done: 0, retried: 0, dead: 0, inHand: 0, held: 0 };
  }

  #inTime<T>(act: (done: (value: T) => void) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = this.#core.world.after(RETRY_MS, () =>
        reject(
          new WaterparkError(`Cannot tell what came of it after ${RETRY_MS} ms`, {
            code: "effects/not-delivered",
            outcome: "unknown",
          }),
        ));
      act((value) => {
        timer.cancel();
        resolve(value);
      });
    });
  }
}

function stateAfter(events: readonly HistoryEvent[]): DeliveryView["state"] {
  const last = events.findLast(({ type }) => type === "sent" || type === "discard");
  return last === undefined ? "dead" : last.type === "sent" ? "sent" : "discarded";
}

function readHere(value: unknown): Here | null {
  try {
    const { inHand, letters, counts, sources } = Object(value) as Here;
    for (const list of [inHand, letters, counts, sources]) if (!Array.isArray(list)) throw badPayload("no list");
    return { inHand, letters: letters.map(String), counts, sources };
  } catch {
    return null;
  }
}

function gone(id: string, state: string): WaterparkError {
  return new WaterparkError(`Cannot find the delivery "${id.slice(0, 100)}": ${state}`, {
    code: "effects/no-such-delivery",
    outcome: "not-applied",
  });
}

function functionFailed({ code, text }: IoAnswer & { state: "failed" }): WaterparkError {
  const known = code.startsWith("plugin_host/") ? code : "plugin_host/threw";
  return new WaterparkError(`Cannot answer as the function must: ${text}`, { code: known, outcome: "unknown" });
}
