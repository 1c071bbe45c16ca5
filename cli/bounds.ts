import { MisuseError } from "./errors.ts";

/**
 * Numbers of a command line that must be whole and within bounds.
 *
 * @param bounds by flag: least and most
 * @throws {MisuseError} for the first that is not
 */
export function requireWhole<F extends string>(
  values: Record<NoInfer<F>, number>,
  bounds: Record<F, readonly [min: number, max: number]>,
): void {
  for (const flag of Object.keys(bounds) as F[]) {
    const [min, max] = bounds[flag];
    const value = values[flag];
    if (Number.isInteger(value) && value >= min && value <= max) continue;
    throw new MisuseError(`Cannot use "${value}" for --${flag} as it must be a whole number from ${min} to ${max}`);
  }
}
