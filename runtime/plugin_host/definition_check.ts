import { isSchema, problemOfInitial } from "./checked_handle.ts";
import type { HandlerDefinition } from "./sdk.ts";

const LIMITS: Record<string, [least: number, most: number]> = { projectionsKiB: [1, 1_024], effectsMax: [0, 100] };
const TYPES_MAX = 1_000;

/** What is wrong with a plugin's default export; `""` when nothing is. */
export function problemOfDefinition(value: unknown): string {
  if (typeof value !== "object" || value === null) {
    return "the module must export a handler by default: export default defineHandler({ ... })";
  }
  const { name, kind, initial, handle } = value as Partial<HandlerDefinition>;
  if (typeof name !== "string" || !/^[a-z][a-z0-9_-]{0,63}$/.test(name)) {
    return "its name must be 1 to 64 lower-case letters, digits, - and _, a letter first";
  }
  if (typeof kind !== "string" || !/^\P{Cc}{1,200}$/u.test(kind)) {
    return "its kind must name the kind of actor that it handles, as in patient";
  }
  if (typeof handle !== "function") return "its handle must be a function";
  if (initial === undefined) return "its initial must be plain data: the projections before the first message";
  const manifest = value as HandlerDefinition;
  return problemOfSchemas(manifest) || problemOfEffects(manifest) || problemOfLimits(manifest);
}

function problemOfSchemas({ messages, whenInvalid, projections, initial }: HandlerDefinition): string {
  if (messages !== undefined && !isSchema(messages)) {
    const isTable = typeof messages === "object" && messages !== null;
    if (!isTable) return "its messages must be a Standard Schema, or one by type of message: { admit: z.object(...) }";
    const types = Object.keys(messages);
    if (types.length < 1 || types.length > TYPES_MAX) {
      return `its messages must have 1 to ${TYPES_MAX} types: there are ${types.length}`;
    }
    const other = types.find((type) => !isSchema(messages[type]));
    if (other !== undefined) {
      return `its messages must have a Standard Schema 1 for each type, as zod, valibot and arktype make them: "${other}" has none`;
    }
  }
  if (whenInvalid !== undefined) {
    if (messages === undefined) return "its whenInvalid needs messages: without schemas no message is invalid";
    if (!["alert", "ignore", "park"].includes(whenInvalid)) return "its whenInvalid must be alert, ignore or park";
  }
  if (projections === undefined) return "";
  if (!isSchema(projections)) return "its projections must be a Standard Schema, as zod, valibot and arktype make them";
  return problemOfInitial(projections, initial);
}

function problemOfEffects({ effects }: HandlerDefinition): string {
  const isList = effects === undefined || (Array.isArray(effects) && effects.every((type) => typeof type === "string"));
  return isList ? "" : 'its effects must be a list of the effects that it asks for: ["send", "alert"]';
}

function problemOfLimits({ limits = {} }: HandlerDefinition): string {
  if (typeof limits !== "object" || limits === null) return "its limits must be an object: { projectionsKiB: 64 }";
  for (const [name, value] of Object.entries(limits)) {
    if (!Object.hasOwn(LIMITS, name)) {
      return `there is no limit "${name}" for handlers: there are ${Object.keys(LIMITS).join(" and ")}`;
    }
    const [least, most] = LIMITS[name];
    if (!Number.isInteger(value) || value < least || value > most) {
      return `its limit ${name} must be a whole number from ${least} to ${most}`;
    }
  }
  return "";
}
