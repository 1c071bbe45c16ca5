import { WaterparkError } from "../base/mod.ts";

/** An entry that may not stand in this log; nothing was changed. The state never names a key, an id or content. */
export function badEntry(state: string): WaterparkError {
  return new WaterparkError(`Cannot append the entry as it must be well-formed and follow this log: ${state}`, {
    code: "storage/bad-entry",
    outcome: "not-applied",
  });
}

/** A part of a message over its limit; nothing was changed. */
export function tooLarge(part: string, bytes: number, bytesMax: number): WaterparkError {
  return new WaterparkError(`Cannot append the message as its ${part} may have ${bytesMax} bytes: ${bytes} bytes`, {
    code: "storage/too-large",
    outcome: "not-applied",
  });
}

/** The store has reached its limit; nothing was changed, and other shards may still have room. */
export function full(bytes: number, bytesMax: number): WaterparkError {
  return new WaterparkError(`Cannot append the entry as the shard may hold ${bytesMax} bytes: ${bytes} bytes held`, {
    code: "storage/full",
    outcome: "not-applied",
  });
}

/** The actor has a message of this id already: look it up with `findMessage` first. Nothing was changed. */
export function duplicate(index: number): WaterparkError {
  return new WaterparkError(`Cannot append the message as its id must be new to the actor: it stands at ${index}`, {
    code: "storage/duplicate",
    outcome: "not-applied",
  });
}
