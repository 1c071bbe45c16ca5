import assert from "node:assert/strict";
import { Latencies } from "./latencies.ts";

Deno.test("percentiles are those of the sorted measurements, within one per cent", () => {
  const latencies = new Latencies();
  const measured: number[] = [];
  for (let i = 0; i < 10_000; i++) {
    const us = 50 + (i * 7919 % 10_007) ** 1.7;
    measured.push(us);
    latencies.add(us);
  }
  measured.sort((a, b) => a - b);
  for (const share of [0.01, 0.5, 0.99, 1]) {
    const exact = measured[Math.ceil(measured.length * share) - 1];
    const off = Math.abs(latencies.percentile(share) / exact - 1);
    assert.ok(off < 0.012, `p${share * 100} is off by ${off}`);
  }
  assert.equal(latencies.count, 10_000);
});

Deno.test("nothing measured is zero, and the extremes have a place", () => {
  const latencies = new Latencies();
  assert.equal(latencies.percentile(0.5), 0);
  latencies.add(0);
  assert.equal(latencies.percentile(0.5), 1);
  latencies.clear();
  latencies.add(1e12);
  assert.ok(latencies.percentile(0.5) > 100e6);
});
