/**
 * Watching an actor across nodes: a stream that ends, breaks or falls silent is taken up at the next node, after the
 * last event that was seen.
 */
import { WaterparkError } from "../runtime/base/mod.ts";
import type { EventJson, Problem } from "../runtime/gateway/mod.ts";
import { type ActorEvent, decodeEvent } from "./content.ts";
import { type Dialer, pause } from "./dialer.ts";
import { problemIn } from "./failures.ts";
import { eventsIn } from "./event_stream.ts";

/** Two and a half heartbeats of the gateway's: a node that was cut off does not say so. */
const SILENCE_MS_MAX = 25_000;
const PAUSE_MS = 200;

/** The events at `path`, without end. */
export async function* watchActor(
  dialer: Dialer,
  path: string,
  { after = 0, signal }: { after?: number; signal?: AbortSignal },
): AsyncGenerator<ActorEvent> {
  let seen = after;
  let aliveMs = Date.now();
  let unreached = 0;
  while (true) {
    const ending = new AbortController();
    const end = () => ending.abort(signal?.reason);
    signal?.addEventListener("abort", end, { once: true });
    let silence: ReturnType<typeof setTimeout> | undefined;
    const rearm = (ms: number) => {
      clearTimeout(silence);
      silence = setTimeout(() => ending.abort(), ms);
    };
    let failure: WaterparkError | null = null;
    try {
      signal?.throwIfAborted();
      rearm(dialer.deadlineMs);
      const headers = { accept: "text/event-stream", "last-event-id": String(seen) };
      const response = await dialer.open({ path, headers, signal }, ending.signal);
      if (!response.ok) throw await problemIn(response);
      rearm(SILENCE_MS_MAX);
      for await (const { event, data } of eventsIn(response.body!, ending.signal)) {
        aliveMs = Date.now();
        rearm(SILENCE_MS_MAX);
        if (event === "problem") throw errorOf(JSON.parse(data));
        if (event !== "message") continue;
        const actorEvent = decodeEvent(JSON.parse(data) as EventJson);
        if (actorEvent.seq <= seen) continue;
        seen = actorEvent.seq;
        yield actorEvent;
        aliveMs = Date.now();
      }
    } catch (error) {
      if (signal?.aborted) return;
      failure = error instanceof WaterparkError ? error : null;
    } finally {
      clearTimeout(silence);
      signal?.removeEventListener("abort", end);
      ending.abort();
    }
    unreached = failure?.code === "client/unreachable" ? unreached + 1 : 0;
    const isNobody = dialer.failsWhenNobody && unreached >= dialer.urls.length;
    const isForGood = isNobody ||
      failure !== null && /^(base|gateway)\/(bad|unauthorized|not-found)/.test(failure.code);
    if (isForGood || Date.now() - aliveMs > dialer.deadlineMs) {
      throw failure ?? new WaterparkError("Cannot watch the actor as a node must keep the stream open: all ended it", {
        code: "client/unreachable",
        outcome: "not-applied",
      });
    }
    dialer.turn();
    try {
      await pause(PAUSE_MS, signal);
    } catch {
      return;
    }
  }
}

function errorOf({ detail, code, outcome }: Problem): WaterparkError {
  return new WaterparkError(detail, { code, outcome });
}
