import { badPayload, ByteReader, ByteWriter } from "../wire/mod.ts";

/** For all of them: pings are the most frequent frames by far. */
const OUT = new ByteWriter(16);

/** A ping's payload: u32 number. */
export function pingFrame(number: number): Uint8Array {
  return OUT.u32(number).take();
}

/** A pong's payload, and a ping request's: u32 number of the ping, f64 the incarnation that it is about. */
export function aboutFrame(number: number, about: number): Uint8Array {
  return OUT.u32(number).f64(about).take();
}

/** Reads {@linkcode pingFrame}; throws `wire/bad-payload`. */
export function readPing(payload: Uint8Array): number {
  const reader = new ByteReader(payload);
  const number = reader.u32();
  if (reader.left !== 0) throw badPayload("ping");
  return number;
}

/** Reads {@linkcode aboutFrame}; throws `wire/bad-payload`. */
export function readAbout(payload: Uint8Array): { number: number; about: number } {
  const reader = new ByteReader(payload);
  const number = reader.u32();
  const about = reader.f64();
  if (reader.left !== 0 || !Number.isSafeInteger(about) || about < 1) throw badPayload("ping about");
  return { number, about };
}
