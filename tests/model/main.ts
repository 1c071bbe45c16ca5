/**
 * `deno task model [--full]`: TLC over every state of the model, then the explorer over the real core; prints a line a
 * variant, a line a search. Exit code 0 when each came to what is expected of it, 1 when not, 3 when TLC cannot be had
 * and the rest is right.
 */
import { isAsExpected, SEARCHES, told } from "./explorer/search.ts";
import { check, findTlc } from "./tlc.ts";
import { VARIANTS } from "./variants.ts";

const SECONDS_MAX = 4 * 3600;

const isFull = Deno.args.includes("--full");
let isRight = true;

const tlc = await findTlc();
if ("reason" in tlc) {
  console.error(`Cannot check the model: ${tlc.reason}`);
} else {
  for (const { name, model, expected, isLong } of VARIANTS) {
    if (isLong && !isFull) continue;
    const { violated, steps, states, seconds } = await check(tlc.jar, model, { secondsMax: SECONDS_MAX });
    isRight &&= violated === expected;
    const what = violated === "" ? "all holds" : `${violated} breaks in ${steps - 1} steps`;
    console.log(
      `${violated === expected ? "ok  " : "FAIL"} ${name.padEnd(72)} ${what.padEnd(36)} ${states} states, ${
        seconds.toFixed(0)
      } s`,
    );
  }
}

for (const search of SEARCHES) {
  const found = search.run(isFull ? "long" : "short");
  isRight &&= isAsExpected(search, found);
  console.log(told(search, found));
}
Deno.exit(!isRight ? 1 : "reason" in tlc ? 3 : 0);
