/**
 * httpSink: each delivery is a request to somebody's HTTP service.
 *
 *     // lab_results.ts
 *     import { httpSink } from "@waterpark/waterpark/sinks/http";
 *     export default httpSink({
 *       name: "lab-results",
 *       url: "https://lab.example/patients/{key.id}/results",
 *       headers: { authorization: "Bearer {env.LAB_TOKEN}", "x-kind": "{option.kind}" },
 *     });
 *
 * What a handler asks for with `effect.deliver("lab-results", message)` is sent as it is, with its media type, the
 * effect's id as `idempotency-key`. An answer 2xx is its end. 408, 425, 429 and 5xx, no answer in time and no connection
 * at all are tried again, no sooner than `retry-after` says. All other answers are for good: a dead letter.
 *
 * A request whose answer was lost is sent again. Whether the service does it twice is the service's choice: the
 * idempotency key is the same.
 *
 * @module
 */
import {
  defineSink,
  type Delivery,
  type DeliveryEnd,
  type SinkConnection,
  type SinkDefinition,
} from "@waterpark/waterpark";
import { type BreakerOptions, CircuitBreaker } from "./circuit_breaker.ts";
import { environment, MissingOption, type Template, template } from "./template.ts";

/** Where requests go, and how. */
export interface HttpSinkOptions {
  /** the sink's name; usual: `http` */
  readonly name?: string;
  /** where to; scheme, host and port are literal, path and query may have gaps, whose values are percent-encoded */
  readonly url: string;
  /** usual: POST */
  readonly method?: string;
  /** further headers, whose values may have gaps, `{env.X}` among them; a null takes a usual one away */
  readonly headers?: Readonly<Record<string, string | null>>;
  /** ms until an answer must have begun; usual: 10000 */
  readonly timeoutMs?: number;
  /** requests under way at a time; usual: 16 */
  readonly requestsMax?: number;
  /** when a service that does not answer is left alone for a while */
  readonly breaker?: BreakerOptions;
  /** statuses beside 408, 425, 429 and 5xx after which it is tried again, as 404 of what is not there *yet* */
  readonly retryStatuses?: readonly number[];
  /** files of certificates (PEM): of authorities to be trusted beside the usual ones, and of ourselves */
  readonly tls?: { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string };
  /** path that a connection test asks for with HEAD; usual: `/` */
  readonly checkPath?: string;
  /** as in `SinkDefinition` */
  readonly retry?: SinkDefinition["retry"];
  /** as in `SinkDefinition` */
  readonly whenDead?: SinkDefinition["whenDead"];
}

const ANSWER_BYTES_MAX = 4_096;
const RETRY_AFTER_MS_MAX = 3_600_000;
const RETRY_STATUSES = [408, 425, 429];

/**
 * A sink that sends HTTP requests; a plugin's module exports the answer as its default. It may connect to the URL's host,
 * read the environment variables that it names and the files of `tls`, and nothing else.
 *
 * @throws {TypeError} when URL or headers cannot be used
 *
 * @example
 * ```ts
 * import { httpSink } from "./http.ts";
 * const sink = httpSink({ url: "https://lab.example/{key.facility}?id={id}", headers: { "x-token": "{env.TOKEN}" } });
 * if (sink.permissions?.net?.[0] !== "lab.example:443") throw new Error("unreachable");
 * ```
 */
export function httpSink(options: HttpSinkOptions): SinkDefinition & { readonly plugin: "sink" } {
  const { name = "http", url, timeoutMs = 10_000, requestsMax = 16, tls = {}, retry, whenDead } = options;
  const origin = originOf(url);
  const urlTemplate = template(url, { what: "url", mayHaveSecrets: true });
  const headers = Object.entries(options.headers ?? {}).map(([header, value]): [string, Template | null] => {
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(header)) {
      throw new TypeError(`Cannot use the header "${header}" as it is none`);
    }
    return [
      header.toLowerCase(),
      value === null ? null : template(value, { what: `header ${header}`, mayHaveSecrets: true }),
    ];
  });
  const envNames = [
    ...new Set([urlTemplate, ...headers.map(([, value]) => value)].flatMap((one) => one?.envNames ?? [])),
  ];
  const files = [tls.caFile, tls.certFile, tls.keyFile].filter((file) => file !== undefined);
  return defineSink({
    name,
    permissions: { net: [hostAndPort(origin)], env: envNames, read: files },
    // a slow answer delays nobody else's: each call is one delivery
    limits: { callMs: timeoutMs + 5_000, openMax: requestsMax },
    batchMax: 1,
    retry,
    whenDead,
    async open(): Promise<SinkConnection> {
      for (const env of envNames) environment(env);
      const read = (file?: string) => file === undefined ? undefined : Deno.readTextFile(file);
      const [ca, cert, key] = await Promise.all([read(tls.caFile), read(tls.certFile), read(tls.keyFile)]);
      const client = Deno.createHttpClient({
        ...(ca === undefined ? {} : { caCerts: [ca] }),
        ...(cert === undefined || key === undefined ? {} : { cert, key }),
        poolMaxIdlePerHost: requestsMax,
      });
      const sender = new Sender({ ...options, origin, urlTemplate, headerTemplates: headers, timeoutMs, client });
      return {
        deliver: (deliveries) => Promise.all(deliveries.map((delivery) => sender.send(delivery))),
        check: () => sender.check(),
        close: () => Promise.resolve(client.close()),
      };
    },
  });
}

interface SenderOptions extends HttpSinkOptions {
  origin: URL;
  urlTemplate: Template;
  headerTemplates: [string, Template | null][];
  timeoutMs: number;
  client: Deno.HttpClient;
}

class Sender {
  readonly #options: SenderOptions;
  readonly #breaker: CircuitBreaker;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#breaker = new CircuitBreaker(options.breaker);
  }

  async send(delivery: Delivery): Promise<DeliveryEnd> {
    const request = this.#requestOf(delivery);
    if ("state" in request) return request;
    const waitMs = this.#breaker.waitMs(performance.now());
    if (waitMs > 0) {
      return { state: "retry", code: "http/paused", text: `${this.#host} did not answer of late`, afterMs: waitMs };
    }
    let response: Response;
    try {
      response = await this.#fetch(request.url, { ...request, body: delivery.bytes.slice() });
    } catch (error) {
      this.#breaker.failed(performance.now());
      return this.#notAnswered(error as Error);
    }
    const { status } = response;
    if (status >= 500) this.#breaker.failed(performance.now());
    else this.#breaker.succeeded();
    const answer = await beginningOf(response);
    if (response.ok) return { state: "done", answer };
    const text = `${this.#host} answers ${status}`;
    if (status >= 500 || RETRY_STATUSES.includes(status) || this.#options.retryStatuses?.includes(status)) {
      const afterMs = retryAfterMs(response.headers.get("retry-after"), Date.now());
      return { state: "retry", code: `http/status-${status}`, text, ...(afterMs === null ? {} : { afterMs }) };
    }
    return { state: "dead", code: `http/status-${status}`, text, answer };
  }

  /** HEAD: any answer below 500 shows that there is a service; whether it likes us, only a delivery would tell. */
  async check(): Promise<string> {
    const { origin, checkPath = "/" } = this.#options;
    let response: Response;
    try {
      response = await this.#fetch(new URL(checkPath, origin).href, { method: "HEAD", headers: new Headers() });
    } catch (error) {
      const { code, text } = this.#notAnswered(error as Error);
      throw new Error(`${text} (${code})`);
    }
    await response.body?.cancel();
    if (response.status >= 500) throw new Error(`${this.#host} answers ${response.status}`);
    return `${this.#host} answers HEAD ${checkPath} with ${response.status}`;
  }

  get #host(): string {
    return this.#options.origin.host;
  }

  #fetch(url: string, init: RequestInit): Promise<Response> {
    const { client, timeoutMs } = this.#options;
    // a redirect may lead to where we may not go, and makes a GET of a POST
    return fetch(url, { ...init, client, redirect: "manual", signal: AbortSignal.timeout(timeoutMs) } as RequestInit);
  }

  #requestOf(delivery: Delivery): { url: string; method: string; headers: Headers } | DeliveryEnd & { state: "dead" } {
    const { origin, urlTemplate, headerTemplates, method = "POST" } = this.#options;
    try {
      const url = new URL(urlTemplate.fill(delivery, urlPart));
      if (url.origin !== origin.origin) throw new BadPart("the URL would lead to another host");
      const headers = new Headers({ "idempotency-key": headerValue(delivery.id) });
      if (delivery.contentType !== "") headers.set("content-type", headerValue(delivery.contentType));
      for (const [header, value] of headerTemplates) {
        if (value === null) headers.delete(header);
        else headers.set(header, value.fill(delivery, headerValue));
      }
      return { url: url.href, method, headers };
    } catch (error) {
      const code = error instanceof MissingOption ? "http/missing-option" : "http/bad-request";
      const isOurs = error instanceof MissingOption || error instanceof BadPart;
      return { state: "dead", code, text: isOurs ? error.message : "no request can be made of it" };
    }
  }

  #notAnswered({ name }: Error): DeliveryEnd & { state: "retry" } {
    return name === "TimeoutError"
      ? { state: "retry", code: "http/timeout", text: `${this.#host} did not answer in ${this.#options.timeoutMs} ms` }
      : { state: "retry", code: "http/unreachable", text: `${this.#host} cannot be reached` };
  }
}

class BadPart extends Error {}

/** A value in a path or query. `.` and `..` would be taken for steps, however they are encoded. */
function urlPart(value: string, gap: string): string {
  if (value === "." || value === "..") throw new BadPart("a part of the URL would be . or ..");
  return gap === "key" ? value.split("/").map(encodeURIComponent).join("/") : encodeURIComponent(value);
}

/** Header values are visible ASCII: all else is percent-encoded, line ends among them. */
function headerValue(value: string): string {
  return value.replace(/[^\x20-\x7e]+/gu, encodeURIComponent).trim();
}

/**
 * What `retry-after` says (RFC 9110, 10.2.3: seconds or a date), as ms from now, at most an hour; null when it says
 * nothing that can be understood.
 */
export function retryAfterMs(header: string | null, nowWallMs: number): number | null {
  if (header === null) return null;
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - nowWallMs;
  return Number.isNaN(ms) ? null : Math.min(Math.max(ms, 0), RETRY_AFTER_MS_MAX);
}

/** The first 4 KiB as text; of the rest no more is read, so that the connection ends there if it is long. */
async function beginningOf(response: Response): Promise<string> {
  if (response.body === null) return "";
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const piece of response.body) {
      pieces.push(piece.subarray(0, ANSWER_BYTES_MAX - bytes));
      bytes += pieces.at(-1)!.length;
      if (bytes === ANSWER_BYTES_MAX) break;
    }
  } catch {
    // the status has said what matters
  }
  return new TextDecoder().decode(await new Blob(pieces as BlobPart[]).arrayBuffer());
}

function originOf(url: string): URL {
  const literal = /^https?:\/\/[^/?#{}]+(?=[/?#]|$)/i.exec(url)?.[0];
  if (literal === undefined || !URL.canParse(literal)) {
    throw new TypeError(`Cannot use the url as it must begin with http:// or https:// and a host without gaps`);
  }
  const origin = new URL(literal);
  if (origin.username !== "" || origin.password !== "") {
    throw new TypeError(`Cannot use the url as secrets do not belong there: use the header authorization and {env.X}`);
  }
  return origin;
}

function hostAndPort({ hostname, port, protocol }: URL): string {
  return `${hostname}:${port === "" ? (protocol === "https:" ? 443 : 80) : port}`;
}
