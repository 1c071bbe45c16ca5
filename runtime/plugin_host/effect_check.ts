/**
 * Whether what a handler asks for is an effect. Checked twice: inside the plugin's context, so that the fault names the
 * right message, and in the node, which believes nothing that comes out of the host's process.
 *
 * @module
 */
import { fullKey } from "../base/mod.ts";
import type { Effect } from "../effects/mod.ts";

/** How many effects one message may lead to. */
export const EFFECTS_MAX = 100;

/** A fault found in an effect: code and text; null when there is none. */
export type EffectProblem = { code: "plugin_host/unknown-effect" | "plugin_host/bad-effect"; message: string } | null;

/**
 * What is wrong with an effect.
 *
 * @param value plain data: the effect as it crosses from the context, a body of bytes being `bytes`, one unit a byte
 */
export function problemOfEffect(value: unknown): EffectProblem {
  if (typeof value !== "object" || value === null) return bad("an effect must be an object with a type");
  const effect = value as Record<string, unknown>;
  switch (effect.type) {
    case "send":
      return foreignField(effect, ["type", "key", "message"]) ?? problemOfKey(effect.key) ??
        problemOfMessage(effect.message);
    case "emit":
      return foreignField(effect, ["type", "message"]) ?? problemOfMessage(effect.message);
    case "reply":
      return foreignField(effect, ["type", "body"]);
    case "alert":
      if (typeof effect.code !== "string" || effect.code === "" || effect.code.length > 200) {
        return bad("an alert needs a code of 1 to 200 characters");
      }
      if (typeof effect.text !== "string" || effect.text.length > 2_000) {
        return bad("an alert needs a text of at most 2000 characters");
      }
      return foreignField(effect, ["type", "code", "text"]);
    case "schedule":
      return foreignField(effect, ["type", "name", "at", "afterMs", "message"]) ?? problemOfTimerName(effect.name) ??
        problemOfTime(effect) ?? problemOfMessage(effect.message);
    case "cancel":
      return foreignField(effect, ["type", "name"]) ?? problemOfTimerName(effect.name);
    case "retire":
      return foreignField(effect, ["type"]);
    case "deliver":
      return foreignField(effect, ["type", "sink", "message", "options", "answerAs"]) ??
        problemOfType(effect.answerAs) ?? problemOfSink(effect.sink) ??
        problemOfOptions(effect.options) ?? problemOfMessage(effect.message);
    default:
      return {
        code: "plugin_host/unknown-effect",
        message: `Cannot take the effect as there are send, emit, reply, alert, schedule, cancel, retire and deliver: ${
          quoted(effect.type)
        }`,
      };
  }
}

function problemOfKey(key: unknown): EffectProblem {
  if (typeof key !== "object" || key === null) return bad("send needs a key { kind?, facility, id }");
  const foreign = foreignField(key as Record<string, unknown>, ["kind", "facility", "id"]);
  if (foreign !== null) return foreign;
  try {
    fullKey(key as { kind?: string; facility: string; id: string });
    return null;
  } catch (error) {
    return bad((error as Error).message);
  }
}

function problemOfSink(sink: unknown): EffectProblem {
  const isName = typeof sink === "string" && /^[a-z][a-z0-9_-]{0,63}$/.test(sink);
  return isName ? null : bad("deliver needs the name of a sink");
}

function problemOfType(type: unknown): EffectProblem {
  const isType = type === undefined || (typeof type === "string" && type !== "" && type.length <= 200);
  return isType ? null : bad("answerAs must be a message's type, of 1 to 200 characters");
}

function problemOfOptions(options: unknown): EffectProblem {
  if (options === undefined) return null;
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    return bad("options must be an object");
  }
  const all = Object.entries(options);
  const areTexts = all.every(([name, value]) =>
    name.length <= 100 && typeof value === "string" && value.length <= 1_000
  );
  return all.length <= 20 && areTexts ? null : bad("options must be at most 20 texts of at most 1000 characters");
}

function problemOfTimerName(name: unknown): EffectProblem {
  const isName = typeof name === "string" && name !== "" && name.length <= 200;
  return isName ? null : bad("a timer needs a name of 1 to 200 characters");
}

/** Times that a `Date` knows: 100 million days from 1970. */
const TIME_MS_MAX = 8.64e15;

function problemOfTime({ at, afterMs }: Record<string, unknown>): EffectProblem {
  if ((at === undefined) === (afterMs === undefined)) return bad("a timer needs one of at and afterMs");
  const time = at ?? afterMs;
  const isTime = typeof time === "number" && time >= 0 && time <= TIME_MS_MAX;
  return isTime ? null : bad("a timer's at, or afterMs, must be a number of ms from 0");
}

function problemOfMessage(message: unknown): EffectProblem {
  if (typeof message !== "object" || message === null) return bad("an effect's message must be { type, body }");
  const { type, contentType, bytes } = message as Record<string, unknown>;
  if (typeof type !== "string" || type.length > 200) return bad("a message's type must have at most 200 characters");
  if (contentType !== undefined && (typeof contentType !== "string" || contentType.length > 200)) {
    return bad("a message's contentType must have at most 200 characters");
  }
  if (bytes !== undefined && typeof bytes !== "string") return bad("a message's bytes are given as its body");
  return foreignField(message as Record<string, unknown>, ["type", "contentType", "body", "bytes"]);
}

function foreignField(value: Record<string, unknown>, known: string[]): EffectProblem {
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) return bad(`${quoted(key)} is no field of it; there are ${known.join(", ")}`);
  }
  return null;
}

function bad(state: string): EffectProblem {
  return { code: "plugin_host/bad-effect", message: `Cannot take the effect as it must be well-formed: ${state}` };
}

function quoted(value: unknown): string {
  return typeof value === "string" ? `"${value.slice(0, 40)}"` : typeof value;
}

/** The effect as it crosses from the context: a body of bytes becomes a string `bytes`, since JSON has none. */
export function packEffect(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const { message } = value as { message?: unknown };
  if (typeof message !== "object" || message === null) return value;
  const { body, ...rest } = message as Record<string, unknown>;
  if (!(body instanceof Uint8Array)) return value;
  let bytes = "";
  for (let i = 0; i < body.length; i++) bytes += String.fromCharCode(body[i]);
  return { ...value, message: { ...rest, bytes } };
}

/** The effect that {@linkcode packEffect} packed; `value` has been found to be one. */
export function unpackEffect(value: unknown): Effect {
  const { message } = value as { message?: Record<string, unknown> };
  if (message?.bytes === undefined) return value as Effect;
  const { bytes, ...rest } = message as { bytes: string };
  return { ...value as object, message: { ...rest, body: Uint8Array.from(bytes, (c) => c.charCodeAt(0)) } } as Effect;
}
