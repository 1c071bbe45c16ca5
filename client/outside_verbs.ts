/**
 * What a client says about what touches the outside: deliveries, dead letters, sinks, sources.
 */
import type { DeliveryView, EffectsQuery, OutsideView } from "../runtime/gateway/mod.ts";
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

  /** Stops a sink or a source, or sets it going again. */
  pausePlugin(name: string, isPaused: boolean): Promise<{ name: string; isPaused: boolean }> {
    const verb = isPaused ? "pause" : "resume";
    return this.#dialer.ask({ method: "POST", path: `/v1/plugins/${encodeURIComponent(name)}/${verb}` });
  }
}
