import assert from "node:assert/strict";
import { ackRuleFault, configWith, DEFAULTS } from "./config.ts";

Deno.test("config: the defaults stand together, and an override keeps the rest", () => {
  assert.deepEqual(configWith(), DEFAULTS);
  const config = configWith({ copies: 7, ack: { copies: 4 }, replication: { tickMs: 10 } });
  assert.equal(config.ack.dataCenters, DEFAULTS.ack.dataCenters);
  assert.equal(config.replication.staggerMsMin, DEFAULTS.replication.staggerMsMin);
});

Deno.test("config: what cannot stand together is refused at start", () => {
  assert.throws(() => configWith({ ack: { copies: 2 } }), { name: "AssertionError" }, "two of five are no majority");
  assert.throws(() => configWith({ ack: { copies: 6 } }), { name: "AssertionError" });
  assert.throws(() => configWith({ absentAfterMs: 100 }), { name: "AssertionError" });
  assert.throws(() => configWith({ requestMs: 100 }), { name: "AssertionError" });
});

Deno.test("config: a rule that the loss of one data center would make impossible is told", () => {
  assert.equal(ackRuleFault(DEFAULTS), null);
  assert.equal(ackRuleFault(configWith({ copies: 3 })), null, "two of three, by default");
  assert.equal(ackRuleFault(configWith({ copies: 1 })), null, "nobody is held to what he did not ask for");
  assert.match(ackRuleFault(configWith({ ack: { copies: 4 } }))!, /3 are left/);
  assert.match(ackRuleFault(configWith({ copies: 7, ack: { copies: 5, dataCenters: 4 } }))!, /3 data centers/);
});
