/** The short variants, one test each. Skipped, and saying so, where TLC cannot be had. */
import assert from "node:assert/strict";
import { check, findTlc } from "./tlc.ts";
import { VARIANTS } from "./variants.ts";

const SECONDS_MAX = 300;

const tlc = await findTlc();
if ("reason" in tlc) console.log(`model: skipped, as ${tlc.reason}`);

for (const { name, model, expected, isLong } of VARIANTS) {
  if (isLong) continue;
  Deno.test({
    name: `model: ${name}: ${expected === "" ? "all holds" : `${expected} breaks`}`,
    ignore: "reason" in tlc,
    fn: async () => {
      const { violated } = await check((tlc as { jar: string }).jar, model, { secondsMax: SECONDS_MAX });
      assert.equal(violated, expected);
    },
  });
}
