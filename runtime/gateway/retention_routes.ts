/**
 * Retention: for how long histories are kept, by kind of actors.
 *
 * `PUT /v1/retention/{kind}` takes `{"days": 365}`, `{"days": null}` for ever, `{}` for what is usual.
 */
import { readBody } from "./body.ts";
import { badRequest } from "./errors.ts";
import { type Gateway, inTime, json, pathParts, type Route } from "./routing.ts";

/** For how long actors of a kind are kept after their last message. */
export interface RetentionView {
  /** of actors */
  kind: string;
  /** null: for ever */
  days: number | null;
  /** true: nobody has said otherwise */
  isDefault: boolean;
}

/** What a node does about it. */
export interface RetentionService {
  /** Kinds whose actors are not kept for ever, and those of which that was said. */
  list(): RetentionView[];
  /** Sets a time, in days; null: for ever, undefined: what is usual. */
  set(kind: string, days: number | null | undefined): Promise<void>;
}

/** Nothing is kept for a shorter time, days: ids are remembered for as long. */
export const RETENTION_DAYS_MIN = 30;
const KIND = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const DAYS_MAX = 3_650_000;
const BODY_BYTES_MAX = 1000;

/** Adds the routes. */
export function addRetentionRoutes(route: Route, gateway: Gateway): void {
  const { retention } = gateway.service;

  route("GET", "/v1/retention", () => json({ kinds: retention.list() }));

  route("PUT", "/v1/retention/:kind", async (c) => {
    const [kind] = pathParts(c, 3, 1);
    if (!KIND.test(kind)) {
      throw badRequest("Cannot set the time as a kind must be 1 to 64 letters, digits, dots and dashes");
    }
    const reading = readBody(c.req.raw, { what: "time", bytesMax: BODY_BYTES_MAX });
    const days = daysIn(await inTime(gateway, "not-applied", reading));
    await inTime(gateway, "unknown", retention.set(kind, days));
    const set = retention.list().find((one) => one.kind === kind);
    return json(set ?? { kind, days: null, isDefault: true });
  });
}

function daysIn(body: Uint8Array): number | null | undefined {
  let days: unknown = "";
  try {
    days = Object(JSON.parse(new TextDecoder().decode(body))).days;
  } catch {
    // said below
  }
  if (days === undefined || days === null) return days;
  if (Number.isInteger(days) && (days as number) >= RETENTION_DAYS_MIN && (days as number) <= DAYS_MAX) {
    return days as number;
  }
  throw badRequest(
    `Cannot set the time as the body must be {"days": N} with ${RETENTION_DAYS_MIN} or more, {"days": null} for ever, or {}`,
  );
}
