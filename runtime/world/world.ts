/**
 * The world: the only way from a room to time and chance. The system's world asks the machine; the simulated one is
 * driven by a seed, so that a run can be repeated to the last event. Both pass `world_conformance.ts`.
 */

import type { Packer } from "./packing.ts";

/** A pending call of {@linkcode World.after}. */
export interface Timer {
  /** Forgets the call; does nothing when it has run. */
  cancel(): void;
}

/** Time, chance, and a way to pack bytes. */
export interface World {
  /** Milliseconds of a clock that never goes back, and may stand still within a turn; its zero means nothing. */
  nowMonoMs(): number;
  /** Wall time in ms since 1970; may jump; never used in a decision about safety. */
  nowWallMs(): number;
  /** Calls `fn` once, `delayMs` from now or later, never within this turn. */
  after(delayMs: number, fn: () => void): Timer;
  /** Calls `fn` after what is running now, before any timer: how a room gathers what one turn brings. */
  soon(fn: () => void): void;
  /**
   * Calls `fn` once what has arrived already has been handled: how a room gathers what many frames bring together. Where
   * nothing else has arrived that is at once.
   */
  later(fn: () => void): void;
  /** A number in [0, 1). */
  random(): number;
  /** `length` random bytes. */
  randomBytes(length: number): Uint8Array;
  /** How bytes that are seldom read become fewer. */
  readonly packer: Packer;
}

/** A fresh incarnation: a whole number in [1, 2^52) that no other process start will draw again. */
export function mintIncarnation(world: World): number {
  const bytes = world.randomBytes(7);
  let value = bytes[0] & 0x0f;
  for (let i = 1; i < 7; i++) value = value * 256 + bytes[i];
  return value + 1;
}

/** A fresh random id of 16 lower-case hexadecimal digits: message ids, cluster ids, sessions. */
export function mintId(world: World): string {
  let text = "";
  for (const byte of world.randomBytes(8)) text += byte.toString(16).padStart(2, "0");
  return text;
}
