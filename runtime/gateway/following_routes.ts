/**
 * Following and finding messages.
 *
 *     GET /v1/actors/{kind}/{facility}/{id}/trace?seq=N
 *     GET /v1/find?text=&id=&type=&kind=&facility=&state=&since=MS&until=MS&limit=N
 *     GET /v1/plugins/{name}/counts?since=MS
 */
import { badRequest } from "./errors.ts";
import { type FindQuery, MESSAGE_STATES } from "./following.ts";
import { formatKey } from "../base/mod.ts";
import { type Gateway, inTime, json, keyInPath, numberInQuery, pathParts, type Route } from "./routing.ts";

const TEXTS = ["text", "id", "type", "kind", "facility"] as const;
const TEXT_UNITS_MAX = 500;
const TIME = { min: 0, max: 8.64e15 };

/** Adds the routes. */
export function addFollowingRoutes(route: Route, gateway: Gateway): void {
  const { following } = gateway.service;

  route("GET", "/v1/actors/:kind/:facility/:id/trace", async (c) => {
    const seq = numberInQuery(c, "seq", { min: 1, max: Number.MAX_SAFE_INTEGER });
    if (seq === undefined) throw badRequest("Cannot follow the message as the query must say which: ?seq=N");
    return json(await inTime(gateway, "not-applied", following.trace(formatKey(keyInPath(c, 3)), seq)));
  });

  route("GET", "/v1/find", async (c) => {
    const query: FindQuery = {};
    for (const name of TEXTS) {
      const text = c.req.query(name);
      if (text === undefined) continue;
      if (text === "" || text.length > TEXT_UNITS_MAX) {
        throw badRequest(`Cannot look for the ${name} as it must have 1 to ${TEXT_UNITS_MAX} characters`);
      }
      query[name] = text;
    }
    for (const name of ["since", "until"] as const) {
      const time = numberInQuery(c, name, TIME);
      if (time !== undefined) query[name] = time;
    }
    const state = c.req.query("state");
    if (state !== undefined) query.state = stateOf(state);
    const limit = numberInQuery(c, "limit", { min: 1, max: 1_000 });
    if (limit !== undefined) query.limit = limit;
    return json(await inTime(gateway, "not-applied", following.find(query)));
  });

  route("GET", "/v1/plugins/:name/counts", async (c) => {
    const [name] = pathParts(c, 3, 1);
    return json(await inTime(gateway, "not-applied", following.counts(name, numberInQuery(c, "since", TIME))));
  });
}

function stateOf(text: string): NonNullable<FindQuery["state"]> {
  const states = [...MESSAGE_STATES, "any"] as const;
  const state = states.find((one) => one === text);
  if (state !== undefined) return state;
  throw badRequest(`Cannot look for the state as it must be one of ${states.join(", ")}`);
}
