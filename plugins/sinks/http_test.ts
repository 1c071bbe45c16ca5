import assert from "node:assert/strict";
import { CircuitBreaker } from "./circuit_breaker.ts";
import { httpSink, retryAfterMs } from "./http.ts";

Deno.test("http: retry-after is seconds or a date, and an hour at most", () => {
  const nowMs = Date.parse("2026-11-23T10:00:00Z");
  assert.equal(retryAfterMs(null, nowMs), null);
  assert.equal(retryAfterMs("soon", nowMs), null);
  assert.equal(retryAfterMs("90", nowMs), 90_000);
  assert.equal(retryAfterMs("Mon, 23 Nov 2026 10:00:05 GMT", nowMs), 5_000);
  assert.equal(retryAfterMs("Mon, 23 Nov 2026 09:00:00 GMT", nowMs), 0);
  assert.equal(retryAfterMs("999999999999", nowMs), 3_600_000);
});

Deno.test("http: what cannot be used is refused where it is defined", () => {
  assert.throws(() => httpSink({ url: "https://{option.host}/" }), TypeError);
  assert.throws(() => httpSink({ url: "https://a{option.x}/" }), TypeError);
  assert.throws(() => httpSink({ url: "ftp://a/" }), TypeError);
  assert.throws(() => httpSink({ url: "https://me:secret@a/" }), TypeError);
  assert.throws(() => httpSink({ url: "https://a/{patient}" }), /no gap \{patient\}/);
  assert.throws(() => httpSink({ url: "https://a/", headers: { "bad header": "x" } }), TypeError);
  assert.deepEqual(httpSink({ url: "https://a?x={id}" }).permissions?.net, ["a:443"]);
  assert.deepEqual(httpSink({ url: "http://[::1]:8080/" }).permissions?.net, ["[::1]:8080"]);
});

Deno.test("circuit breaker: blows after so many failures in a row, lets one through after its pause", () => {
  const breaker = new CircuitBreaker({ failures: 2, pauseMs: 100 });
  breaker.failed(0);
  breaker.succeeded();
  breaker.failed(10);
  assert.equal(breaker.waitMs(10), 0);
  breaker.failed(20);
  assert.deepEqual([breaker.waitMs(20), breaker.waitMs(119)], [100, 1]);
  assert.deepEqual([breaker.waitMs(120), breaker.waitMs(120)], [0, 100], "one goes, the next waits for it");
  breaker.failed(130);
  assert.deepEqual([breaker.waitMs(229), breaker.waitMs(230)], [1, 0]);
  breaker.succeeded();
  assert.deepEqual([breaker.waitMs(231), breaker.waitMs(231)], [0, 0]);
});
