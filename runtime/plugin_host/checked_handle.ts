/**
 * What stands between a handler and its messages when it has declared schemas: a doorman, who lets in what is on the
 * list, sends the rest away as the handler said, and looks into the bags of whoever leaves.
 *
 * It is part of the handler itself, since `defineHandler` puts it there: whoever calls `handle`, a host, a test, the
 * simulator, gets the same answer. In a bundle it runs in the plugin's context, so it uses nothing but ECMAScript.
 *
 * Faults and alerts say where a value is wrong, never what it is, nor what the library says about it: several libraries
 * quote the value, and that is a patient's.
 *
 * @module
 */
import type { HandlerDefinition, HandlerMessage, HandlerResult } from "./sdk.ts";
import type { Schema, SchemaIssue, SchemasByType } from "./standard_schema.ts";

const { hasOwn } = Object;
const { isArray } = Array;
const { stringify } = JSON;

/** How many places a fault names. */
const PLACES_MAX = 3;
/** What a field is called. Other parts of a path (a map's keys) are data more often than not, and shown as a star. */
const FIELD = /^[A-Za-z_]{1,40}$/;

type Handle = HandlerDefinition["handle"];

/** Handles that have their doorman: one that stands there twice would change what a schema makes of a body twice. */
const guarded = new WeakSet<Handle>();

/** A fault that a schema led to; its code is the fault's. */
export class SchemaFault extends Error {
  /** `plugin_host/invalid-message`, `plugin_host/invalid-projections` or `plugin_host/async-schema` */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** The handler's `handle`, behind the schemas that it declares; itself where there are none. */
export function checkedHandle(definition: HandlerDefinition): Handle {
  const { name, messages, projections: kept, whenInvalid = "alert", handle: inner } = definition;
  if ((messages === undefined && kept === undefined) || guarded.has(inner)) return inner;
  // called as a method, as it would be without schemas
  const handle: Handle = (key, projections, message, history, switches) => {
    const admitted = messages === undefined ? { message } : admit(message, messages);
    if (admitted === null) return ["ok", projections, []];
    if ("wrong" in admitted) {
      if (whenInvalid === "ignore") return ["ok", projections, []];
      const text = `the body of a message must be what its schema says: it is not, ${admitted.wrong}`;
      if (whenInvalid === "park") {
        throw new SchemaFault("plugin_host/invalid-message", `Cannot handle the message as ${text}`);
      }
      return ["ok", projections, [{ type: "alert", code: `${name}/invalid-message`, text }]];
    }
    const result = inner.call(definition, key, projections, admitted.message, history, switches);
    if (kept !== undefined && isArray(result)) checkProjections(kept, result);
    return result;
  };
  guarded.add(handle);
  return handle;
}

/** What is wrong with projections before the first message; `""` when nothing is. */
export function problemOfInitial(schema: Schema, initial: unknown): string {
  try {
    const { issues } = look(schema, initial);
    return issues === undefined
      ? ""
      : `its initial must be what its projections' schema says: it is not, ${placesOf(issues)}`;
  } catch (error) {
    return `its projections' schema must be able to look at its initial: ${(error as Error).message}`;
  }
}

/** Whether a value is a Standard Schema; some libraries make them functions. */
export function isSchema(value: unknown): value is Schema {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  const standard = (value as Partial<Schema>)["~standard"];
  return standard?.version === 1 && typeof standard.validate === "function";
}

function admit(
  message: HandlerMessage,
  messages: Schema | SchemasByType,
): { message: HandlerMessage } | { wrong: string } | null {
  const schema = isSchema(messages) ? messages : hasOwn(messages, message.type) ? messages[message.type] : undefined;
  if (schema === undefined) return null;
  let body: unknown;
  try {
    body = message.body;
  } catch {
    return { wrong: `its bytes are not what its media type says` };
  }
  const { issues, value } = look(schema, body);
  if (issues !== undefined) return { wrong: placesOf(issues) };
  const { id, seq, at, type, contentType } = message;
  return { message: { id, seq, at, type, contentType, body: value } };
}

function checkProjections(schema: Schema, result: HandlerResult<unknown>): void {
  if (result[0] !== "ok") return;
  const { issues } = look(schema, result[1]);
  if (issues === undefined) return;
  throw new SchemaFault(
    "plugin_host/invalid-projections",
    `Cannot keep the projections as they must be what their schema says: they are not, ${placesOf(issues)}`,
  );
}

interface Look {
  value?: unknown;
  issues?: readonly SchemaIssue[];
}

function look(schema: Schema, value: unknown): Look {
  let answer: unknown;
  try {
    answer = schema["~standard"].validate(value);
  } catch (error) {
    // zod, when anything throws in it, begins again asynchronously: in a plugin's context that ends here
    if (/Promise\.prototype/.test(String((error as Error | null)?.message))) throw asynchronous();
    throw error;
  }
  if (typeof (answer as { then?: unknown } | null)?.then === "function") throw asynchronous();
  return answer as Look;
}

function asynchronous(): SchemaFault {
  return new SchemaFault(
    "plugin_host/async-schema",
    "Cannot look at a value as a schema must answer at once: it is asynchronous, or its own code throws",
  );
}

function placesOf(issues: readonly SchemaIssue[]): string {
  const places: string[] = [];
  for (let i = 0; i < issues.length && i < PLACES_MAX; i++) places[i] = placeOf(issues[i]);
  const more = issues.length > PLACES_MAX ? ` and ${issues.length - PLACES_MAX} more` : "";
  return `at ${places.join(", ")}${more}`;
}

function placeOf({ path = [] }: SchemaIssue): string {
  if (path.length === 0) return "its top";
  const parts: string[] = [];
  for (let i = 0; i < path.length; i++) {
    const part = path[i];
    const key = typeof part === "object" ? part.key : part;
    parts[i] = typeof key === "number" || FIELD.test(String(key)) ? String(key) : "*";
  }
  return stringify(parts.join("."));
}
