/**
 * What of a value does not come back when a host keeps it as text. The host refuses what is no plain data at all; what
 * is here it takes, and drops silently: fields named by symbols, and fields beside an array's elements. Fields that are
 * `undefined` are left out as well, which is the host's documented way and no loss.
 *
 * @param value what a handler returned
 * @param name what it is
 * @returns where something is lost, or null
 */
export function lossOf(value: unknown, name: string): string | null {
  if (typeof value !== "object" || value === null) return null;
  if (Object.getOwnPropertySymbols(value).length > 0) return `${name} has a field named by a symbol`;
  const names = Object.keys(value);
  if (Array.isArray(value) && names.length !== value.length) return `${name} has fields beside its elements`;
  const hidden = Object.getOwnPropertyNames(value).length - names.length - (Array.isArray(value) ? 1 : 0);
  if (hidden > 0) return `${name} has fields that are not enumerable`;
  for (const each of names) {
    const loss = lossOf((value as Record<string, unknown>)[each], `${name}.${each}`);
    if (loss !== null) return loss;
  }
  return null;
}
