/**
 * `GET /v1/wire`: messages over one WebSocket, by the batch. `runtime/wire/client_protocol.ts` tells what is said.
 *
 * The upgrade is a request like any other: the same token, and an answer with a code where it is refused. A browser sends
 * no preflight for it, so a page of another origin is turned away here.
 */
import type { Context } from "@hono/hono";
import { gates } from "../world/mod.ts";
import { WIRE_PROTOCOL } from "../wire/mod.ts";
import { badRequest, closing } from "./errors.ts";
import type { Gateway, Route } from "./routing.ts";
import { WireSession } from "./wire_session.ts";

/** The system pings a silent client, and closes when nothing comes back. */
const IDLE_TIMEOUT_S = 30;
/** Between two looks at whether this node still takes messages. */
const LOOK_MS = 250;

/** Adds the route. */
export function addWireRoutes(route: Route, gateway: Gateway): void {
  const sessions = new Set<WireSession>();
  route("GET", "/v1/wire", (c) => upgrade(c, gateway, sessions));
}

function upgrade(c: Context, gateway: Gateway, sessions: Set<WireSession>): Response {
  const request = c.req.raw;
  refuseOtherOrigins(request);
  const offered = (request.headers.get("sec-websocket-protocol") ?? "").split(",").map((name) => name.trim());
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket" || !offered.includes(WIRE_PROTOCOL)) {
    throw badRequest(`Cannot open the wire as the request must be a WebSocket upgrade that offers ${WIRE_PROTOCOL}`);
  }
  // Others are better: who is turned away here asks them.
  if (!gateway.service.readiness().ready) throw closing();
  const stream = gateway.streams.open({ isSocket: true });
  try {
    const options = { protocol: WIRE_PROTOCOL, idleTimeout: IDLE_TIMEOUT_S };
    const { socket, response } = gates.http.upgradeWebSocket(request, options);
    socket.binaryType = "arraybuffer";
    const session = new WireSession({ gateway, socket, stream });
    // An exception in one of these would end the process: none of them throws.
    socket.onopen = () => {
      session.start();
      sessions.add(session);
      if (sessions.size === 1) watchDeparture(gateway, sessions);
    };
    socket.onmessage = ({ data }) => session.receive(data);
    socket.onclose = () => {
      session.closed();
      sessions.delete(session);
    };
    return response;
  } catch (error) {
    stream.end();
    if (error instanceof TypeError) {
      throw badRequest("Cannot open the wire as its WebSocket handshake must be complete");
    }
    throw error;
  }
}

/** While there is somebody to be told. */
function watchDeparture(gateway: Gateway, sessions: Set<WireSession>): void {
  gateway.world.after(LOOK_MS, () => {
    if (sessions.size === 0) return;
    if (!gateway.service.readiness().ready) { for (const session of sessions) session.leave(); }
    watchDeparture(gateway, sessions);
  });
}

/** @throws {WaterparkError} `gateway/bad-request` when a page of another origin asks */
function refuseOtherOrigins(request: Request): void {
  const origin = request.headers.get("origin");
  if (origin === null) return;
  const host = URL.canParse(origin) ? new URL(origin).host : "";
  if (host !== (request.headers.get("host") ?? new URL(request.url).host)) {
    throw badRequest("Cannot open the wire as a page must be of the node's own origin");
  }
}
