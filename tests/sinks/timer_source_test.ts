/** timerSource, bundled, with no permission at all. */
import assert from "node:assert/strict";
import { BundledSource, Records, until } from "./bundled_source.ts";

const plugin = (options: string) => `
import { timerSource } from "@waterpark/waterpark/sources/timer";
export default timerSource({ key: { kind: "clock", facility: "HOSPX", id: "main" }, ${options} });`;

Deno.test("timer source: each second once, though it is killed after recording one", async () => {
  const records = new Records();
  const killed = await BundledSource.start(plugin('at: "* * * * * *"'), records);
  const { promise, resolve } = Promise.withResolvers<void>();
  records.onRecorded = (count) => count === 2 ? killed.kill().then(resolve) : undefined;
  await promise;
  records.onRecorded = () => {};
  await using source = await BundledSource.start(plugin('at: "* * * * * *", missed: "all"'), records);
  assert.deepEqual(source.process.about.permissions, {});
  await until(10_000, "it goes on", () => records.all.length >= 4);
  const planned = records.all.map(({ text }) => Date.parse(JSON.parse(text).planned));
  planned.slice(1).forEach((at, n) => assert.equal(at - planned[n], 1_000));
  assert.equal(records.duplicates, 1);
  assert.equal(records.all[0].id, `timer@${new Date(planned[0]).toISOString()}`);
  assert(planned.every((at) => at <= Date.now()), "never early");
});

Deno.test("timer source: after an outage the last time only", async () => {
  const records = new Records();
  records.cursor = new Date(Date.now() - 86_400_000).toISOString();
  await using _source = await BundledSource.start(plugin('at: "* * * * *", body: { n: 1 }'), records);
  await until(5_000, "it has sent", () => records.all.length > 0);
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert(records.all.length <= 2);
  const { planned, n } = JSON.parse(records.all[0].text);
  assert(Date.now() - Date.parse(planned) < 61_000 && n === 1);
});
