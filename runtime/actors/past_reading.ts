import type { ActorsConfig, LivePlugin } from "./actors_options.ts";
import type { FoldAnswer, FoldMessage, FoldRequest } from "./fold.ts";
import type { ActorFoldJob, FoldPumps } from "./fold_pumps.ts";
import { sliceOf } from "./fold_slice.ts";
import type { RestingVersions } from "./resting_versions.ts";
import type { ShardStore } from "../storage/mod.ts";
import type { Reader } from "./handling.ts";

/** What a {@linkcode PastReading} reads. */
export interface PastReadingOptions {
  pump: FoldPumps;
  resting: RestingVersions;
  config: ActorsConfig;
  store: ShardStore;
  key: string;
  plugin: LivePlugin;
  /** last seq of the actor's former lives */
  birth: number;
  /** last log index that is applied */
  upTo: number;
  /** the seq after which the projections are wanted; committed */
  at: number;
  /** what an actor's messages behind `after` see, and up to where, at most `to`, all of them see the same */
  switchesAt(after: number, to: number): { switches: Record<string, boolean>; to: number };
  done: Reader["done"];
}

/** Deaths of the host, alone or not, after which a reading in the past gives up: nothing but an answer hangs on it. */
const DEATHS_MAX = 3;

/**
 * Time travel: folds an actor's history from the birth of its present life up to a seq, in a session that is thrown away. One call, so that no
 * state stays behind in the host when the asker loses interest.
 */
export class PastReading implements ActorFoldJob {
  queued = false;
  suspect = false;
  readonly isMidway = false;
  readonly key: string;
  readonly #options: PastReadingOptions;
  #at: number;
  #deaths = 0;
  #isOver = false;

  constructor(options: PastReadingOptions) {
    this.#options = options;
    this.key = options.key;
    this.#at = options.at;
    this.wake();
  }

  /** Queues it. */
  wake(): void {
    this.#options.pump.enqueue(this, true);
  }

  /** Nobody wants the answer any more. */
  abandon(): void {
    this.#isOver = true;
  }

  begin(): FoldRequest | null {
    if (this.#isOver) return null;
    const { key, plugin, resting } = this.#options;
    if (resting.sleepIfResting(plugin.hash, this)) return null;
    const messages = this.#messages();
    if (messages === null) {
      this.#end({ code: "actors/history-too-long" });
      return null;
    }
    return {
      plugin: plugin.name,
      hash: plugin.hash,
      key,
      birth: this.#options.birth,
      after: this.#options.birth,
      messages,
      wantProjections: true,
      resultsAfter: Infinity,
      fresh: true,
      ...this.#switches(),
    };
  }

  /** As they were at each message: what was kept then followed from them. */
  #switches(): Pick<FoldRequest, "switches" | "changes"> {
    const { birth, switchesAt } = this.#options;
    const first = switchesAt(birth, this.#at);
    const changes: { after: number; switches: Record<string, boolean> }[] = [];
    for (let after = first.to; after < this.#at && after > birth;) {
      const { switches, to } = switchesAt(after, this.#at);
      changes.push({ after, switches });
      if (to <= after) break; // what is not there any more sees nothing
      after = to;
    }
    return changes.length === 0 ? { switches: first.switches } : { switches: first.switches, changes };
  }

  ended(request: FoldRequest, answer: FoldAnswer): void {
    const { pump, resting } = this.#options;
    if (this.#isOver) return;
    if (answer.state === "ok") return this.#end({ projections: answer.projections, at: answer.at });
    if (answer.state === "fault" && answer.at - 1 < this.#at) this.#at = answer.at - 1;
    else if (answer.state === "down" && answer.code === "plugin_host/not-loaded") {
      return resting.rest(request.hash, this);
    } else if (answer.state === "down" && answer.code === "plugin_host/busy") pump.pause(this.key);
    else if (answer.state === "down" && ++this.#deaths < DEATHS_MAX) {
      this.suspect = true;
      pump.pause(this.key);
    } else return this.#end({ code: "actors/cannot-fold" });
    this.wake();
  }

  #messages(): FoldMessage[] | null {
    const { store, key, birth, upTo, config: { pastMessagesMax, pastBytesMax: bytesMax } } = this.#options;
    const count = this.#at - birth;
    if (count > pastMessagesMax) return null;
    const messages = sliceOf(store, { key, after: birth, to: this.#at, bytesMax, upTo });
    return messages.length < count ? null : messages;
  }

  #end(answer: { projections: unknown; at: number } | { code: string }): void {
    this.#isOver = true;
    this.#options.done(answer);
  }
}
