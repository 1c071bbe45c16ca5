/**
 * Where a flag's value comes from: the command line, else the environment (`WATERPARK_<FLAG>`), else the config file
 * (a JSON object with the flags' names as fields), else its default.
 */
import type { Args, ArgSchema } from "gunshi";
import { fileState, MisuseError } from "./errors.ts";
import { suggest } from "./suggest.ts";

/** A flag's value. */
export type Value = string | number | boolean;

/** What {@linkcode resolveSettings} chooses from. */
export interface Sources {
  /** from the command line, defaults filled in */
  values: Record<string, unknown>;
  /** which of them somebody typed */
  explicit: Record<string, boolean>;
  /** the environment */
  env: (name: string) => string | undefined;
  /** the config file's fields */
  file: Record<string, unknown>;
}

/** The variable for a flag: `base-port` is `WATERPARK_BASE_PORT`. */
export function variableOf(flag: string): string {
  return `WATERPARK_${flag.toUpperCase().replaceAll("-", "_")}`;
}

/**
 * The values in force.
 *
 * @throws {MisuseError} when a value is not of the flag's type
 */
export function resolveSettings(args: Args, { values, explicit, env, file }: Sources): Record<string, unknown> {
  const resolved = { ...values };
  for (const [flag, schema] of Object.entries(args)) {
    if (schema.type === "positional" || explicit[flag]) continue;
    const variable = variableOf(flag);
    const fromEnv = env(variable);
    if (fromEnv !== undefined && fromEnv !== "") resolved[flag] = valueOf(schema, fromEnv, variable);
    else if (file[flag] !== undefined) resolved[flag] = valueOf(schema, file[flag], `the config file's "${flag}"`);
  }
  return resolved;
}

/**
 * Reads a config file.
 *
 * @throws {MisuseError} when it cannot be read, is no JSON object, or has a field that is no flag
 */
export async function readConfig(path: string, knownFlags: Iterable<string>): Promise<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    throw new MisuseError(`Cannot read the config file "${path}" as it must be JSON: ${fileState(error)}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new MisuseError(`Cannot read the config file "${path}" as it must be one JSON object`);
  }
  const known = new Set(knownFlags);
  for (const field of Object.keys(value)) {
    if (known.has(field)) continue;
    const meant = suggest(field, known);
    throw new MisuseError(
      `Cannot use "${field}" of the config file as it must be a flag's name`,
      meant === undefined ? undefined : `did you mean "${meant}"?`,
    );
  }
  return value as Record<string, unknown>;
}

function valueOf(schema: ArgSchema, given: unknown, where: string): Value {
  const text = Array.isArray(given) ? given.join(",") : String(given);
  if (schema.type === "number") {
    const number = Number(text);
    if (text.trim() !== "" && Number.isFinite(number)) return number;
    throw new MisuseError(`Cannot use ${where} as it must be a number: "${text}"`);
  }
  if (schema.type === "boolean") {
    if (/^(1|true|yes|on)$/i.test(text)) return true;
    if (/^(0|false|no|off)$/i.test(text)) return false;
    throw new MisuseError(`Cannot use ${where} as it must be true or false: "${text}"`);
  }
  if (schema.type === "enum" && !schema.choices?.includes(text)) {
    throw new MisuseError(`Cannot use ${where} as it must be one of ${schema.choices?.join(", ")}: "${text}"`);
  }
  return text;
}
