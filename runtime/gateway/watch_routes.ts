/**
 * `GET /v1/actors/{kind}/{facility}/{id}/watch`: the history, and then what comes, as server-sent events.
 *
 * Each event's id is its seq, so a client that lost its connection says with Last-Event-ID where to go on, at this node
 * or any other, and misses nothing. Without it, `?after=SEQ`, or from birth. A silent stream says now and then that it
 * lives. When the node cannot read on, it says why (`event: problem`) and ends: a browser comes back by itself.
 */
import type { Context } from "@hono/hono";
import type { FullKey } from "../base/mod.ts";
import { eventJson } from "./content.ts";
import { badRequest } from "./errors.ts";
import type { OpenStream } from "./open_streams.ts";
import { failureOf, problemOf } from "./problem.ts";
import { type Gateway, inTime, keyInPath, numberInQuery, type Route, wholeNumber } from "./routing.ts";
import type { HistoryEvent } from "./service.ts";

/** Events asked for at a time: a watcher far behind must not make the node hold a whole history. */
const PAGE_EVENTS = 100;
const RECONNECT_MS = 500;
const ENCODER = new TextEncoder();

/** Adds the route. */
export function addWatchRoutes(route: Route, gateway: Gateway): void {
  route("GET", "/v1/actors/:kind/:facility/:id/watch", (c) => watch(c, gateway));
}

async function watch(c: Context, gateway: Gateway): Promise<Response> {
  const key = keyInPath(c, 3);
  const after = startOf(c);
  // Asked before the answer begins, so that a node without a writer for it still can say so with a status.
  const first = await inTime(gateway, "not-applied", gateway.service.history(key, { after, limit: PAGE_EVENTS }));
  const stream = gateway.streams.open();
  return new Response(eventsOf(key, { gateway, stream, first: first.events, after }), {
    headers: { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" },
  });
}

function startOf(c: Context): number {
  const last = c.req.header("last-event-id");
  if (last === undefined || last === "") return numberInQuery(c, "after", { min: 0, max: 2 ** 53 - 1 }) ?? 0;
  const seq = wholeNumber(last);
  if (seq === undefined) throw badRequest("Cannot read Last-Event-ID as it must be a seq");
  return seq;
}

function eventsOf(
  key: FullKey,
  { gateway, stream, first, after }: { gateway: Gateway; stream: OpenStream; first: HistoryEvent[]; after: number },
): ReadableStream<Uint8Array> {
  const { service, limits } = gateway;
  const closing = stream.closing.then(() => null);
  let events = first;
  let isFirst = true;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      let text = "";
      try {
        if (isFirst) text = `retry: ${RECONNECT_MS}\n\n`;
        else {
          const page = service.history(key, { after, limit: PAGE_EVENTS, waitMs: limits.heartbeatMs });
          const answer = await Promise.race([page, closing]);
          if (answer === null) {
            page.catch(() => {});
            stream.end();
            return controller.close();
          }
          events = answer.events;
        }
        for (const event of events) {
          text += `id: ${event.seq}\ndata: ${JSON.stringify(eventJson(event))}\n\n`;
          after = event.seq;
        }
        controller.enqueue(ENCODER.encode(text === "" ? ": alive\n\n" : text));
        isFirst = false;
      } catch (error) {
        stream.end();
        const problem = JSON.stringify(problemOf(failureOf(error)));
        controller.enqueue(ENCODER.encode(`event: problem\ndata: ${problem}\n\n`));
        controller.close();
      }
    },
    cancel: () => stream.end(),
  });
}
