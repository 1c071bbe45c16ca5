import { deepEqual, equal, ok } from "node:assert/strict";
import { isOfSwitches, switchesItem, SwitchLog } from "./switch_log.ts";

Deno.test("switches: a message sees what the last word before it in the log says", () => {
  const log = new SwitchLog();
  deepEqual(log.at(1), {});
  equal(log.nextAfter(1), Infinity);
  ok(log.apply(10, switchesItem(3, { a: true })));
  ok(log.apply(20, switchesItem(7, { a: false, b: true })));
  deepEqual([log.at(9), log.at(10), log.at(11), log.at(20), log.at(21)], [
    {},
    {},
    { a: true },
    { a: true },
    { a: false, b: true },
  ]);
  deepEqual([log.nextAfter(1), log.nextAfter(10), log.nextAfter(15), log.nextAfter(20)], [10, 20, 20, Infinity]);
});

Deno.test("switches: a writer that has heard less than the log does not turn them back", () => {
  const log = new SwitchLog();
  log.apply(10, switchesItem(7, { a: true }));
  ok(log.apply(11, switchesItem(3, { a: false })), "late, and nothing worse");
  deepEqual([log.version, log.at(12)], [7, { a: true }]);
});

Deno.test("switches: what cannot be read is refused, and their item is nobody else's", () => {
  const log = new SwitchLog();
  for (const digest of ["", "[]", "1", "null", '{"a":1}', "{"]) ok(!log.apply(1, { seq: 9, digest }), digest);
  equal(log.version, 0);
  ok(isOfSwitches(switchesItem(1, {})) && !isOfSwitches({ key: "", plugin: "census" }));
});
