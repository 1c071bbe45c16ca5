/**
 * Texts with gaps: where a sink's URL, header, topic or file name takes something from what is delivered.
 *
 *     {key}            kind/facility/id, as `waterpark` writes keys     {option.x}  what the handler said under `x`
 *     {key.kind}, {key.facility}, {key.id}                              {env.X}     an environment variable: secrets
 *     {id}  the effect's id      {seq}  {type}  {contentType}           {{  a brace
 *
 * A gap that there is none of is found when the sink is defined, not when the first message comes. What is put into a
 * gap comes from outside: whoever fills one says how a value is made harmless at that place.
 *
 * @module
 */
import type { Delivery } from "@waterpark/waterpark";

/** A text with gaps, read. */
export interface Template {
  /** names of the environment variables that it takes */
  readonly envNames: readonly string[];
  /** nothing in it depends on what is delivered */
  readonly isFixed: boolean;
  /**
   * The text with its gaps filled.
   *
   * @param harmless makes a gap's value fit the place; what the environment says is put in as it is
   * @throws {MissingOption} when the handler has not said an option that it takes
   */
  fill(delivery: Delivery, harmless: (value: string, gap: string) => string): string;
}

/** A handler did not say an option that a template takes: no later attempt will change that. */
export class MissingOption extends Error {
  constructor(readonly option: string) {
    super(`the handler says no option "${option}"`);
  }
}

const GAP = /\{\{|\{([^{}]*)\}/g;
const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Reads a text with gaps.
 *
 * @param options.what where it stands, for messages
 * @param options.mayHaveSecrets whether `{env.X}` may stand in it; usual: no
 * @throws {TypeError} when it has a gap that there is none of
 */
export function template(text: string, options: { what: string; mayHaveSecrets?: boolean }): Template {
  const pieces: (string | ((delivery: Delivery, harmless: (value: string, gap: string) => string) => string))[] = [];
  const envNames = new Set<string>();
  let from = 0;
  let isFixed = true;
  for (const match of text.matchAll(GAP)) {
    pieces.push(text.slice(from, match.index));
    from = match.index + match[0].length;
    const name = match[1];
    if (name === undefined) {
      pieces.push("{");
    } else if (name.startsWith("env.") && options.mayHaveSecrets && ENV_NAME.test(name.slice(4))) {
      envNames.add(name.slice(4));
      pieces.push(() => environment(name.slice(4)));
    } else {
      const read = readerOf(name);
      if (read === null) throw new TypeError(`Cannot use the ${options.what} as there is no gap {${name}}`);
      isFixed = false;
      pieces.push((delivery, harmless) => harmless(read(delivery), name));
    }
  }
  pieces.push(text.slice(from));
  return {
    envNames: [...envNames],
    isFixed,
    fill: (delivery, harmless) =>
      pieces.map((piece) => typeof piece === "string" ? piece : piece(delivery, harmless)).join(""),
  };
}

/** `kind/facility/id`, as `waterpark` prints keys and takes them. */
export function keyText({ kind, facility, id }: Delivery["key"]): string {
  return [kind, facility, id].map((part) => part.replaceAll("%", "%25").replaceAll("/", "%2F")).join("/");
}

/**
 * An environment variable's value.
 *
 * @throws {Error} when it is not set
 */
export function environment(name: string): string {
  const value = Deno.env.get(name);
  if (value === undefined) throw new Error(`Cannot open the sink as the environment variable ${name} is not set`);
  return value;
}

function readerOf(name: string): ((delivery: Delivery) => string) | null {
  if (/^option\../.test(name)) {
    const option = name.slice("option.".length);
    return ({ options }) => {
      if (!Object.hasOwn(options, option)) throw new MissingOption(option);
      return options[option];
    };
  }
  return Object.hasOwn(READERS, name) ? READERS[name] : null;
}

const READERS: Record<string, (delivery: Delivery) => string> = {
  key: ({ key }) => keyText(key),
  "key.kind": ({ key }) => key.kind,
  "key.facility": ({ key }) => key.facility,
  "key.id": ({ key }) => key.id,
  id: ({ id }) => id,
  seq: ({ seq }) => String(seq),
  type: ({ type }) => type,
  contentType: ({ contentType }) => contentType,
};
