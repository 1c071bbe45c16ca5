/**
 * Requests that a node must refuse over HTTP, with the status and code that each must get. The outcome is always
 * "not-applied".
 */

/** The most that a body may have, bytes. */
export const BODY_BYTES_MAX = 1024 * 1024;
/** Headers of a JSON body. */
export const JSON_TYPE = { "content-type": "application/json" };

/** A request that must be refused, and how. */
export interface BadRequest {
  what: string;
  method?: "GET" | "PUT" | "DELETE";
  /** after the node's URL; default: the messages of `patient/BAD/1` */
  path?: string;
  headers?: Record<string, string>;
  body?: BodyInit;
  status: number;
  code: string;
}

/** Where messages of an actor go to that must stay unknown. */
export const MESSAGES = "/v1/actors/patient/BAD/1/messages";
const ACTOR = "/v1/actors/patient/BAD/1";
const big = (bytes: number) => new Uint8Array(bytes).fill(0x20);

/** One of each kind. */
export const BAD_REQUESTS: readonly BadRequest[] = [
  { what: "JSON that is none", headers: JSON_TYPE, body: '{"a":', status: 400, code: "gateway/bad-json" },
  { what: "an empty body that calls itself JSON", headers: JSON_TYPE, body: "", status: 400, code: "gateway/bad-json" },
  {
    what: "JSON nested too deep",
    headers: JSON_TYPE,
    body: "[".repeat(100_000),
    status: 400,
    code: "gateway/bad-json",
  },
  {
    what: "bytes that are no UTF-8",
    headers: JSON_TYPE,
    body: Uint8Array.of(0x22, 0xff, 0xfe, 0x22),
    status: 400,
    code: "gateway/bad-json",
  },
  { what: "no content type", body: big(1), status: 415, code: "gateway/bad-content-type" },
  {
    what: "no content type that it is",
    headers: { "content-type": "nonsense" },
    body: "x",
    status: 415,
    code: "gateway/bad-content-type",
  },
  {
    what: "a packed body",
    headers: { ...JSON_TYPE, "content-encoding": "gzip" },
    body: "x",
    status: 415,
    code: "gateway/bad-content-type",
  },
  {
    what: "a body over the limit",
    headers: JSON_TYPE,
    body: big(BODY_BYTES_MAX + 1),
    status: 413,
    code: "gateway/too-large",
  },
  {
    what: "a body over the limit that does not say so before",
    headers: JSON_TYPE,
    body: new ReadableStream({
      start: (controller) => {
        for (let i = 0; i < 5; i++) controller.enqueue(big(BODY_BYTES_MAX / 4));
        controller.close();
      },
    }),
    status: 413,
    code: "gateway/too-large",
  },
  {
    what: "an id that is too long",
    headers: { ...JSON_TYPE, "idempotency-key": "x".repeat(201) },
    body: "1",
    status: 400,
    code: "gateway/bad-request",
  },
  {
    what: "an If-Match that is no seq",
    headers: { ...JSON_TYPE, "if-match": "latest" },
    body: "1",
    status: 400,
    code: "gateway/bad-request",
  },
  {
    what: "an If-Match of long ago",
    headers: { ...JSON_TYPE, "if-match": '"77"' },
    body: "1",
    status: 412,
    code: "mailroom/precondition",
  },
  {
    what: "a key part of control characters",
    path: "/v1/actors/patient/BAD/%00/messages",
    headers: JSON_TYPE,
    body: "1",
    status: 400,
    code: "base/bad-key",
  },
  {
    what: "a key part of broken percent-encoding",
    path: "/v1/actors/patient/BAD/%zz/messages",
    headers: JSON_TYPE,
    body: "1",
    status: 400,
    code: "base/bad-key",
  },
  {
    what: "a key part that is too long",
    path: `/v1/actors/patient/BAD/${"x".repeat(201)}/messages`,
    headers: JSON_TYPE,
    body: "1",
    status: 400,
    code: "base/bad-key",
  },
  {
    what: "an empty key part",
    path: "/v1/actors/patient/BAD//messages",
    headers: JSON_TYPE,
    body: "1",
    status: 404,
    code: "gateway/not-found",
  },
  {
    what: "a key of too few parts",
    path: "/v1/actors/BAD/messages",
    headers: JSON_TYPE,
    body: "1",
    status: 404,
    code: "gateway/not-found",
  },
  {
    what: "an actor that nobody knows",
    method: "GET",
    path: "/v1/actors/patient/BAD/nobody",
    status: 404,
    code: "actors/unknown",
  },
  { what: "a seq that is none", method: "GET", path: `${ACTOR}?at=-1`, status: 400, code: "gateway/bad-request" },
  {
    what: "a read that is none",
    method: "GET",
    path: `${ACTOR}?read=psychic`,
    status: 400,
    code: "gateway/bad-request",
  },
  {
    what: "a limit of everything",
    method: "GET",
    path: `${ACTOR}/history?limit=1000000`,
    status: 400,
    code: "gateway/bad-request",
  },
  { what: "an address that is none", method: "GET", path: "/v2/secrets", status: 404, code: "gateway/not-found" },
  {
    what: "a method that does not fit",
    method: "DELETE",
    path: MESSAGES,
    status: 405,
    code: "gateway/method-not-allowed",
  },
  {
    what: "many messages that are not lines",
    path: "/v1/messages",
    headers: { "content-type": "text/plain" },
    body: "x",
    status: 415,
    code: "gateway/bad-content-type",
  },
  { what: "a node that is none", method: "DELETE", path: "/v1/nodes/XX-X-9", status: 404, code: "gateway/not-found" },
  {
    what: "a plugin's name that is none",
    method: "PUT",
    path: "/v1/plugins/%20",
    headers: { "content-type": "application/javascript" },
    body: "x",
    status: 400,
    code: "gateway/bad-request",
  },
  {
    what: "a plugin of another hash",
    method: "PUT",
    path: "/v1/plugins/p",
    headers: { "content-type": "application/javascript", "waterpark-plugin-hash": "00" },
    body: "x",
    status: 400,
    code: "gateway/bad-request",
  },
];
