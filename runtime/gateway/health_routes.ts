/**
 * For load balancers and monitors: alive, ready, measured. Open without a token but for the metrics.
 */
import { type Gateway, inTime, json, type Route } from "./routing.ts";

/** Paths that answer without a token: they tell no more than that there is a node. */
export const OPEN_PATHS: ReadonlySet<string> = new Set(["/healthz", "/readyz"]);

/** Adds the routes. */
export function addHealthRoutes(route: Route, gateway: Gateway): void {
  const { service } = gateway;
  route("GET", "/healthz", () => json({ status: "ok", node: service.name }));
  route("GET", "/readyz", () => {
    const { ready, reason } = service.readiness();
    return json({ ready, reason }, ready ? 200 : 503, ready ? {} : { "retry-after": "1" });
  });
  route("GET", "/metrics", async () => {
    const text = await inTime(gateway, "not-applied", service.metrics());
    return new Response(text, { headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" } });
  });
}
