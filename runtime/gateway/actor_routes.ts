/**
 * Looking at actors: what they are now, were, and went through.
 */
import type { Context } from "@hono/hono";
import { eventJson } from "./content.ts";
import { badRequest } from "./errors.ts";
import type { GatewayLimits } from "./limits.ts";
import { type Gateway, inTime, json, keyInPath, numberInQuery, type Route, wholeNumber } from "./routing.ts";
import type { HistoryEvent } from "./service.ts";

const SEQ = { min: 0, max: Number.MAX_SAFE_INTEGER };
const READS = ["fresh", "writer", "nearest"] as const;
const ACTORS_MAX = 1000;

/** Adds the routes. */
export function addActorRoutes(route: Route, gateway: Gateway): void {
  const { service, limits } = gateway;

  route("GET", "/v1/actors", async (c) => {
    const after = c.req.query("after");
    const limit = numberInQuery(c, "limit", { min: 1, max: ACTORS_MAX });
    return json(await inTime(gateway, "not-applied", service.actors({ after, limit })));
  });

  route("GET", "/v1/actors/:kind/:facility/:id", async (c) => {
    const version = versionInQuery(c);
    const options = {
      at: numberInQuery(c, "at", SEQ),
      after: numberInQuery(c, "after", SEQ),
      read: readInQuery(c),
      ...version === undefined ? {} : { version },
    };
    const view = await inTime(gateway, "not-applied", service.read(keyInPath(c, 3), options));
    // what is read at a past seq must not serve as If-Match
    return json(view, 200, options.at === undefined ? { etag: `"${view.seq}"` } : {});
  });

  route("GET", "/v1/actors/:kind/:facility/:id/history", async (c) => {
    const after = numberInQuery(c, "after", SEQ);
    const limit = numberInQuery(c, "limit", { min: 1, max: limits.historyEventsMax });
    const options = { after, limit, read: readInQuery(c) };
    const page = await inTime(gateway, "not-applied", service.history(keyInPath(c, 3), options));
    const events = withinBytes(page.events, limits);
    const next = events.length < page.events.length ? events[events.length - 1].seq : page.next;
    return json({ events: events.map(eventJson), next });
  });
}

/** `?version=census@3` */
function versionInQuery(c: Context): { plugin: string; version: number } | undefined {
  const text = c.req.query("version");
  if (text === undefined) return undefined;
  const at = text.lastIndexOf("@");
  const version = wholeNumber(text.slice(at + 1));
  if (at < 1 || version === undefined || version < 1) {
    throw badRequest("Cannot read the query's version as it must be a plugin and a number, as census@3");
  }
  return { plugin: text.slice(0, at), version };
}

function readInQuery(c: Context): (typeof READS)[number] | undefined {
  const text = c.req.query("read");
  const read = READS.find((read) => read === text);
  if (text !== undefined && read === undefined) {
    throw badRequest(`Cannot read the query's read as it must be one of ${READS.join(", ")}`);
  }
  return read;
}

function withinBytes(events: HistoryEvent[], { historyBytesMax }: GatewayLimits): HistoryEvent[] {
  let bytes = 0;
  const end = events.findIndex((event, i) => (bytes += event.payload.length) > historyBytesMax && i > 0);
  return end < 0 ? events : events.slice(0, end);
}
