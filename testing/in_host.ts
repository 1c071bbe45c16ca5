import { formatKey, type FullKey } from "../runtime/base/mod.ts";
import { type FoldAnswer, type FoldRequest, type HandlerDefinition, ProcessHost } from "../runtime/plugin_host/mod.ts";
import { systemWorld } from "../runtime/world/mod.ts";
import { FoldingHost } from "./folding_host.ts";
import { type GivenMessage, logged } from "./given_message.ts";
import { placeIn, type Problem } from "./watched_handler.ts";

/** What {@linkcode inHost} runs. */
export interface InHostOptions {
  /** the handler as it was imported here */
  handler: HandlerDefinition;
  /** the same, bundled */
  bundle: { hash: string; bytes: Uint8Array };
  /** of whom the histories are */
  key: FullKey;
  switches: Readonly<Record<string, boolean>>;
}

const OUTSIDE = "something is kept, or taken, outside the arguments";

/** Calls are few, but a process has to start. */
const ANSWER_MS_MAX = 30_000;

/**
 * Folds histories in a plugin host's process, behind its walls, and compares what comes out with a fold right here. A
 * handler that leans on anything but its arguments (the clock of this process, a file that it has read, a module that is
 * another in the bundle) comes to something else there, or to nothing.
 *
 * @returns the first problem; null: none
 */
export async function inHost(
  histories: readonly (readonly GivenMessage[])[],
  options: InHostOptions,
): Promise<{ problem: Problem; history: readonly GivenMessage[] } | null> {
  const { handler, bundle } = options;
  const host = new ProcessHost({ world: systemWorld() });
  host.start();
  try {
    const loaded = await answered<{ state: string; message?: string }>((done) =>
      host.load(bundle.hash, handler.name, bundle.bytes, done)
    );
    if (loaded.state === "failed") {
      return { problem: { rule: "loads", seq: 0, text: loaded.message ?? "it does not load" }, history: [] };
    }
    for (const [number, history] of histories.entries()) {
      // each of them is another actor's
      const key = { ...options.key, id: `${options.key.id}-${number}` };
      const there = await answered<FoldAnswer>((done) => host.fold(requestOf(history, { ...options, key }), done));
      const problem = differenceOf(there, here(history, { ...options, key }));
      if (problem !== null) return { problem, history };
    }
    return null;
  } finally {
    await host.close();
  }
}

function requestOf(history: readonly GivenMessage[], { handler, bundle, key, switches }: InHostOptions): FoldRequest {
  return {
    plugin: handler.name,
    hash: bundle.hash,
    key: formatKey(key),
    after: 0,
    messages: logged(history).map(({ at, ...message }, i) => ({ ...message, atMs: at, seq: i + 1 })),
    wantProjections: true,
    fresh: false,
    switches: { ...switches },
  };
}

function here(history: readonly GivenMessage[], { handler, key, switches }: InHostOptions): FoldAnswer {
  return new FoldingHost(handler).fold(key, { after: 0, messages: logged(history), switches });
}

function differenceOf(there: FoldAnswer, here: FoldAnswer): Problem | null {
  const at = (seq: number, text: string): Problem => ({ rule: "same in the plugin host", seq, text });
  if (there.state === "fault") {
    return at(there.at, `there it fails: ${there.code}: ${there.message}${placeIn(there.stack)}`);
  }
  if (there.state !== "ok" || here.state !== "ok") return at(0, `there it is ${there.state}, here ${here.state}`);
  for (const [i, { seq, digest, effects }] of there.results.entries()) {
    const other = here.results[i];
    if (digest !== other.digest) return at(seq, `the projections after it are others there: ${OUTSIDE}`);
    if (JSON.stringify(effects) !== JSON.stringify(other.effects)) {
      return at(seq, `its effects are others there: ${OUTSIDE}`);
    }
  }
  return null;
}

function answered<T>(ask: (done: (answer: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("Cannot wait for the plugin host: no answer")), ANSWER_MS_MAX);
    ask((answer) => {
      clearTimeout(timer);
      resolve(answer);
    });
  });
}
