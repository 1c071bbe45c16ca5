/**
 * Messages that handlers send: each must stand in its target's history once, as sent, in the order of its source, and
 * nothing that nobody sent. A timer's message at most once: whether it is due, and by whose clock, is not reckoned. What should be there is reckoned from the committed histories alone.
 *
 * @module
 */
import { isDeepStrictEqual } from "node:util";
import { formatKey } from "../runtime/base/mod.ts";
import type { SimulatedCluster } from "../tests/simulation/cluster.ts";
import type { Journal } from "../tests/simulation/journal.ts";
import type { CommittedActor } from "./committed.ts";
import { isJson, type LoggedMessage, payloadOf } from "./given_message.ts";
import type { HandFold } from "./hand_fold.ts";

/** A message that must have arrived. */
export interface Owed {
  target: string;
  id: string;
  type: string;
  contentType: string;
  payload: Uint8Array;
  /** one source's messages to one target, by one plugin, keep their order; each timer is a lane of its own */
  lane: string;
  /** a timer: it may not be due yet, or called off */
  mayBeMissing: boolean;
}

/** What an actor's handler sent, by what it did at each message. */
export function sentBy(actor: CommittedActor, plugin: string, { steps }: HandFold): Owed[] {
  return steps.flatMap(({ message, effects }) =>
    effects.flatMap((effect, n): Owed[] => {
      const isTimer = effect.type === "schedule";
      if (effect.type !== "send" && effect.type !== "emit" && !isTimer) return [];
      const target = effect.type === "send" ? formatKey(effect.key) : actor.name;
      const { type, body } = effect.message;
      const contentType = effect.message.contentType ??
        (body instanceof Uint8Array ? "application/octet-stream" : "application/json");
      const id = `${actor.name}#${message.seq}#${plugin}#${n}`;
      const lane = isTimer ? id : `${actor.name} ${plugin} ${target}`;
      const payload = payloadOf(contentType, body ?? null);
      return [{ target, id, type, contentType, payload, lane, mayBeMissing: isTimer }];
    })
  );
}

/**
 * Looks for each message where it must be. What is there is written into the journal as sent and recorded, so that
 * the checkers of histories watch it like a client's.
 */
export function missing(
  owed: readonly Owed[],
  actors: ReadonlyMap<string, CommittedActor>,
  to: { cluster: SimulatedCluster; journal: Journal },
): string[] {
  const { cluster, journal } = to;
  const wrong: string[] = [];
  const places = new Map<string, number>();
  const lanes = new Map<string, number>();
  const decoder = new TextDecoder();
  for (const one of owed) {
    const { target: key, id } = one;
    const found = actors.get(key)?.messages.filter((message) => message.id === id) ?? [];
    if (found.length !== 1 && !(one.mayBeMissing && found.length === 0)) {
      wrong.push(`P5: ${id}, sent by a handler, stands ${found.length} times with its target`);
    }
    if (found.length === 0) continue;
    const [message] = found;
    if (!isSame(one, message)) wrong.push(`P5: ${id} is not as its handler sent it`);
    if (!lanes.has(one.lane)) lanes.set(one.lane, -1 - lanes.size);
    const place = (places.get(one.lane) ?? 0) + 1;
    places.set(one.lane, place);
    const body = decoder.decode(message.payload);
    const about = { client: lanes.get(one.lane)!, place, key, id, body, wish: { text: "" }, ifMatch: -1 };
    journal.sent.push({ ...about, atMs: 0, attempts: 1, ended: "" });
    const number = cluster.living()[0].core.directory.require().shardOf(key);
    const held = cluster.lives.filter(({ core }) => (core.replication.store(number)?.findMessage(key, id) ?? 0) !== 0)
      .map(({ name, dataCenter }) => ({ node: name, dataCenter }));
    journal.recorded.push({ key, id, held, atMs: Math.round(cluster.time.nowMs) });
  }
  return [...wrong, ...unexpected(owed, actors)];
}

/** Messages with ids of effects that no fold of a history asks for. */
function unexpected(owed: readonly Owed[], actors: ReadonlyMap<string, CommittedActor>): string[] {
  const known = new Set(owed.map(({ target, id }) => `${target} ${id}`));
  return [...actors.values()].flatMap(({ name, messages }) =>
    messages.filter(({ id }) => /#\d+#[a-z0-9_-]+#\d+$/.test(id) && !known.has(`${name} ${id}`))
      .map(({ id }) => `P5: ${id} was sent by a handler that does not send it when its history is folded anew`)
  );
}

function isSame(owed: Owed, message: LoggedMessage): boolean {
  if (owed.type !== message.type || owed.contentType !== message.contentType) return false;
  if (!isJson(owed.contentType)) return isDeepStrictEqual([...owed.payload], [...message.payload]);
  const [one, other] = [owed, message].map(({ payload }) => JSON.parse(new TextDecoder().decode(payload)));
  return isDeepStrictEqual(one, other);
}
