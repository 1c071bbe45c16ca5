import assert from "node:assert/strict";
import { type Curve, shown, slope, toldOf, worseThanLinear } from "./growth.ts";
import { curvePicture } from "./picture.ts";

const points = (...pairs: [number, number][]) => pairs.map(([x, us]) => ({ x, us }));
const curve = (linear: 0 | 1, ...pairs: [number, number][]): Curve => ({
  name: "size",
  title: "a < b",
  unit: "bytes",
  linear,
  series: [{ name: "here", points: points(...pairs) }],
});

Deno.test("a power is a slope", () => {
  assert.equal(slope({ x: 10, us: 5 }, { x: 100, us: 50 }), 1);
  assert.equal(slope({ x: 10, us: 5 }, { x: 1000, us: 5 }), 0);
  assert.ok(Math.abs(slope({ x: 10, us: 1 }, { x: 100, us: 100 }) - 2) < 1e-9);
});

Deno.test("what grows faster than linear is found, where it does", () => {
  const bent = curve(1, [1, 10], [10, 90], [100, 9000]);
  assert.deepEqual(worseThanLinear(bent, bent.series[0]), [[{ x: 10, us: 90 }, { x: 100, us: 9000 }]]);
  assert.match(toldOf(bent), /WORSE than linear: 10 to 100 \(x\^2\.00\)$/);
  const straight = curve(1, [1, 10], [10, 100]);
  assert.match(toldOf(straight), /x10\.00, as x\^1\.00; nowhere worse than linear$/);
});

Deno.test("where a message's cost must stay, growing with x is too much", () => {
  assert.match(toldOf(curve(0, [1, 10], [10, 100])), /WORSE/);
  assert.match(toldOf(curve(0, [1, 10], [10, 11])), /nowhere worse/);
});

Deno.test("a point alone is told without a slope", () => {
  assert.match(toldOf(curve(1, [1, 10])), /^size, here \[us by bytes\]: 1: 10\.0; nowhere/);
});

Deno.test("the picture has every point, each with its title, inside the frame", () => {
  for (const each of [curve(1, [1, 0.5], [1e6, 4843]), curve(0, [5, 10], [50, 10]), curve(1, [1, 10])]) {
    const svg = curvePicture(each);
    assert.equal(svg.match(/<circle/g)?.length, each.series[0].points.length);
    assert.match(svg, /a &lt; b/);
    assert.doesNotMatch(svg, /NaN|Infinity/);
    for (const [, x, y] of svg.matchAll(/cx="([\d.-]+)" cy="([\d.-]+)"/g)) {
      assert.ok(Number(x) >= 0 && Number(x) <= 640 && Number(y) >= 60 && Number(y) <= 400, `${x},${y}`);
    }
  }
});

Deno.test("counts are short", () => assert.deepEqual([1, 300, 1e4, 2 ** 20].map(shown), ["1", "300", "10k", "1M"]));
