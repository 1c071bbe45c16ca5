import assert from "node:assert/strict";
import { Ledger } from "./ledger.ts";

const copies = ["TN-A-1", "TX-A-1", "FL-A-1"];
const sent = (n: number) => ({ key: "patient/H/1", id: `m${n}` });
const rule = { copies: 3, dataCenters: 2 };

function booked(seqs: number[]): Ledger {
  const ledger = new Ledger(1, rule);
  for (const seq of seqs) ledger.take(0, sent(seq), { ...sent(seq), seq, copies });
  return ledger;
}

Deno.test("receipts in any order, and as many messages on the nodes, are in order", () => {
  assert.deepEqual(booked([2, 1, 3]).audit(() => 3), { acknowledged: 3, recorded: 3, wrongActors: 0 });
});

Deno.test("a lost, an invented, and a twice given seq are found", () => {
  assert.equal(booked([1, 2]).audit(() => 1).wrongActors, 1);
  assert.equal(booked([1, 2]).audit(() => 3).wrongActors, 1);
  assert.equal(booked([1, 3, 3]).audit(() => 3).wrongActors, 1);
});

Deno.test("a message of unknown outcome may be there or not", () => {
  for (const [seq, wrong] of [[1, 0], [2, 0], [3, 1], [0, 1]]) {
    const ledger = booked([1]);
    ledger.takeRefusal(0, { code: "client/broken", outcome: "unknown" });
    assert.equal(ledger.audit(() => seq).wrongActors, wrong, `seq ${seq}`);
  }
});

Deno.test("a receipt must be for the message, from enough copies in enough data centers", () => {
  for (
    const wrong of [
      { copies: copies.slice(1) },
      { copies: ["TN-A-1", "TN-B-1", "TN-A-2"] },
      { copies: ["TN-A-1", "TN-A-1", "TX-A-1"] },
      { id: "other" },
      { key: "patient/H/2" },
    ]
  ) {
    const ledger = new Ledger(1, rule);
    ledger.take(0, sent(1), { ...sent(1), seq: 1, copies, ...wrong });
    assert.equal(ledger.wrongReceipts, 1, JSON.stringify(wrong));
  }
});
