/**
 * The gateway's HTTP side: a function from Request to Response over a {@linkcode NodeService}.
 *
 * A reception desk: it reads what strangers hand in, strictly, passes it to the node, and puts the node's answer into
 * the outside's words. It decides nothing and keeps nothing but the streams that are open.
 *
 * The only importer of Hono. Source: INTERFACE of the package's README; RFC 9110, 9457, 6750; the HTML standard for
 * server-sent events.
 */
import { type Context, Hono } from "@hono/hono";
import type { World } from "../world/mod.ts";
import { Admission } from "./admission.ts";
import { addActorRoutes } from "./actor_routes.ts";
import { addAuditRoutes } from "./audit_routes.ts";
import { notFound, unauthorized } from "./errors.ts";
import { addFollowingRoutes } from "./following_routes.ts";
import { addHealthRoutes, OPEN_PATHS } from "./health_routes.ts";
import { GATEWAY_LIMITS, type GatewayLimits } from "./limits.ts";
import { addMessageRoutes } from "./message_routes.ts";
import { OpenStreams } from "./open_streams.ts";
import { addOutsideRoutes } from "./outside_routes.ts";
import { addPlannedRoutes } from "./planned_routes.ts";
import { addPluginRoutes } from "./plugin_routes.ts";
import { addSwitchRoutes } from "./switch_routes.ts";
import { failureOf, problemResponse } from "./problem.ts";
import type { Gateway, Route } from "./routing.ts";
import type { NodeService } from "./service.ts";
import { addRecoveryRoutes } from "./recovery_routes.ts";
import { addRetentionRoutes } from "./retention_routes.ts";
import { addStreamRoutes } from "./stream_routes.ts";
import { addTopologyRoutes } from "./topology_routes.ts";
import { addWatchRoutes } from "./watch_routes.ts";
import { addWireRoutes } from "./wire_routes.ts";

/** How the gateway is set up. */
export interface GatewayOptions {
  /** time and chance */
  world: World;
  /** bearer tokens that may ask, `NAME:TOKEN` or bare; none: everybody may */
  tokens?: readonly string[];
  /** what it lets in at most; {@linkcode GATEWAY_LIMITS} where left out */
  limits?: Partial<GatewayLimits>;
  /** who is let in with a single message; shared with other listeners, or its own where left out */
  admission?: Admission;
  /** told of everything that failed without a code: a bug of ours */
  onBug?: (error: unknown) => void;
}

/** The app: a Hono, and the streams that it has open. */
export class GatewayApp extends Hono {
  /** watches and NDJSON streams; end them before the server goes down */
  readonly streams: OpenStreams;
  /** the limits in force */
  readonly limits: GatewayLimits;
  /** time and chance */
  readonly world: World;

  /** Made by {@linkcode createApp}. */
  constructor({ world, limits }: { world: World; limits: GatewayLimits }) {
    super();
    this.world = world;
    this.limits = limits;
    this.streams = new OpenStreams(limits.openStreamsMax);
  }
}

/**
 * Builds the app over a node. No port is opened: `app.request("/healthz")` answers in place.
 *
 * @param service the node, as its gateway sees it
 * @param options time, tokens, limits
 */
export function createApp(service: NodeService, options: GatewayOptions): GatewayApp {
  const limits = { ...GATEWAY_LIMITS, ...options.limits };
  const admission = options.admission ?? new Admission(options.world);
  const app = new GatewayApp({ world: options.world, limits });
  const { world, onBug } = options;
  const gateway: Gateway = { service, world, limits, streams: app.streams, admission, onBug };

  app.onError((error) => {
    const failure = failureOf(error);
    if (failure.code === "gateway/bug") options.onBug?.(error);
    return problemResponse(failure, failure.code === "gateway/unauthorized" ? { "www-authenticate": "Bearer" } : {});
  });
  app.notFound(() => {
    throw notFound("Cannot find this address as it must be one of the documented ones");
  });
  if (options.tokens !== undefined && options.tokens.length > 0) app.use(tokenGuard(options.tokens));

  const methodsOf = new Map<string, string[]>();
  const route: Route = (method, path, handler) => {
    app.on(method, path, handler);
    methodsOf.set(path, [...methodsOf.get(path) ?? [], ...(method === "GET" ? ["GET", "HEAD"] : [method])]);
  };
  addHealthRoutes(route, gateway);
  addMessageRoutes(route, gateway);
  addStreamRoutes(route, gateway);
  addWireRoutes(route, gateway);
  addActorRoutes(route, gateway);
  addWatchRoutes(route, gateway);
  addTopologyRoutes(route, gateway);
  addPlannedRoutes(route, gateway);
  addRecoveryRoutes(route, gateway);
  addPluginRoutes(route, gateway);
  addSwitchRoutes(route, gateway);
  addRetentionRoutes(route, gateway);
  addOutsideRoutes(route, gateway);
  addFollowingRoutes(route, gateway);
  addAuditRoutes(route, gateway);
  // After all routes: what comes here has a known path and no handler.
  for (const [path, methods] of methodsOf) app.all(path, () => methodNotAllowed(methods));
  return app;
}

function methodNotAllowed(methods: string[]): Response {
  const allow = methods.join(", ");
  return problemResponse({
    code: "gateway/method-not-allowed",
    outcome: "not-applied",
    message: `Cannot answer the request as its method must be one of ${allow}`,
  }, { allow });
}

function tokenGuard(tokens: readonly string[]): (c: Context, next: () => Promise<void>) => Promise<void> {
  const known = tokens.map((token) => {
    // A bearer token has no colon in it: RFC 6750, 2.1.
    const colon = token.indexOf(":");
    return { name: colon < 1 ? undefined : token.slice(0, colon), secret: token.slice(colon + 1) };
  });
  return async (c, next) => {
    const given = /^Bearer +(\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
    // all of them are looked at, so that the time says nothing of which it was
    const found = known.filter(({ secret }) => given !== undefined && isSame(secret, given));
    if (!OPEN_PATHS.has(c.req.path) && found.length === 0) throw unauthorized();
    c.set("caller", found[0]?.name);
    await next();
  };
}

/** Takes the same time wherever the texts differ, so that a token cannot be found letter by letter. */
function isSame(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i % Math.max(1, b.length));
  return difference === 0;
}
