import assert from "node:assert/strict";
import fc from "fast-check";
import type { PostResult } from "./contract.ts";
import { ModelCluster } from "./model_cluster.ts";
import type { Mutation } from "./model_shard.ts";

interface Sent {
  node: number;
  key: string;
  id: string;
  sender: string;
  body: string;
  results: PostResult[];
}

/** A storm of ten seconds, then calm until everything late has come; throws when a law is broken. */
function storm(
  seed: number,
  mutation: Mutation,
  ifMatchOneIn = 10,
): { recorded: number; unknown: number; notApplied: number } {
  const cluster = new ModelCluster(seed, { mutation });
  const { time, random, nodes, shards } = cluster;
  cluster.weather = { lost: 6, doubled: 8, late: 8, lateMsMax: 14_000 };
  const sent: Sent[] = [];
  // A sender that is refused gives that message up and goes on under another name.
  const lives = new Map<string, number>();
  const post = () => {
    const number = sent.length;
    const name = ["", "a", "b"][random.below(3)];
    // one in twelve uses an id that was used before, with the same bytes or others
    const before = random.below(12) === 0 && number > 0 ? sent[random.below(number)] : null;
    const key = before?.key ?? `patient/H/${random.below(4)}`;
    const id = before?.id ?? `m${number}`;
    const body = before !== null && random.below(2) === 0 ? before.body : `body ${number}`;
    const node = nodes[random.below(3)];
    const life = `${node} ${name} ${key}`;
    const sender = name === "" ? "" : `${name}${lives.get(life) ?? 0}`;
    const message: Sent = { node, key, id, sender, body, results: [] };
    sent.push(message);
    cluster.post(message.node, {
      key,
      id,
      sender,
      payload: new TextEncoder().encode(body),
      ifMatch: random.below(ifMatchOneIn) === 0 ? random.below(8) : undefined,
      deadlineMs: random.below(3) === 0 ? 50 + random.below(1500) : undefined,
    }, (result) => {
      message.results.push(result);
      const isLasting = result.state === "refused" && ["mailroom/timeout", "mailroom/stopped"].includes(result.code);
      if (isLasting && random.below(2) === 0) lives.set(life, (lives.get(life) ?? 0) + 1);
    });
  };
  for (let i = 0; i < 40; i++) {
    time.after(random.below(10_000), () => {
      for (let k = random.below(6); k >= 0; k--) post();
    });
  }
  for (let i = 0; i < 12; i++) {
    time.after(random.below(10_000), () => {
      shards[random.below(2)].change(nodes[random.below(3)], {
        afterMs: random.below(400),
        blindMs: random.below(800),
      });
    });
    const node = nodes[random.below(3)];
    const cutMs = random.below(10_000);
    time.after(cutMs, () => cluster.setCut(node, true));
    time.after(cutMs + random.below(600), () => cluster.setCut(node, false));
  }
  time.runUntil(40_000);
  return check(cluster, sent);
}

function check(cluster: ModelCluster, sent: Sent[]): { recorded: number; unknown: number; notApplied: number } {
  const log = cluster.shards.flatMap(({ committed }) => committed);
  const text = new TextDecoder();
  const places = new Map<string, number>();
  for (const [place, { proposal }] of log.entries()) {
    const name = `${proposal.key} ${proposal.id}`;
    assert.ok(!places.has(name), "a message stands in the log once");
    places.set(name, place);
  }
  const count = { recorded: 0, unknown: 0, notApplied: 0 };
  const lastPlace = new Map<string, number>();
  /** streams in which a message was refused for now and does not stand, nor was posted again */
  const open = new Set<string>();
  for (const [number, { node, key, id, sender, body, results }] of sent.entries()) {
    assert.equal(results.length, 1, "every posting ends once");
    const [result] = results;
    const place = places.get(`${key} ${id}`);
    const same = sent.filter((other) => other.key === key && other.id === id);
    const stands = place !== undefined && text.decode(log[place].proposal.payload) === body;
    if (result.state === "recorded") {
      count.recorded++;
      assert.ok(stands, "what is recorded stands in the log");
    } else if (result.outcome === "not-applied") {
      count.notApplied++;
      if (same.length === 1) assert.ok(!stands, `what is not-applied does not stand in the log: ${result.code}`);
    } else count.unknown++;
    const stream = `${node} ${sender} ${key}`;
    if (
      sender !== "" && result.state === "refused" && result.code === "mailroom/timeout" && same.length === 1 && !stands
    ) {
      open.add(stream);
    }
    // A second posting under an id stands where the first one does; order is a law for first postings.
    if (sender === "" || place === undefined || !stands || sent.indexOf(same[0]) !== number || same.length > 1) {
      continue;
    }
    assert.ok(!open.has(stream), "nothing overtakes a message that was refused for now");
    assert.ok(place > (lastPlace.get(stream) ?? -1), "the log keeps the order of each stream");
    lastPlace.set(stream, place);
  }
  for (const mailroom of cluster.mailrooms.values()) assert.equal(mailroom.pending() + mailroom.pendingRemote(), 0);
  return count;
}

Deno.test("law: through lost, doubled, late frames and moving writers each posting ends once, in order, truly", () => {
  const total = { recorded: 0, unknown: 0, notApplied: 0 };
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const count = storm(seed, "none");
      total.recorded += count.recorded;
      total.unknown += count.unknown;
      total.notApplied += count.notApplied;
    }),
    { numRuns: 60 },
  );
  // the storm is no excuse
  assert.ok(total.recorded > 0.7 * (total.recorded + total.unknown + total.notApplied), JSON.stringify(total));
});

/**
 * Where to begin: the fence and the moving `oldest` guard what a stopped stream does not, a late try of a message whose
 * `If-Match` did not hold; storms that show it are rare, so these begin shortly before one.
 */
const FIRST_SEED = { "no-fence": 5700, "no-order": 1, "no-dedupe": 1, "late-oldest": 6100 } as const;

for (const mutation of ["no-fence", "no-order", "no-dedupe", "late-oldest"] as const) {
  Deno.test(`law: a writer with ${mutation} is caught`, () => {
    let caught = "";
    const first = FIRST_SEED[mutation];
    for (let seed = first; seed < first + 400 && caught === ""; seed++) {
      try {
        storm(seed, mutation, 3);
      } catch (error) {
        assert.ok(error instanceof assert.AssertionError);
        caught = `${seed} ${error.message}`;
      }
    }
    assert.match(caught, mutation === "no-dedupe" ? /once/ : /order|overtakes/);
  });
}
