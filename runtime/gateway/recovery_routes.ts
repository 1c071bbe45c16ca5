/**
 * What operators do when copies are gone for good: look at a shard's copies, recover it, look through what came back too
 * late.
 */
import type { Context } from "@hono/hono";
import { readBody } from "./body.ts";
import { badRequest } from "./errors.ts";
import type { LostCopyName } from "./recovery.ts";
import { type Gateway, inTime, json, numberInQuery, pathParts, type Route } from "./routing.ts";

/** Orders are small. */
const ORDER_BYTES_MAX = 64 * 1024;
const PAGE_MAX = 500;

/** Adds the routes. */
export function addRecoveryRoutes(route: Route, gateway: Gateway): void {
  const { recovery } = gateway.service;

  route("GET", "/v1/shards", async () => {
    return json({ standing: await inTime(gateway, "not-applied", recovery.standing()) });
  });

  route("GET", "/v1/shards/:set/:number", async (c) => {
    return json(await inTime(gateway, "not-applied", recovery.shard(shardInPath(c))));
  });

  route("POST", "/v1/shards/:set/:number/recover", async (c) => {
    const order = await orderIn(c);
    if (order.acceptDataLoss !== true) {
      throw badRequest('Cannot recover the shard as its body must say so: {"acceptDataLoss": true}');
    }
    const survivor = optionalText(order, "survivor");
    const options = { survivor, force: order.force === true };
    return json(await inTime(gateway, "unknown", recovery.recover(shardInPath(c), options)));
  });

  route("POST", "/v1/recover-from-journals", async (c) => {
    const order = await orderIn(c);
    if (order.acceptDataLoss !== true) {
      throw badRequest('Cannot recover from journals as the body must say so: {"acceptDataLoss": true}');
    }
    return json({ shards: await inTime(gateway, "unknown", recovery.recoverFromJournals()) });
  });

  route("PUT", "/v1/topology/ack", async (c) => {
    const { copies, dataCenters, force } = await orderIn(c);
    if (typeof copies !== "number" || typeof dataCenters !== "number") {
      throw badRequest('Cannot set the rule as it must be {"copies": N, "dataCenters": N}');
    }
    await inTime(gateway, "unknown", recovery.setAck({ copies, dataCenters, force: force === true }));
    return json({ copies, dataCenters });
  });

  route("GET", "/v1/lost", async () => json({ copies: await inTime(gateway, "not-applied", recovery.lost()) }));

  route("GET", "/v1/lost/:node/:set/:number/:generation", async (c) => {
    const after = numberInQuery(c, "after", { min: 0, max: 0xffffffff }) ?? 0;
    const limit = numberInQuery(c, "limit", { min: 1, max: PAGE_MAX }) ?? 100;
    return json(await inTime(gateway, "not-applied", recovery.lostMessages(copyInPath(c), { after, limit })));
  });

  route("POST", "/v1/lost/:node/:set/:number/:generation/resend", async (c) => {
    const { ids } = await orderIn(c);
    if (
      ids !== undefined && !(Array.isArray(ids) && ids.length <= PAGE_MAX && ids.every((id) => typeof id === "string"))
    ) {
      throw badRequest(`Cannot send again as ids must be at most ${PAGE_MAX} texts, or left out for all`);
    }
    // As long as it takes: it goes on in pages, and to break it off and begin anew does no harm.
    return json(await recovery.resend(copyInPath(c), ids as string[] | undefined ?? null));
  });

  route("DELETE", "/v1/lost/:node/:set/:number/:generation", async (c) => {
    const copy = copyInPath(c);
    await inTime(gateway, "unknown", recovery.discard(copy));
    return json({ ...copy, discarded: true });
  });
}

function shardInPath(c: Context): string {
  return pathParts(c, 3, 2).join("/");
}

function copyInPath(c: Context): LostCopyName {
  const [node, set, number, generation] = pathParts(c, 3, 4);
  if (!/^[0-9]{1,9}$/.test(generation)) throw badRequest("Cannot find the copy as its generation must be a number");
  return { node, shard: `${set}/${number}`, generation: Number(generation) };
}

async function orderIn(c: Context): Promise<Record<string, unknown>> {
  const bytes = await readBody(c.req.raw, { what: "order", bytesMax: ORDER_BYTES_MAX });
  if (bytes.length === 0) return {};
  try {
    const value = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  } catch {
    // told below
  }
  throw badRequest("Cannot read the order as its body must be a JSON object");
}

function optionalText(order: Record<string, unknown>, field: string): string | undefined {
  const value = order[field];
  if (value === undefined || typeof value === "string") return value;
  throw badRequest(`Cannot read the order as its ${field} must be a text`);
}
