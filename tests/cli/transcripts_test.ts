import assert from "node:assert/strict";
import { play } from "./transcript.ts";

const FOLDER = new URL("transcripts/", import.meta.url);

for (const { name } of Deno.readDirSync(FOLDER)) {
  Deno.test(`transcript ${name}`, async () => {
    const file = new URL(name, FOLDER);
    const before = await Deno.readTextFile(file);
    const now = await play(before);
    if (Deno.env.get("UPDATE") === "1") await Deno.writeTextFile(file, now);
    else assert.equal(now, before);
  });
}
