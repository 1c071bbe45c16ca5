import { Packr } from "msgpackr";
import { badPayload } from "./bytes.ts";

// Plain MessagePack: no record extension and no shared structures, so that any MessagePack reader understands it and
// one value's bytes do not depend on what was packed before it (log digests rest on that).
const PACKR = new Packr({ useRecords: false, mapsAsObjects: true, variableMapSize: true, int64AsType: "number" });

/** A value as MessagePack; equal values with equal key order give equal bytes. */
export function pack(value: unknown): Uint8Array<ArrayBuffer> {
  return new Uint8Array(PACKR.pack(value));
}

/**
 * The value of MessagePack bytes. A key `__proto__` comes back as `__proto_`: what comes from outside sets no prototype.
 * Throws `wire/bad-payload` for anything else. */
export function unpack(bytes: Uint8Array): unknown {
  try {
    return PACKR.unpack(bytes);
  } catch (cause) {
    throw badPayload("not MessagePack", cause);
  }
}
