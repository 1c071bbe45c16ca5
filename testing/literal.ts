import { Hl7View } from "../runtime/wire/mod.ts";
import { envelopeOf, type GivenMessage, isJson, logged } from "./given_message.ts";

const NAME = /^[A-Za-z_$][\w$]*$/;

/** A history as the elements of a TypeScript array, one message a line, two levels in. */
export function literalOfHistory(history: readonly GivenMessage[]): string {
  return history.map((given) => `    ${literalOfMessage(given)},\n`).join("");
}

/** A message as TypeScript, as short as it means the same. */
export function literalOfMessage(given: GivenMessage): string {
  const envelope = { ...envelopeOf(given) };
  // as it crosses the wire: what an arbitrary gives may have dates and the like in it
  if (isJson(envelope.contentType!) && !(envelope.body instanceof Uint8Array)) {
    envelope.body = JSON.parse(JSON.stringify(envelope.body) ?? "null");
  }
  const { id, at, body } = envelope;
  const bare = body as GivenMessage;
  const isBare = id === undefined && at === undefined &&
    (typeof body === "string" || (typeof body === "object" && body !== null)) && isSame(bare, envelope);
  if (isBare) return literalOf(body);
  const fields: Record<string, unknown> = { id, at };
  if (logged([{ body, contentType: envelope.contentType }])[0].type !== logged([envelope])[0].type) {
    fields.type = envelope.type;
  }
  if (envelopeOf({ body }).contentType !== envelope.contentType) fields.contentType = envelope.contentType;
  return literalOf({ ...fields, body });
}

/** Plain data, texts and bytes as TypeScript. */
export function literalOf(value: unknown): string {
  if (value instanceof Hl7View) return literalOf(value.text);
  if (value instanceof Uint8Array) return `Uint8Array.of(${value.join(", ")})`;
  if (typeof value === "string") return textLiteral(value);
  if (Array.isArray(value)) return `[${value.map(literalOf).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "undefined";
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return fields.length === 0
    ? "{}"
    : `{ ${fields.map(([name, field]) => `${nameLiteral(name)}: ${literalOf(field)}`).join(", ")} }`;
}

// `{ __proto__: x }` would set the prototype
function nameLiteral(name: string): string {
  if (name === "__proto__") return '["__proto__"]';
  return NAME.test(name) ? name : JSON.stringify(name);
}

// HL7 is read by segments
function textLiteral(text: string): string {
  const lines = text.startsWith("MSH") ? text.split("\r") : [text];
  if (lines.length === 1) return JSON.stringify(text);
  return `[${lines.map((line) => JSON.stringify(line)).join(", ")}].join("\\r")`;
}

function isSame(bare: GivenMessage, envelope: GivenMessage): boolean {
  const [[one], [other]] = [logged([bare]), logged([envelope])];
  return one.type === other.type && one.contentType === other.contentType &&
    one.payload.join() === other.payload.join();
}
