/**
 * Functions, and what operators do about sinks and sources.
 *
 *     *      /v1/functions/{name}/...      what the function answers
 *     GET    /v1/effects?dead=true&settled=true&sink=NAME&limit=N
 *     POST   /v1/effects/retry?id=ID       the body, where there is one, is sent in place of what was to be sent
 *     POST   /v1/effects/discard?id=ID
 *     POST   /v1/plugins/{name}/check      a sink tries its target
 *     POST   /v1/plugins/{name}/pause      and /resume: a sink or a source
 */
import { readBody } from "./body.ts";
import { badRequest } from "./errors.ts";
import { callerOf, type Gateway, inTime, json, numberInQuery, pathParts, type Route } from "./routing.ts";

const METHODS = ["GET", "POST", "PUT", "DELETE"] as const;
const EFFECT_ID_UNITS_MAX = 600;
/** Headers that belong to a connection, and not to what is asked: RFC 9110, 7.6.1. */
const HOP_HEADERS = new Set(["connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "host"]);
const OURS = new Set([...HOP_HEADERS, "authorization", "content-length"]);

/** Adds the routes. */
export function addOutsideRoutes(route: Route, gateway: Gateway): void {
  const { service, limits } = gateway;

  for (const method of METHODS) {
    for (const path of ["/v1/functions/:name", "/v1/functions/:name/*"]) {
      route(method, path, async (c) => {
        const [name] = pathParts(c, 3, 1);
        const reading = readBody(c.req.raw, { what: "request", bytesMax: limits.bodyBytesMax });
        const body = method === "GET" ? new Uint8Array(0) : await inTime(gateway, "not-applied", reading);
        const url = new URL(c.req.url);
        url.pathname = url.pathname.split("/").slice(4).join("/");
        // Who may ask has been looked at: what proves it is none of the function's business.
        const headers = [...c.req.raw.headers].filter(([header]) => !OURS.has(header));
        // A function has a deadline of its own.
        const answer = await service.outside.call(name, { method, url: url.href, headers, body });
        const kept = answer.headers.filter(([header]) => !HOP_HEADERS.has(header) && header !== "content-length");
        const isEmpty = answer.status === 204 || answer.status === 205 || answer.status === 304;
        return new Response(isEmpty ? null : answer.body as Uint8Array<ArrayBuffer>, {
          status: answer.status,
          headers: kept,
        });
      });
    }
  }

  route("GET", "/v1/effects", async (c) => {
    const sink = c.req.query("sink");
    const limit = numberInQuery(c, "limit", { min: 1, max: 1_000 });
    const query = {
      ...sink === undefined ? {} : { sink },
      ...limit === undefined ? {} : { limit },
      dead: c.req.query("dead") === "true",
      settled: c.req.query("settled") === "true",
    };
    return json(await inTime(gateway, "not-applied", service.outside.effects(query)));
  });

  route("POST", "/v1/effects/retry", async (c) => {
    const id = idIn(c.req.query("id"));
    const reading = readBody(c.req.raw, { what: "message", bytesMax: limits.bodyBytesMax });
    const body = await inTime(gateway, "not-applied", reading);
    return json(await service.outside.retry(id, { by: callerOf(c), ...body.length === 0 ? {} : { body } }));
  });

  route("POST", "/v1/effects/discard", async (c) => {
    return json(
      await inTime(gateway, "unknown", service.outside.discard(idIn(c.req.query("id")), { by: callerOf(c) })),
    );
  });

  route("POST", "/v1/plugins/:name/check", async (c) => {
    const [name] = pathParts(c, 3, 1);
    return json({ name, node: service.name, said: await service.outside.check(name) });
  });

  for (const verb of ["pause", "resume"] as const) {
    route("POST", `/v1/plugins/:name/${verb}`, async (c) => {
      const [name] = pathParts(c, 3, 1);
      await inTime(gateway, "unknown", service.outside.pause(name, verb === "pause"));
      return json({ name, isPaused: verb === "pause" });
    });
  }
}

function idIn(id: string | undefined): string {
  if (id !== undefined && id !== "" && id.length <= EFFECT_ID_UNITS_MAX) return id;
  throw badRequest("Cannot find the delivery as the query must have its id: ?id=ID, as GET /v1/effects lists it");
}
