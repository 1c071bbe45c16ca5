/**
 * Takes clock, chance and threads out of a context before the plugin's code runs in it. A handler that used them would
 * come to other projections on other nodes; it is better to stop it at its first try than to find that out later.
 *
 * Handed to the context as text (`Function.prototype.toString`), so it refers to nothing outside itself. What it
 * leaves: ECMAScript, with `Intl` (in UTC and en-US, as the host's environment says) and a `console` that does nothing.
 */
export function lockdown(): void {
  "use strict";
  const refuse = (what: string): never => {
    throw new Error(`Cannot use ${what} as plugins are pure: take message.at, message.id`);
  };
  const world = globalThis as unknown as Record<string, unknown>;
  const fixed = (target: object, name: string, value: unknown) =>
    Object.defineProperty(target, name, { value, writable: false, configurable: false, enumerable: false });

  const forbid = (target: object, owner: string, name: string) => fixed(target, name, () => refuse(`${owner}.${name}`));

  const absent = ["SharedArrayBuffer", "Atomics", "WebAssembly", "WeakRef", "FinalizationRegistry", "queueMicrotask"];
  for (const name of absent) delete world[name];

  const RealDate = Date;
  function PureDate(...values: unknown[]): Date {
    if (new.target === undefined) refuse("Date()");
    if (values.length === 0) refuse("new Date() without a time");
    return Reflect.construct(RealDate, values, new.target as unknown as new () => Date);
  }
  fixed(PureDate, "prototype", RealDate.prototype);
  fixed(PureDate, "length", 7);
  fixed(PureDate, "name", "Date");
  fixed(PureDate, "UTC", RealDate.UTC);
  fixed(PureDate, "parse", RealDate.parse);
  forbid(PureDate, "Date", "now");
  fixed(RealDate.prototype, "constructor", PureDate);
  fixed(world, "Date", PureDate);

  forbid(Math, "Math", "random");
  if (world.Temporal !== undefined) {
    const now = {};
    for (const name of Object.getOwnPropertyNames((world.Temporal as { Now: object }).Now)) {
      forbid(now, "Temporal.Now", name);
    }
    fixed(world.Temporal as object, "Now", now);
  }

  const { prototype } = Intl.DateTimeFormat;
  const { format } = Object.getOwnPropertyDescriptors(prototype);
  Object.defineProperty(prototype, "format", {
    configurable: false,
    get(): (date?: unknown) => string {
      const real = format.get!.call(this) as (date: unknown) => string;
      return (date) => date === undefined ? refuse("format() without a time") : real(date);
    },
  });
  const formatToParts = prototype.formatToParts;
  fixed(prototype, "formatToParts", function (this: Intl.DateTimeFormat, date?: Date) {
    return date === undefined ? refuse("formatToParts() without a time") : formatToParts.call(this, date);
  });

  // Nothing that is put off ever runs: a handler's turn ends when it returns.
  for (const name of ["then", "catch", "finally"]) forbid(Promise.prototype, "Promise.prototype", name);
  const silent: Record<string, () => void> = {};
  for (const name of ["debug", "error", "info", "log", "trace", "warn", "assert", "dir", "table"]) {
    fixed(silent, name, () => {});
  }
  fixed(world, "console", silent);
}
