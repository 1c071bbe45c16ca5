import assert from "node:assert/strict";
import { svgPicture, terminalPicture } from "./picture.ts";
import { Timeline } from "./timeline.ts";

function run(): Timeline {
  const timeline = new Timeline(500);
  for (let ms = 0; ms < 20_000; ms += 10) {
    if (ms === 10_000) timeline.happened({ atMs: ms, what: "kill -9 <TX-A-1>", isFault: true });
    if (ms === 15_000) timeline.happened({ atMs: ms, what: "start TX-A-1", isFault: false });
    if (ms >= 10_000 && ms < 10_400) timeline.took(ms, 10_400);
    else if (ms === 12_000) timeline.gaveUp(ms);
    else timeline.took(ms, ms + 2);
  }
  return timeline;
}

Deno.test("the terminal shows the dip, the failure and what was done, in the same column", () => {
  const timeline = run();
  const [rates, waits, failed, marks] = terminalPicture(timeline.bins(), timeline.reports(), 200);
  const at = (line: string, i: number) => [...line][13 + i];
  assert.equal(at(marks, 20), "▼");
  assert.equal(at(marks, 30), "▲");
  assert.equal(at(failed, 24), "x");
  assert.ok(BARS.indexOf(at(waits, 20)) > BARS.indexOf(at(waits, 5)));
  assert.ok(BARS.indexOf(at(rates, 5)) > 0);
});

Deno.test("the SVG is well-formed, says what was done and hides no markup in it", () => {
  const timeline = run();
  const svg = svgPicture(timeline.bins(), timeline.reports(), "a & b");
  assert.match(svg, /a &amp; b/);
  assert.match(svg, /kill -9 &lt;TX-A-1&gt;: \d+ messages, 1 failed/);
  const open = [...svg.matchAll(/<(svg|style|text)\b/g)].length,
    closed = [...svg.matchAll(/<\/(svg|style|text)>/g)].length;
  assert.equal(open, closed);
  assert.ok(!/NaN|undefined|Infinity/.test(svg));
  assert.equal([...svg.matchAll(/class="failed"/g)].length, 1);
});

const BARS = "_▁▂▃▄▅▆▇█";
