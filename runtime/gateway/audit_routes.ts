/**
 * `POST /v1/audit`: receipts as NDJSON in, verdicts as NDJSON out, in order, streaming. `GET /v1/audit`: the copies of a
 * page of shards compared with each other. Neither changes anything.
 *
 * A receipt is taken as the API gives it; of its fields `shard`, `index`, `seq` and `digest` must be there, so that keys
 * and ids can be struck out of a file before an auditor gets it. Verdicts name no patient.
 */
import type { Context } from "@hono/hono";
import { formatKey, parseKey } from "../base/mod.ts";
import type { AuditReceipt } from "./audit_views.ts";
import { type Line, LineReader, refuseEncoded } from "./body.ts";
import { essenceOf, parseJson } from "./content.ts";
import { badContentType, badReceipt, badRequest, pastDeadline, tooLarge } from "./errors.ts";
import { answerLines, type Place } from "./line_stream.ts";
import type { GatewayLimits } from "./limits.ts";
import { failureOf, problemOf } from "./problem.ts";
import { type Gateway, inTime, json, numberInQuery, type Route } from "./routing.ts";
import { NDJSON } from "./stream_routes.ts";

/** As long as the longest name that a log takes. */
const NAME_UNITS_MAX = 1024;
/** Receipts of one stream at a time: what comes of them comes in one turn, some ten milliseconds of it. */
const IN_FLIGHT_MAX = 128;
const PAGE_SHARDS_MAX = 128;
const U32_MAX = 0xffffffff;

/** Adds the routes. */
export function addAuditRoutes(route: Route, gateway: Gateway): void {
  const { service } = gateway;
  route("POST", "/v1/audit", (c) => auditReceipts(c, gateway));
  route("GET", "/v1/audit", async (c) => {
    const page = service.auditCopies({
      after: c.req.query("after"),
      limit: numberInQuery(c, "limit", { min: 1, max: PAGE_SHARDS_MAX }),
      deep: switchInQuery(c, "deep"),
      withKeys: switchInQuery(c, "keys"),
    });
    return json(await inTime(gateway, "not-applied", page));
  });
}

function auditReceipts(c: Context, { service, world, limits, streams }: Gateway): Response {
  if (!NDJSON.has(essenceOf(c.req.header("content-type") ?? null))) {
    throw badContentType("Cannot read the receipts as their Content-Type must be application/x-ndjson");
  }
  refuseEncoded(c.req.raw);
  const stream = streams.open();
  const lines = new LineReader(c.req.raw.body ?? new Blob([]).stream(), { lineBytesMax: limits.bodyBytesMax });
  const problemLine = (line: number, error: unknown) => {
    const { code, outcome, message, retryAfterMs } = failureOf(error);
    return JSON.stringify({ line, ...problemOf({ code, outcome, message, retryAfterMs }) });
  };
  const work = (line: Line, place: Place) => {
    const { number } = place;
    Promise.try(() => service.audit(receiptOf(line, limits))).then(
      (verdict) => place.finish(JSON.stringify({ line: number, ...verdict })),
      (error) => place.finish(problemLine(number, error)),
    );
  };
  const verdicts = answerLines(lines, work, {
    world,
    inFlightMax: Math.min(IN_FLIGHT_MAX, limits.streamInFlightMax),
    inFlightBytesMax: limits.streamInFlightBytesMax,
    deadlineMs: limits.requestDeadlineMs,
    late: (number) => problemLine(number, pastDeadline(limits.requestDeadlineMs, "not-applied")),
    stream,
  });
  return new Response(verdicts, { headers: { "content-type": "application/x-ndjson", "cache-control": "no-store" } });
}

function receiptOf(line: Line, { bodyBytesMax, jsonDepthMax }: GatewayLimits): AuditReceipt {
  if (line.state === "too-long") throw tooLarge("receipt", bodyBytesMax);
  // A receipt may carry the projections that its sender waited for.
  const value = parseJson(line.bytes, jsonDepthMax);
  if (typeof value !== "object" || value === null) throw badReceipt("an object");
  const { key, id, shard, seq, index, digest, clusterId } = value as Record<string, unknown>;
  if (typeof shard !== "string") throw badReceipt("named with its shard, as S05/017");
  if (!isCount(seq) || !isCount(index)) throw badReceipt("placed by seq and index, whole numbers from 1");
  if (typeof digest !== "string" || !/^[0-9a-f]{16}$/.test(digest)) {
    throw badReceipt("sealed with a digest of 16 hexadecimal digits");
  }
  for (const text of [key, id, clusterId]) {
    if (text !== undefined && !isName(text)) throw badReceipt("named by texts: key, id and clusterId");
  }
  return {
    ...(key === undefined ? {} : { key: formatKey(parseKey(key as string)) }),
    ...(id === undefined ? {} : { id: id as string }),
    ...(clusterId === undefined ? {} : { clusterId: clusterId as string }),
    shard,
    seq,
    index,
    digest,
  };
}

function isName(value: unknown): boolean {
  return typeof value === "string" && value.length <= NAME_UNITS_MAX && value.isWellFormed();
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 1 && value <= U32_MAX;
}

function switchInQuery(c: Context, name: string): boolean {
  const text = c.req.query(name);
  if (text === undefined || text === "false") return false;
  if (text === "true") return true;
  throw badRequest(`Cannot read the query's ${name} as it must be true or false`);
}
