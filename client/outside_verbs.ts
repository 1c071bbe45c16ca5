/**
 * What a client says about what touches the outside: deliveries, dead letters, sinks, sources.
 */
import { type ActorKey, fullKey } from "../runtime/base/mod.ts";
import type {
  DeliveryView,
  EffectsQuery,
  FindQuery,
  FoundView,
  OutsideView,
  PluginCounts,
  RetentionView,
  TraceView,
} from "../runtime/gateway/mod.ts";
import type { Dialer } from "./dialer.ts";
import { query } from "./query.ts";

/** The verbs of a client that are about deliveries, sinks and sources. */
export class OutsideVerbs {
  readonly #dialer: Dialer;

  /** Speaks through `dialer`, which asks the nodes. */
  constructor(dialer: Dialer) {
    this.#dialer = dialer;
  }

  /** What is under way to the outside, or was given up, with how sinks and sources fare. */
  effects({ sink, dead, settled, limit }: EffectsQuery = {}): Promise<OutsideView> {
    const asked = {
      ...sink === undefined ? {} : { sink },
      ...dead === undefined ? {} : { dead: String(dead) },
      ...settled === undefined ? {} : { settled: String(settled) },
      ...limit === undefined ? {} : { limit },
    };
    return this.#dialer.ask({ path: `/v1/effects${query(asked)}` });
  }

  /** Has a delivery that is held, or a dead letter, tried now; with `body`, that in place of what was to be sent. */
  retryEffect(id: string, body?: Uint8Array): Promise<DeliveryView> {
    return this.#dialer.ask({
      method: "POST",
      path: `/v1/effects/retry${query({ id })}`,
      ...body === undefined ? {} : { body },
    });
  }

  /** Has it never be sent. */
  discardEffect(id: string): Promise<DeliveryView> {
    return this.#dialer.ask({ method: "POST", path: `/v1/effects/discard${query({ id })}` });
  }

  /** Has a sink try its target, from the node that is asked. */
  checkPlugin(name: string): Promise<{ name: string; node: string; said: string }> {
    return this.#dialer.ask({ method: "POST", path: `/v1/plugins/${encodeURIComponent(name)}/check` });
  }

  /** What became of a message: what plugins decided, what went out, what targets said. */
  trace(key: ActorKey, seq: number): Promise<TraceView> {
    const { kind, facility, id } = fullKey(key);
    const path = [kind, facility, id].map(encodeURIComponent).join("/");
    return this.#dialer.ask({ path: `/v1/actors/${path}/trace${query({ seq })}` });
  }

  /** Messages wherever they are, newest first; every node looks through what it writes, for some seconds. */
  find(wanted: FindQuery): Promise<FoundView> {
    return this.#dialer.ask({ path: `/v1/find${query({ ...wanted })}` });
  }

  /**
   * Counts what became of a handler's or a channel's messages, by the logs of all nodes, for some seconds at most.
   *
   * @param sinceMs wall time: only those that were taken in then or later
   */
  pluginCounts(name: string, sinceMs?: number): Promise<PluginCounts> {
    const since = sinceMs === undefined ? {} : { since: sinceMs };
    return this.#dialer.ask({ path: `/v1/plugins/${encodeURIComponent(name)}/counts${query(since)}` });
  }

  /** For how long actors are kept after their last message, by kind; what is not named is kept for ever. */
  async retention(): Promise<RetentionView[]> {
    return (await this.#dialer.ask<{ kinds: RetentionView[] }>({ path: "/v1/retention" })).kinds;
  }

  /** Sets that, in days from 30 on; null: for ever, undefined: what is usual. */
  setRetention(kind: string, days: number | null | undefined): Promise<RetentionView> {
    return this.#dialer.ask({
      method: "PUT",
      path: `/v1/retention/${encodeURIComponent(kind)}`,
      body: new TextEncoder().encode(JSON.stringify({ days })),
    });
  }

  /** Stops a sink or a source, or sets it going again. */
  pausePlugin(name: string, isPaused: boolean): Promise<{ name: string; isPaused: boolean }> {
    const verb = isPaused ? "pause" : "resume";
    return this.#dialer.ask({ method: "POST", path: `/v1/plugins/${encodeURIComponent(name)}/${verb}` });
  }
}
