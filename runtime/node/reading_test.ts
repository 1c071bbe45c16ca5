import assert from "node:assert/strict";
import type { Actors } from "../actors/mod.ts";
import type { Replication } from "../replication/mod.ts";
import { SeededRandom, SimulatedTime, simulatedWorld } from "../world/mod.ts";
import { Reading } from "./reading.ts";
import type { RequestHandler, RequestResult, Requests } from "./requests.ts";

/** A reading whose node writes everything; asked by its peers. */
function readingOf(knowsPlugins: boolean): { ask: (method: string, body: unknown) => RequestResult | null } {
  const time = new SimulatedTime();
  const handlers = new Map<string, RequestHandler>();
  const requests: Pick<Requests, "handle"> = { handle: (method, handler) => void handlers.set(method, handler) };
  const replication: Pick<Replication, "isWriter"> = { isWriter: () => true };
  const actors = {
    standstill: () => "",
    whenHandled: (...args: unknown[]) => (args[4] as (result: unknown) => void)({ state: "handled", reply: 1 }),
  };
  new Reading({
    world: simulatedWorld({ time, random: new SeededRandom(1), isAlive: () => true }),
    self: 1,
    requests: requests as Requests,
    replication: replication as Replication,
    actors: actors as unknown as Actors,
    isSuspect: () => false,
    targets: () => [1],
    lend: () => true,
    knowsPlugins: () => knowsPlugins,
    requestMs: 1000,
  });
  return {
    ask(method, body) {
      let told: RequestResult | null = null;
      handlers.get(method)!(body, (result) => told = result, 2);
      return told;
    },
  };
}

const BODY = { shard: 7, key: "patient/H/1", seq: 1, timeoutMs: 100, after: 0, at: 0, mode: "writer" };

Deno.test("who does not know the plugins yet calls nothing handled, and folds nothing", () => {
  assert.equal(readingOf(true).ask("handled", BODY)?.ok, true);
  const ignorant = readingOf(false);
  assert.equal(ignorant.ask("handled", BODY)?.ok, false);
  assert.equal(ignorant.ask("read", BODY)?.ok, false);
});
