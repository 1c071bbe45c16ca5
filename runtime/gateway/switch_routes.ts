/**
 * Switches: feature flags that handlers see as data, from a place of each actor's history on.
 *
 * `PUT /v1/switches/{name}` takes `{"on": true}`.
 */
import { readBody } from "./body.ts";
import { badRequest, notFound } from "./errors.ts";
import { callerOf, type Gateway, inTime, json, pathParts, type Route } from "./routing.ts";

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const BODY_BYTES_MAX = 1000;

/** Adds the routes. */
export function addSwitchRoutes(route: Route, gateway: Gateway): void {
  const { stages } = gateway.service;

  route("GET", "/v1/switches", () => json({ switches: stages.switches() }));

  route("GET", "/v1/switches/:name", (c) => {
    const [name] = pathParts(c, 3, 1);
    const found = stages.switches().find((one) => one.name === name);
    if (found === undefined) {
      throw notFound("Cannot find the switch as it must have been set: GET /v1/switches lists all");
    }
    return json(found);
  });

  route("PUT", "/v1/switches/:name", async (c) => {
    const [name] = pathParts(c, 3, 1);
    if (!NAME.test(name)) {
      throw badRequest("Cannot set the switch as its name must be 1 to 100 letters, digits, dots and dashes");
    }
    const reading = readBody(c.req.raw, { what: "switch", bytesMax: BODY_BYTES_MAX });
    const on = onIn(await inTime(gateway, "not-applied", reading));
    return json(await inTime(gateway, "unknown", stages.setSwitch(name, on, callerOf(c))));
  });
}

function onIn(body: Uint8Array): boolean {
  let on: unknown;
  try {
    on = JSON.parse(new TextDecoder().decode(body))?.on;
  } catch {
    on = undefined;
  }
  if (typeof on !== "boolean") {
    throw badRequest('Cannot set the switch as the body must be {"on": true} or {"on": false}');
  }
  return on;
}
