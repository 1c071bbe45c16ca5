import assert from "node:assert/strict";
import type { Delivery } from "@waterpark/waterpark";
import { Gathering } from "./gathering.ts";

function delivery(n: number, bytes = 10): Delivery {
  const key = { kind: "patient", facility: "F", id: String(n) };
  return { id: `${n}`, key, seq: 1, attempt: 1, type: "", contentType: "", bytes: new Uint8Array(bytes), options: {} };
}

Deno.test("gathering: one request at a time, what comes meanwhile goes with the next, within its bounds", async () => {
  const requests: string[][] = [];
  const turns: (() => void)[] = [];
  const gathering = new Gathering({ deliveriesMax: 3, bytesMax: 100 }, async (some) => {
    requests.push(some.map(({ id }) => id));
    await new Promise<void>((resolve) => turns.push(resolve));
    return some.map(({ id }) => ({ state: "done", answer: id }));
  });
  const first = gathering.deliver([delivery(1)]);
  await Promise.resolve();
  const others = [
    gathering.deliver([delivery(2), delivery(3)]),
    gathering.deliver([delivery(4), delivery(5, 99), delivery(6)]),
  ];
  while (turns.length > 0 || requests.length < 3) {
    turns.shift()?.();
    await Promise.resolve();
  }
  const large = gathering.deliver([delivery(7, 1_000)]);
  for (let n = 0; n < 50; n++) {
    turns.shift()?.();
    await Promise.resolve();
  }
  assert.deepEqual(requests, [["1"], ["2", "3", "4"], ["5"], ["6"], ["7"]]);
  const ends = (await Promise.all([first, ...others, large])).flat();
  assert.deepEqual(ends.map((end) => end.state === "done" && end.answer), ["1", "2", "3", "4", "5", "6", "7"]);
});

Deno.test("gathering: a request that fails fails its own only", async () => {
  let calls = 0;
  const gathering = new Gathering(
    { deliveriesMax: 1, bytesMax: 100 },
    (some) =>
      ++calls === 1 ? Promise.reject(new Error("gone")) : Promise.resolve(some.map(() => ({ state: "done" as const }))),
  );
  const [first, second] = await Promise.allSettled([
    gathering.deliver([delivery(1)]),
    gathering.deliver([delivery(2)]),
  ]);
  assert.deepEqual([first.status, second.status], ["rejected", "fulfilled"]);
});
