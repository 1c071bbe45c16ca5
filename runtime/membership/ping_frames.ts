import { badPayload, ByteReader, ByteWriter } from "../wire/mod.ts";

/** For all of them: pings are the most frequent frames by far. */
const OUT = new ByteWriter(16);

/** A ping's payload: u32 number. */
export function pingFrame(number: number): Uint8Array {
  return OUT.u32(number).take();
}

/** What a pong says. */
export interface Pong {
  /** of the ping */
  number: number;
  /** the incarnation that it is about */
  about: number;
  /** its wall time when it answered, ms since 1970 */
  wallMs: number;
}

/** A pong's payload: u32 number of the ping, f64 incarnation, f64 wall time. */
export function pongFrame({ number, about, wallMs }: Pong): Uint8Array {
  return new ByteWriter(20).u32(number).f64(about).f64(wallMs).take();
}

/** Reads {@linkcode pongFrame}; throws `wire/bad-payload`. */
export function readPong(payload: Uint8Array): Pong {
  const reader = new ByteReader(payload);
  const pong = { number: reader.u32(), about: reader.f64(), wallMs: reader.f64() };
  const isSound = Number.isSafeInteger(pong.about) && pong.about >= 1 && Number.isFinite(pong.wallMs);
  if (reader.left !== 0 || !isSound) throw badPayload("pong");
  return pong;
}

/** A ping request's payload: u32 number of the ping, f64 the incarnation that it is about. */
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
