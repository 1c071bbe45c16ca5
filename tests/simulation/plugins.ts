/**
 * The plugins that run in every simulation. `chain` folds patients: what it keeps depends on every message before, and on
 * their order, so no message can be missing, doubled or moved without a trace. It does what messages ask for: sends to a
 * ward, tells its own patient something derived, replies, sets timers and takes them back, ends the patient's life,
 * throws, or kills its host. `census` folds the wards.
 */
import { defineHandler, type Effect, effect, type HandlerDefinition } from "../../runtime/plugin_host/mod.ts";
import { DESK, goesToDesk } from "./desk.ts";

/** What a client's message asks the handler for; all fields but `text` may be left out. */
export interface Wish {
  text: string;
  /** id of the ward, in the patient's facility, that is told */
  ward?: string;
  /** the patient is told something derived */
  emit?: true;
  /** who waits for the handlers gets a reply */
  reply?: true;
  /** the patient is told that it is time, so long after the message, ms; under a name */
  remind?: { name: string; afterMs: number };
  /** the timer of that name is taken back */
  forget?: string;
  /** the patient's life ends, if nothing comes after it */
  retire?: true;
  /** what a version with that fault does at this message */
  trouble?: "throw" | "kill";
}

/** What the plugins keep. */
export interface Chained {
  count: number;
  /** a number that follows from all ids so far, in their order */
  chain: number;
  /** which version has folded the last message */
  version: number;
}

/** A version of one of the plugins. */
export interface SimulatedVersion {
  plugin: "chain" | "census";
  version: number;
  hash: string;
  /** the kind of actor that it handles */
  kind: string;
  /** messages that ask for it make it throw */
  throws: boolean;
  /** messages that ask for it kill its host */
  kills: boolean;
}

/** A version; sound unless said otherwise. */
export function versionOf(
  plugin: SimulatedVersion["plugin"],
  version: number,
  about: { kind?: string; throws?: boolean; kills?: boolean } = {},
): SimulatedVersion {
  const hash = (plugin === "chain" ? "c" : "d") + version.toString(16).padStart(63, "0");
  const kind = plugin === "chain" ? "patient" : "ward";
  return { plugin, version, hash, kind, throws: false, kills: false, ...about };
}

/** The handler of a version; `onKill` is called when it kills its host. */
export function handlerOf(version: SimulatedVersion, onKill: () => void): HandlerDefinition {
  return defineHandler<Chained>({
    name: version.plugin,
    kind: version.kind,
    initial: { count: 0, chain: 0, version: 0 },
    handle(key, before, message) {
      const after = { count: before.count + 1, chain: linkOf(before.chain, message.id), version: version.version };
      if (message.type !== "tick" || version.plugin === "census") return ["ok", after, []];
      const wish: Wish = message.body;
      if (version.throws && wish.trouble === "throw") throw new Error("as asked for");
      if (version.kills && wish.trouble === "kill") onKill();
      // Who is told is told which version has decided: two decisions about one message could not hide.
      const told = { seq: message.seq, version: version.version };
      const effects: Effect[] = [];
      if (wish.ward !== undefined) {
        const from = `${key.kind}/${key.facility}/${key.id}`;
        effects.push(
          effect.send({ kind: "ward", facility: key.facility, id: wish.ward }, { type: "told", from, ...told }),
        );
      }
      if (wish.emit) effects.push(effect.emit({ type: "derived", ...told }));
      if (wish.reply) effects.push(effect.reply(told));
      if (wish.remind !== undefined) {
        const { name, afterMs } = wish.remind;
        effects.push(effect.schedule(name, { afterMs }, { type: "due", ...told }));
      }
      if (wish.forget !== undefined) effects.push(effect.cancel(wish.forget));
      if (goesToDesk(message.id)) effects.push(effect.deliver(DESK, { type: "told", body: told }));
      if (wish.retire) effects.push(effect.retire());
      return ["ok", after, effects];
    },
  }) as HandlerDefinition;
}

function linkOf(chain: number, id: string): number {
  let value = chain;
  for (let i = 0; i < id.length; i++) value = (value * 31 + id.charCodeAt(i)) % 0x7fffffff;
  return (value * 31 + 7) % 0x7fffffff;
}
