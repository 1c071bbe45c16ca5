/**
 * Where things are, which nodes there are, and what an operator does to them.
 */
import type { Context } from "@hono/hono";
import { notFound } from "./errors.ts";
import { type Gateway, inTime, json, keyInPath, pathParts, type Route } from "./routing.ts";
import type { NodeService, NodeView } from "./service.ts";

/** Adds the routes. */
export function addTopologyRoutes(route: Route, gateway: Gateway): void {
  const { service } = gateway;

  route("GET", "/v1/topology", () => json(service.topology()));
  route("GET", "/v1/topology/actors/:kind/:facility/:id", (c) => json(service.place(keyInPath(c, 4))));
  route("GET", "/v1/nodes", () => json({ nodes: service.topology().nodes }));

  route("GET", "/v1/nodes/:name", (c) => json(nodeInPath(c, service)));

  route("POST", "/v1/nodes/:name/absent", async (c) => {
    const { name } = nodeInPath(c, service);
    await inTime(gateway, "unknown", service.declareAbsent(name));
    return json({ name, absent: true });
  });

  route("DELETE", "/v1/nodes/:name", async (c) => {
    const { name } = nodeInPath(c, service);
    await inTime(gateway, "unknown", service.removeNode(name, { force: c.req.query("force") === "true" }));
    return json({ name, removed: true });
  });
}

/** The node of a path `/v1/nodes/NAME...`; throws 404. */
export function nodeInPath(c: Context, service: NodeService): NodeView {
  const [name] = pathParts(c, 3, 1);
  const node = service.topology().nodes.find((node) => node.name === name);
  if (node === undefined) throw notFound("Cannot find the node as the topology must name it: GET /v1/nodes lists all");
  return node;
}
