/**
 * httpSource: requests of others, in their own form, become messages. Nodes take messages by HTTP themselves, in ours; this
 * is for senders that cannot be taught: webhooks, devices, another engine's HTTP sender.
 *
 *     import { httpSource } from "@waterpark/waterpark/sources/http";
 *     export default httpSource({
 *       name: "monitors",
 *       listen: "0.0.0.0:8090",
 *       tokenEnv: "MONITOR_TOKEN",
 *       messageOf(request) {
 *         const [, bed] = request.path.match(/^\/beds\/(\w+)\/alarms$/) ?? [];
 *         return bed === undefined ? null : { key: { kind: "bed", facility: "HOSPX", id: bed }, type: "alarm", body: request.bytes };
 *       },
 *     });
 *
 * It listens on every node. A request is answered 201 when enough copies have its message, and never before; 400 when
 * `messageOf` throws at it, 404 when that says null; 409, 413 or 422 when it is refused for good; 503 with `retry-after` when it may
 * go better later: send it again, here or at another node.
 *
 * A sender that repeats must say the same id: as `idempotency-key`, or found by `messageOf` in what it sends. Without one each request
 * is a message of its own.
 *
 * @module
 */
import { defineSource, type SourceContext, type SourceDefinition, type SourceKey } from "@waterpark/waterpark";
import { environment } from "../sinks/template.ts";
import { within } from "../sinks/time_limit.ts";
import { isForGood } from "./refusal.ts";

/** A request as `messageOf` is given it. */
export interface TakenRequest {
  readonly method: string;
  /** as it was sent, percent-encoded */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
  /** Its body's text; usual: UTF-8. @throws {TypeError} when its bytes are none in that charset */
  text(charset?: string): string;
}

/** What is recorded of it. */
export interface RequestMessage {
  readonly key: SourceKey;
  /** usual: the header `idempotency-key`; without that one is made up */
  readonly id?: string;
  readonly type?: string;
  /** usual: the request's */
  readonly contentType?: string;
  readonly body: unknown;
}

/** Where to listen, and what requests mean. */
export interface HttpSourceOptions {
  /** the source's name; usual: `http` */
  readonly name?: string;
  /** `host:port`; the port is one that no node of the machine has */
  readonly listen: string;
  /** The message of a request; null: it is none, 404. What it throws is answered 400. It may wait, for a signature's check. */
  messageOf(request: TakenRequest): RequestMessage | null | Promise<RequestMessage | null>;
  /** the environment variable with the token that requests must bear (`authorization: Bearer …`); left out: none is asked for */
  readonly tokenEnv?: string;
  /** files (PEM) for HTTPS */
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
  /** usual: 1 MiB */
  readonly bodyBytesMax?: number;
  /** requests under way at a time, beyond which they are answered 503; usual: 256 */
  readonly requestsMax?: number;
  /** ms for a request's body to be there; usual: 10000 */
  readonly bodyMs?: number;
}

/**
 * A source that listens for requests; a plugin's module exports the answer as its default. It may listen where it says, read the
 * token's variable and the files of `tls`, and nothing else.
 *
 * @throws {TypeError} when `listen` is no `host:port`
 *
 * @example
 * ```ts
 * import { httpSource } from "./http.ts";
 * const source = httpSource({
 *   listen: "127.0.0.1:8090",
 *   messageOf: ({ query, bytes }) => ({ key: { facility: "HOSPX", id: query.get("patient") ?? "" }, body: bytes }),
 * });
 * if (source.permissions?.net?.[0] !== "127.0.0.1:8090") throw new Error("unreachable");
 * ```
 */
export function httpSource(options: HttpSourceOptions): SourceDefinition & { readonly plugin: "source" } {
  const { name = "http", listen, tokenEnv, tls } = options;
  const at = /^(\[[0-9a-f:]+\]|[^\s:,/]+):(\d{1,5})$/i.exec(listen);
  if (at === null) throw new TypeError("Cannot use listen as it must be host:port");
  return defineSource({
    name,
    permissions: {
      net: [listen],
      env: tokenEnv === undefined ? [] : [tokenEnv],
      read: tls === undefined ? [] : [tls.certFile, tls.keyFile],
    },
    runsOn: "each",
    async run(context) {
      const desk = new Desk(options, context, tokenEnv === undefined ? null : environment(tokenEnv));
      const server = Deno.serve({
        hostname: at[1].replace(/^\[|\]$/g, ""),
        port: Number(at[2]),
        onListen: () => {},
        onError: () => answer(500, "the request broke the source"),
        ...(tls === undefined
          ? {}
          : { cert: await Deno.readTextFile(tls.certFile), key: await Deno.readTextFile(tls.keyFile) }),
      }, (request) => desk.take(request));
      await new Promise<void>((resolve) => {
        if (context.signal.aborted) resolve();
        context.signal.addEventListener("abort", () => resolve(), { once: true });
      });
      // what is being recorded is answered; who does not listen to the answer is left. (To abort the server after its
      // shutdown has begun is an error in Deno.)
      await within(SHUTDOWN_MS_MAX, server.shutdown()).catch(() => {});
    },
  });
}

const SHUTDOWN_MS_MAX = 2_000;
const BODY_BYTES_MAX = 1024 * 1024;

class Desk {
  readonly #options: HttpSourceOptions;
  readonly #context: SourceContext;
  readonly #token: Uint8Array | null;
  #open = 0;

  constructor(options: HttpSourceOptions, context: SourceContext, token: string | null) {
    this.#options = options;
    this.#context = context;
    this.#token = token === null ? null : new TextEncoder().encode(token);
  }

  async take(request: Request): Promise<Response> {
    if (!await this.#isLetIn(request)) {
      return answer(401, "no valid token", { "www-authenticate": "Bearer" });
    }
    if (this.#open >= (this.#options.requestsMax ?? 256)) return answer(503, "busy", { "retry-after": "1" });
    this.#open++;
    try {
      const bytes = await this.#bodyOf(request);
      return bytes instanceof Response ? bytes : await this.#record(request, bytes);
    } finally {
      this.#open--;
    }
  }

  async #record(request: Request, bytes: Uint8Array): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const text = (charset = "utf-8") => new TextDecoder(charset, { fatal: true }).decode(bytes);
    const { method, headers } = request;
    let message: RequestMessage | null;
    try {
      message = await this.#options.messageOf({ method, path: pathname, query: searchParams, headers, bytes, text });
    } catch (error) {
      return answer(400, (error as Error).message);
    }
    if (message === null) return answer(404, "nothing is taken here");
    const id = message.id ?? headers.get("idempotency-key") ?? undefined;
    const contentType = message.contentType ??
      (message.body instanceof Uint8Array ? headers.get("content-type") ?? "application/octet-stream" : undefined);
    try {
      const { key, type, body } = message;
      const receipt = await this.#context.send(key, { id, type, contentType, body });
      return Response.json({ id: receipt.id, seq: receipt.seq, duplicate: receipt.duplicate }, { status: 201 });
    } catch (error) {
      return refusalOf(error);
    }
  }

  async #bodyOf(request: Request): Promise<Uint8Array | Response> {
    const { bodyBytesMax = BODY_BYTES_MAX, bodyMs = 10_000 } = this.#options;
    const tooLarge = () => answer(413, `a body may have ${bodyBytesMax} bytes`, { connection: "close" });
    if (Number(request.headers.get("content-length") ?? 0) > bodyBytesMax) return tooLarge();
    if (request.body === null) return new Uint8Array();
    const reader = request.body.getReader();
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      reader.cancel().catch(() => {});
    }, bodyMs);
    const pieces: Uint8Array[] = [];
    let size = 0;
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (isLate) return answer(408, `the body was not there in ${bodyMs} ms`, { connection: "close" });
        if (done) break;
        pieces.push(value);
        if ((size += value.length) > bodyBytesMax) {
          reader.cancel().catch(() => {});
          return tooLarge();
        }
      }
    } catch {
      return answer(400, "the body broke off", { connection: "close" });
    } finally {
      clearTimeout(timer);
    }
    const bytes = new Uint8Array(size);
    let at = 0;
    for (const piece of pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    return bytes;
  }

  /** Digests are compared: how long that takes says nothing of the token. */
  async #isLetIn(request: Request): Promise<boolean> {
    if (this.#token === null) return true;
    const said = /^Bearer (.+)$/i.exec(request.headers.get("authorization") ?? "")?.[1] ?? "";
    const [a, b] = await Promise.all([new TextEncoder().encode(said), this.#token].map(digestOf));
    return a === b;
  }
}

function refusalOf(error: unknown): Response {
  const { code = "", message } = error as { code?: string; message?: string };
  const text = `${code}: ${message}`;
  if (!isForGood(error)) return answer(503, `${text}; send it again under the same id`, { "retry-after": "1" });
  return answer(code.endsWith("/conflict") ? 409 : code.endsWith("/too-large") ? 413 : 422, text);
}

function answer(status: number, error: string, headers: Record<string, string> = {}): Response {
  return Response.json({ error }, { status, headers });
}

async function digestOf(bytes: Uint8Array): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as BufferSource)).toHex();
}
