/**
 * What plugins that touch the outside ask of their node: to record a message, to read an actor, where they had got to.
 * Nothing of what comes out of their process is believed.
 */
import { type ActorKey, WaterparkError } from "../base/mod.ts";
import type { NodeService } from "../gateway/mod.ts";
import type { IoQuestion } from "../plugin_host/mod.ts";
import type { World } from "../world/mod.ts";

/** The actor whose history is a source's cursor; its writer's node is where a source runs that runs once. */
export function sourceKey(name: string): ActorKey {
  return { kind: "source", facility: "waterpark", id: name };
}

/** What these questions are answered with. */
export interface QuestionsOptions {
  world: World;
  service(): NodeService;
  messageBytesMax: number;
}

const CURSOR_UNITS_MAX = 16 * 1024;
const ATTEMPTS_MAX = 20;
const RETRY_MS = 100;
const RETRY_MS_MAX = 2_000;

/** Answers one plugin. */
export function questionsOf(plugin: string, options: QuestionsOptions): IoQuestion {
  /** seq of the cursor as this process knows it: who runs elsewhere by now has moved it on */
  let cursorSeq: number | null = null;
  /** one at a time: each is recorded only behind the one before */
  let keeping: Promise<unknown> = Promise.resolve();
  const { service } = options;

  const verbs: Record<string, (value: Fields, bytes: Uint8Array | null) => Promise<unknown>> = {
    async send(value, bytes) {
      const payload = bytes ?? new Uint8Array(0);
      if (payload.length > options.messageBytesMax) {
        throw refused("gateway/too-large", `a message has at most ${options.messageBytesMax} bytes`);
      }
      const id = value.id === undefined ? service().newId() : textOf(value.id, "id", 500);
      const request = {
        key: keyOf(value.key),
        id,
        type: textOf(value.type ?? "", "type", 200),
        contentType: textOf(value.contentType, "contentType", 200),
        payload,
        sender: `plugin/${plugin}`,
      };
      for (let attempt = 1;; attempt++) {
        const answer = await service().post(request);
        if (answer.state === "recorded") {
          const { receipt: { seq }, duplicate } = answer;
          return { id, seq, duplicate };
        }
        const { code, outcome, message, retryAfterMs = 0 } = answer;
        const isHopeless = /\/(conflict|too-large|bad-[a-z-]+|precondition-failed)$/.test(code);
        if (isHopeless || attempt === ATTEMPTS_MAX) throw new WaterparkError(message, { code, outcome });
        const waitMs = Math.max(retryAfterMs, Math.min(RETRY_MS_MAX, RETRY_MS * 2 ** Math.min(attempt - 1, 10)));
        await new Promise<void>((resolve) => void options.world.after(waitMs, resolve));
      }
    },
    async read(value) {
      try {
        const { seq, projections } = await service().read(keyOf(value.key));
        return { seq, projections };
      } catch (error) {
        if (isNobody(error)) return null;
        throw error;
      }
    },
    async cursor() {
      const last = await lastOf(service(), plugin);
      cursorSeq = last.seq;
      return last.cursor;
    },
    keep(value) {
      const text = JSON.stringify(value.cursor ?? null);
      if (text.length > CURSOR_UNITS_MAX) {
        throw refused("plugin_host/too-large", `a cursor has at most ${CURSOR_UNITS_MAX} characters`);
      }
      const mine = keeping.then(async () => {
        cursorSeq ??= (await lastOf(service(), plugin)).seq;
        const request = {
          key: sourceKey(plugin),
          type: "cursor",
          contentType: "application/json",
          payload: new TextEncoder().encode(text),
          ifMatch: cursorSeq,
        };
        const answer = await service().post(request);
        if (answer.state !== "recorded") {
          cursorSeq = null;
          throw new WaterparkError(answer.message, { code: answer.code, outcome: answer.outcome });
        }
        cursorSeq = answer.receipt.seq;
        return null;
      });
      keeping = mine.catch(() => {});
      return mine;
    },
  };

  return (verb, value, bytes, done) => {
    const act = Object.hasOwn(verbs, verb) ? verbs[verb] : null;
    if (act === null) return done({ code: "plugin_host/bad-question", text: "there is no such question" });
    Promise.resolve().then(() => act(Object(value), bytes)).then(
      (answer) => done({ value: answer }),
      (error) => {
        const { code = "plugin_host/threw", message = "", outcome } = error as Partial<WaterparkError>;
        done({ code, text: message, ...outcome === undefined ? {} : { outcome } });
      },
    );
  };
}

type Fields = Record<string, unknown>;

/** The cursor that was kept last, and its seq; 0 when none was. */
async function lastOf(service: NodeService, plugin: string): Promise<{ seq: number; cursor: unknown }> {
  try {
    const { seq } = await service.read(sourceKey(plugin), { read: "fresh" });
    const { events } = await service.history(sourceKey(plugin), { after: Math.max(0, seq - 1), limit: 1 });
    const payload = events.at(-1)?.payload;
    return { seq, cursor: payload === undefined ? null : JSON.parse(new TextDecoder().decode(payload)) };
  } catch (error) {
    if (isNobody(error)) return { seq: 0, cursor: null };
    throw error;
  }
}

function isNobody(error: unknown): boolean {
  const code = (error as Partial<WaterparkError>).code;
  return code === "actors/unknown" || code === "actors/retired";
}

function keyOf(value: unknown): ActorKey {
  const { kind, facility, id } = Object(value) as Fields;
  const key = { facility: textOf(facility, "facility", 200), id: textOf(id, "id", 200) };
  return kind === undefined ? key : { ...key, kind: textOf(kind, "kind", 200) };
}

function textOf(value: unknown, name: string, unitsMax: number): string {
  if (typeof value === "string" && value.length <= unitsMax) return value;
  throw refused("plugin_host/bad-question", `${name} must be a text of at most ${unitsMax} characters`);
}

function refused(code: string, rule: string): WaterparkError {
  return new WaterparkError(`Cannot do what the plugin asks as ${rule}`, { code, outcome: "not-applied" });
}
