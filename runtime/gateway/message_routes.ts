/**
 * `POST /v1/actors/{kind}/{facility}/{id}/messages`: one message, its body as it is.
 */
import type { Context } from "@hono/hono";
import { formatKey } from "../base/mod.ts";
import { readBody } from "./body.ts";
import { essenceOf, typeInside } from "./content.ts";
import { badRequest, busy } from "./errors.ts";
import { type Failure, failureOf, problemResponse } from "./problem.ts";
import { checkedName, type Gateway, inTime, json, keyInPath, type Route, wholeNumber } from "./routing.ts";
import type { PostAnswer } from "./service.ts";

/** Adds the route. */
export function addMessageRoutes(route: Route, gateway: Gateway): void {
  route("POST", "/v1/actors/:kind/:facility/:id/messages", async (c) => {
    const { admission } = gateway;
    // Before a byte is read: to turn somebody away must cost next to nothing.
    if (!admission.enter()) throw busy();
    let isRecorded = false;
    try {
      const response = await postOne(c, gateway);
      isRecorded = response.ok;
      return response;
    } finally {
      admission.leave(isRecorded);
    }
  });
}

async function postOne(c: Context, gateway: Gateway): Promise<Response> {
  const { service, limits } = gateway;
  const key = keyInPath(c, 3);
  const contentType = c.req.header("content-type")?.trim() ?? null;
  const essence = essenceOf(contentType);
  const ifMatch = ifMatchOf(c.req.header("if-match"));
  const id = idOf(c.req.header("idempotency-key")) || service.newId();
  const wantsRepresentation = prefersRepresentation(c.req.header("prefer"));
  const reading = readBody(c.req.raw, { what: "message", bytesMax: limits.bodyBytesMax });
  const payload = await inTime(gateway, "not-applied", reading);
  const inside = typeInside(essence, payload, limits.jsonDepthMax);
  const type = checkedName("message type", c.req.header("waterpark-type") ?? inside);
  const posting = service.post({
    key,
    id,
    type,
    contentType: contentType!,
    payload,
    ...(ifMatch === undefined ? {} : { ifMatch }),
    wait: wantsRepresentation ? "handled" : "recorded",
  });
  // The id goes out with a failure, too: "unknown" means send again under the same.
  const answer = await inTime(gateway, "unknown", posting).catch((error): PostAnswer | Failure => failureOf(error));
  if (!("state" in answer) || answer.state === "refused") {
    const { code, outcome, message, retryAfterMs, seq } = answer;
    return problemResponse({ code, outcome, message, retryAfterMs, seq, id });
  }
  return json(receiptJson(answer), answer.duplicate ? 200 : 201, {
    etag: `"${answer.receipt.seq}"`,
    location: `/v1/actors/${pathOf(key)}/history?after=${answer.receipt.seq - 1}&limit=1`,
    ...(wantsRepresentation ? { "preference-applied": "return=representation" } : {}),
  });
}

/** The receipt as it goes out. */
export function receiptJson(answer: PostAnswer & { state: "recorded" }): Record<string, unknown> {
  return {
    ...answer.receipt,
    ...(answer.duplicate ? { duplicate: true } : {}),
    ...(answer.projections === undefined ? {} : { projections: answer.projections }),
    ...(answer.reply === undefined ? {} : { reply: answer.reply }),
  };
}

function pathOf(key: Parameters<typeof formatKey>[0]): string {
  return [key.kind!, key.facility, key.id].map(encodeURIComponent).join("/");
}

/** The IETF draft wants the key in quotes, everybody sends it bare; both are the same id. */
function idOf(header: string | undefined): string {
  const bare = header === undefined ? "" : /^"(.*)"$/.exec(header)?.[1] ?? header;
  return checkedName("message id", bare);
}

function ifMatchOf(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const seq = wholeNumber(/^"(.*)"$/.exec(header)?.[1] ?? header);
  if (seq === undefined) throw badRequest(`Cannot read If-Match as it must be the actor's last seq in quotes, "7"`);
  return seq;
}

function prefersRepresentation(header: string | undefined): boolean {
  return (header ?? "").split(/[,;]/).some((token) => /^\s*return\s*=\s*"?representation"?\s*$/i.test(token));
}
