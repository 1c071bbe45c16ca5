/**
 * Planned work: drain a node, ask whether all copies are there, ask what would be if.
 */
import type { Context } from "@hono/hono";
import type { WhatIfChange } from "../topology/mod.ts";
import { badRequest } from "./errors.ts";
import { type Gateway, inTime, json, type Route } from "./routing.ts";
import { nodeInPath } from "./topology_routes.ts";

/** Changes of one plan at most. */
const CHANGES_MAX = 100;
const TYPES = ["lose", "remove", "add"] as const;

/** Adds the routes. */
export function addPlannedRoutes(route: Route, gateway: Gateway): void {
  const { service } = gateway;

  route("POST", "/v1/nodes/:name/drain", async (c) => {
    const { name } = nodeInPath(c, service);
    const fast = c.req.query("fast") === "true";
    return json(await inTime(gateway, "unknown", service.planned.drain(name, { fast })), 202);
  });

  route("GET", "/v1/whole", async () => json(await inTime(gateway, "not-applied", service.planned.whole())));

  route(
    "GET",
    "/v1/topology/plan",
    async (c) => json(await inTime(gateway, "not-applied", service.planned.plan(changesIn(c)))),
  );
}

/** `?lose=TN&add=TN-A-5`: in the order of the query, as the second may depend on the first. */
function changesIn(c: Context): WhatIfChange[] {
  const changes: WhatIfChange[] = [];
  for (const [name, what] of new URL(c.req.url).searchParams) {
    const type = TYPES.find((one) => one === name);
    if (type === undefined) throw badRequest(`Cannot plan as each change must be one of ${TYPES.join(", ")}`);
    changes.push({ type, what: what.slice(0, 100) });
  }
  if (changes.length === 0 || changes.length > CHANGES_MAX) {
    throw badRequest(`Cannot plan as there must be 1 to ${CHANGES_MAX} changes: ?lose=TN or ?add=TN-A-5`);
  }
  return changes;
}
