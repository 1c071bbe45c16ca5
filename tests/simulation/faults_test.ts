/** Each fault alone: it happens, clients go on through it, and everything holds. */
import assert from "node:assert/strict";
import type { Journal } from "./journal.ts";
import { calmOptions, type SimulationOptions } from "./options.ts";
import { simulate } from "./simulate.ts";

/** What shows in the trace, or in the journal, that the fault was there. */
interface Sign {
  set: Partial<SimulationOptions>;
  traced?: RegExp;
  seen?: (journal: Journal) => boolean;
}

const SIGNS: Record<string, Sign> = {
  crashes: { set: { crashEveryMs: 900 }, traced: /fault +crash/ },
  "a lost zone": { set: { crashEveryMs: 900, zoneRate: 1 }, traced: /fault +crash/ },
  "a lost data center": {
    set: { crashEveryMs: 900, dataCenterRate: 1 },
    traced: /TX-A-1 +fault +crash(.|\n)*TX-B-1 +fault +crash/,
  },
  "crashes that leave the disks": { set: { crashEveryMs: 900, hasDisks: true, syncMs: 10 }, traced: /node +back/ },
  "outages of everything": { set: { hasDisks: true, syncMs: 10, outageEveryMs: 2500 }, traced: /fault +outage/ },
  restarts: { set: { restartEveryMs: 1000 }, traced: /fault +drain/ },
  // a drained node goes when it is empty, which may take seconds
  operations: { set: { operationEveryMs: 1200, safetyMs: 9000 }, traced: /fault +(goodbye|remove)/ },
  "hand-overs": { set: { handOverEveryMs: 600 }, traced: /fault +hand-over/ },
  cuts: { set: { cutEveryMs: 400 }, traced: /fault +cut/ },
  splits: { set: { splitEveryMs: 1500 }, traced: /fault +split/ },
  isolations: { set: { isolateEveryMs: 1000 }, traced: /fault +isolated/ },
  "full links": { set: { clogEveryMs: 600 }, traced: /fault +clogged/ },
  "slow nodes": { set: { slowNodeEveryMs: 800 }, traced: /fault +slow/ },
  stalls: { set: { stallEveryMs: 1000 }, traced: /fault +stalls/ },
  "wrong clocks": { set: { clockJumpEveryMs: 300, clockDrift: 0.05, timerRate: 0.5 }, traced: /fault +clock/ },
  "roll-backs": { set: { deployEveryMs: 800, rollbackEveryMs: 700 }, traced: /fault +rollback/ },
  "broken versions": {
    set: { deployEveryMs: 500, brokenVersionRate: 0.9, wishRate: 1 },
    seen: (journal) => journal.outcomes.some(({ state }) => state === "parked"),
  },
  "dying hosts": { set: { hostCrashEveryMs: 200, foldMsMax: 20 }, traced: /fault +host-dies/ },
  "queues with no room": {
    set: { isTight: true, pipeline: 8 },
    traced: /refused +id=\S+ code=mailroom\/busy/,
  },
  "clients that do not wait": {
    set: { patienceMs: 300, stallEveryMs: 700 },
    seen: (journal) => journal.acknowledged.some(({ duplicate }) => duplicate),
  },
  "repetitions and forgeries": {
    set: { echoRate: 1 },
    seen: (journal) => journal.forged.some(({ answer }) => answer === "mailroom/conflict"),
  },
  "messages for a given seq": {
    set: { ifMatchRate: 1, actors: 2, clients: 3 },
    traced: /refused +id=\S+ code=mailroom\/precondition/,
  },
  timers: { set: { wishRate: 1, timerRate: 1 }, seen: (journal) => journal.fired.length > 10 },
  "lives that end": { set: { wishRate: 1, retireRate: 1 }, seen: (journal) => journal.retired.length > 3 },
};

for (const [name, { set, traced, seen }] of Object.entries(SIGNS)) {
  Deno.test(`faults: ${name}, alone`, () => {
    const lines: string[] = [];
    let isSeen = seen === undefined;
    const calm = { ...calmOptions(7, 8), safetyMs: 4000, shardsPerSet: 2, pauseMs: 40, deployEveryMs: 0 };
    const { verdict, findings, acknowledged } = simulate(7, {
      override: { ...calm, ...set },
      trace: (line) => lines.push(line),
      spoil: (journal) => isSeen ||= seen!(journal),
    });
    assert.equal(verdict, "held", findings.join("\n"));
    assert.ok(acknowledged > 20, "clients went on");
    assert.ok(isSeen && (traced === undefined || traced.test(lines.join("\n"))), "what is tested was there");
  });
}
