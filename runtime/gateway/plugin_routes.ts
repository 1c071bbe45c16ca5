/**
 * Plugins: what runs here, and putting another version in its place.
 *
 * `PUT /v1/plugins/{name}` takes the bundle's bytes as they are (`Content-Type: application/javascript`), so that
 * `curl --data-binary @bundle.js` will do, with
 *
 *     Waterpark-Plugin-Kind   handler (default), function, source, sink
 *     Waterpark-Actor-Kind    the kind of actor that a handler handles; patient (default), ward, ...
 *     Waterpark-Plugin-Url    where the source came from; for people
 *     Waterpark-Plugin-Stage  live (default), dark, canary
 *     Waterpark-Plugin-Percent, Waterpark-Plugin-Actors   of a canary: of the actors by hash; keys, with commas between
 *     Waterpark-Plugin-Hash   SHA-256 of the bytes, hexadecimal; left out: not checked
 */
import type { Context } from "@hono/hono";
import { CANARY_ACTORS_MAX } from "../topology/mod.ts";
import { gates } from "../world/mod.ts";
import { readBody } from "./body.ts";
import { essenceOf } from "./content.ts";
import { badContentType, badRequest, notFound } from "./errors.ts";
import {
  callerOf,
  canonicalKey,
  type Gateway,
  inTime,
  json,
  numberInQuery,
  pathParts,
  type Route,
  wholeNumber,
} from "./routing.ts";

const SCRIPTS = new Set(["application/javascript", "text/javascript", "application/octet-stream"]);
const KINDS = new Set(["handler", "function", "source", "sink"]);
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** Adds the routes. */
export function addPluginRoutes(route: Route, gateway: Gateway): void {
  const { service } = gateway;

  route("GET", "/v1/plugins", () => json({ plugins: service.plugins() }));
  route("GET", "/v1/plugins/:name", async (c) => {
    const { name } = pluginInPath(c, gateway);
    return json(await inTime(gateway, "not-applied", service.stages.inspect(name)));
  });
  route("PUT", "/v1/plugins/:name", (c) => deploy(c, gateway));

  route("DELETE", "/v1/plugins/:name", async (c) => {
    const { name } = pluginInPath(c, gateway);
    await inTime(gateway, "unknown", service.removePlugin(name));
    return json({ name, removed: true });
  });

  route("POST", "/v1/plugins/:name/rollback", async (c) => {
    const { name } = pluginInPath(c, gateway);
    const reason = c.req.query("reason");
    if (reason !== undefined && reason.length > 500) {
      throw badRequest("Cannot roll the plugin back as the reason must have at most 500 characters");
    }
    const why = reason === undefined ? {} : { reason };
    return json(await inTime(gateway, "unknown", service.stages.rollback(name, { ...why, by: callerOf(c) })));
  });

  route("POST", "/v1/plugins/:name/promote", async (c) => {
    const { name } = pluginInPath(c, gateway);
    const stage = c.req.query("stage") ?? "live";
    if (stage !== "live" && stage !== "canary") {
      throw badRequest("Cannot promote the plugin as its stage must be live or canary");
    }
    const version = numberInQuery(c, "version", { min: 1, max: Number.MAX_SAFE_INTEGER });
    const part = stage === "canary"
      ? { ...partOf(c.req.query("percent"), c.req.query("actors")), ...placeOf(c.req.query("where")) }
      : {};
    const options = { ...version === undefined ? {} : { version }, stage, ...part, by: callerOf(c) } as const;
    const acceptDiff = c.req.query("accept-diff") === "true";
    return json(await inTime(gateway, "unknown", service.stages.promote(name, { ...options, acceptDiff })));
  });

  route("GET", "/v1/plugin-pace", () => json({ everywhereAfterMs: service.stages.everywhereAfterMs() }));

  route("PUT", "/v1/plugin-pace", async (c) => {
    const everywhereAfterMs = numberInQuery(c, "everywhereAfterMs", { min: 0, max: DAYS_MS_MAX });
    if (everywhereAfterMs === undefined) {
      throw badRequest("Cannot set the pace as the query must say it: ?everywhereAfterMs=3600000");
    }
    await inTime(gateway, "unknown", service.stages.setEverywhereAfter(everywhereAfterMs));
    return json({ everywhereAfterMs });
  });

  route("GET", "/v1/plugins/:name/diff", async (c) => {
    const { name } = pluginInPath(c, gateway);
    return json(await inTime(gateway, "not-applied", service.stages.diff(name)));
  });
}

/** For which actors a canary is to decide: `?percent=5`, `?actors=KEY,KEY` with a comma in a key as %2C. */
function partOf(percent: string | undefined, actors: string | undefined): { percent?: number; actors?: string[] } {
  const part: { percent?: number; actors?: string[] } = {};
  if (actors !== undefined) {
    part.actors = actors.split(",").map((key) => canonicalKey(key.replaceAll("%2C", ",").trim()));
    if (part.actors.length > CANARY_ACTORS_MAX) {
      throw badRequest(`Cannot make a canary as it may list ${CANARY_ACTORS_MAX} actors at most`);
    }
  }
  const value = percent === undefined ? undefined : wholeNumber(percent);
  if (percent !== undefined && (value === undefined || value < (actors === undefined ? 1 : 0) || value > 100)) {
    throw badRequest("Cannot make a canary as its percent must be a whole number from 1 to 100");
  }
  return value === undefined ? part : { ...part, percent: value };
}

const DAYS_MS_MAX = 30 * 24 * 3_600_000;
const PLACE = /^[A-Z0-9]{1,16}(-[A-Z0-9]{1,16}(-[0-9]{1,9})?)?$/;
const RINGS_UNITS_MAX = 1_000;

function placeOf(where: string | undefined): { where?: string } {
  if (where === undefined || PLACE.test(where)) return where === undefined ? {} : { where };
  throw badRequest("Cannot make a canary as its place must be a node, a zone or a data center: TN-A-1, TN-A or TN");
}

function ringsOf(rings: string | undefined): { rings?: string } {
  if (rings === undefined) return {};
  try {
    if (rings.length <= RINGS_UNITS_MAX && typeof JSON.parse(rings) === "object") return { rings };
  } catch {
    // said below
  }
  throw badRequest("Cannot deploy the plugin as its rings must be a JSON object of numbers, as {} or stepMs: 600000");
}

async function deploy(c: Context, gateway: Gateway): Promise<Response> {
  const { service, limits } = gateway;
  const [name] = pathParts(c, 3, 1);
  if (!NAME.test(name)) {
    throw badRequest("Cannot deploy the plugin as its name must be 1 to 100 letters, digits, dots and dashes");
  }
  if (!SCRIPTS.has(essenceOf(c.req.header("content-type") ?? null))) {
    throw badContentType("Cannot deploy the plugin as its Content-Type must be application/javascript");
  }
  const kind = c.req.header("waterpark-plugin-kind") ?? "handler";
  if (!KINDS.has(kind)) {
    throw badRequest(`Cannot deploy the plugin as its kind must be one of ${[...KINDS].join(", ")}`);
  }
  const actorKind = c.req.header("waterpark-actor-kind") ?? "patient";
  if (!NAME.test(actorKind)) {
    throw badRequest("Cannot deploy the plugin as its actor kind must be 1 to 100 letters, digits, dots and dashes");
  }
  const url = c.req.header("waterpark-plugin-url") ?? "";
  if (url.length > 2000) throw badRequest("Cannot deploy the plugin as its URL must have at most 2000 characters");
  const reading = readBody(c.req.raw, { what: "bundle", bytesMax: limits.bundleBytesMax });
  const bundle = await inTime(gateway, "not-applied", reading);
  const digest = await gates.webCrypto.subtle.digest("SHA-256", bundle as Uint8Array<ArrayBuffer>);
  const hash = new Uint8Array(digest).toHex();
  const claimed = c.req.header("waterpark-plugin-hash")?.toLowerCase() ?? hash;
  if (claimed !== hash) throw badRequest("Cannot deploy the plugin as its hash must be that of the bytes that came");
  const stage = c.req.header("waterpark-plugin-stage") ?? "live";
  if (stage !== "live" && stage !== "dark" && stage !== "canary") {
    throw badRequest("Cannot deploy the plugin as its stage must be dark, canary or live");
  }
  const part = stage === "canary"
    ? {
      ...partOf(c.req.header("waterpark-plugin-percent"), c.req.header("waterpark-plugin-actors")),
      ...placeOf(c.req.header("waterpark-plugin-where")),
      ...ringsOf(c.req.header("waterpark-plugin-rings")),
    }
    : {};
  const isNew = !service.plugins().some((plugin) => plugin.name === name);
  const view = await inTime(
    gateway,
    "unknown",
    service.deploy({ name, kind, actorKind, url, hash, bundle, stage, ...part, by: callerOf(c) }),
  );
  return json(view, isNew ? 201 : 200);
}

function pluginInPath(c: Context, { service }: Gateway) {
  const [name] = pathParts(c, 3, 1);
  const plugin = service.plugins().find((plugin) => plugin.name === name);
  if (plugin === undefined) throw notFound("Cannot find the plugin as it must be deployed: GET /v1/plugins lists all");
  return plugin;
}
