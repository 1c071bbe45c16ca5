/**
 * Base: what every room may use and what knows no other room: assertions, errors, keys, hashes. Pure.
 *
 * @module
 */
export { assert, AssertionError } from "./assert.ts";
export { type Outcome, WaterparkError, type WaterparkErrorOptions } from "./errors.ts";
export {
  chainDigest,
  chainInto,
  type Digest64,
  digest64,
  digestInto,
  digestText,
  hash32,
  hashInt32,
  hashText,
  mix32,
} from "./hash.ts";
export { type ActorKey, formatKey, type FullKey, fullKey, KEY_PART_UNITS_MAX, parseKey } from "./key.ts";
