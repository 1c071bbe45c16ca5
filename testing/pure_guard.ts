/**
 * Pure guard: while a handler runs it finds the world as a plugin's context has it, without clock, chance and the
 * outside, though it runs right here.
 *
 * Like a stage whose doors are locked during the play and open otherwise: the doors are hung once, around a whole check
 * (`withDoors`), and locked for each call (`purely`). Everything in between is synchronous, so nobody else walks into
 * a locked one.
 *
 * What it cannot see: a function that was taken aside before the doors were hung, `const { now } = Date` at the top of
 * a module. In production that finds the locked one; here the second call of the same message may show it.
 *
 * @module
 */
import vm from "node:vm";

/** What a context has none of although it is ECMAScript; `runtime/plugin_host/lockdown.ts` takes these away. */
export const ABSENT = [
  "SharedArrayBuffer",
  "Atomics",
  "WebAssembly",
  "WeakRef",
  "FinalizationRegistry",
  "queueMicrotask",
];
/** Of what is not ECMAScript, a context has these. */
const KEPT = new Set(["console", "globalThis", "global", "window", "self"]);

let depth = 0;
let isLocked = false;
let touched = "";
let missed = "";

/** What a call of {@linkcode purely} did. */
export interface PureCall<T> {
  /** what it answered, or threw */
  end: { value: T } | { thrown: unknown };
  /** clock or chance that it reached for, even where it hid the refusal; `""` none */
  touched: string;
  /** a global that it looked for and that a plugin's context does not have; `""` none */
  missed: string;
}

/** Hangs the doors for as long as `act` runs. */
export function withDoors<T>(act: () => T): T {
  const unhang = depth++ === 0 ? hang() : () => {};
  try {
    return act();
  } finally {
    depth--;
    unhang();
  }
}

/** Calls with the doors locked; only within {@linkcode withDoors}. */
export function purely<T>(call: () => T): PureCall<T> {
  touched = "";
  missed = "";
  isLocked = true;
  let end: PureCall<T>["end"];
  try {
    end = { value: call() };
  } catch (thrown) {
    end = { thrown };
  }
  isLocked = false;
  return { end, touched, missed };
}

function refuse(what: string): never {
  touched ||= what;
  throw new Error(`Cannot use ${what} as plugins are pure: take message.at, message.id`);
}

/** Hangs all doors; the answer takes them off again. */
function hang(): () => void {
  const undo: (() => void)[] = [];
  const replace = (target: object, name: string, make: (real: PropertyDescriptor) => PropertyDescriptor) => {
    const real = Object.getOwnPropertyDescriptor(target, name);
    if (real?.configurable !== true) return;
    Object.defineProperty(target, name, { ...make(real), configurable: true, enumerable: real.enumerable });
    undo.push(() => Object.defineProperty(target, name, real));
  };
  const lock = (target: object, owner: string, name: string) =>
    replace(target, name, ({ value }) => ({
      writable: true,
      value(this: unknown, ...args: unknown[]): unknown {
        return isLocked ? refuse(`${owner}.${name}`) : value.apply(this, args);
      },
    }));

  for (const name of foreignGlobals()) replace(globalThis, name, (real) => hidden(name, real));
  lock(Date, "Date", "now");
  lock(Math, "Math", "random");
  for (const name of ["then", "catch", "finally"]) lock(Promise.prototype, "Promise.prototype", name);
  const temporal = (globalThis as { Temporal?: { Now: object } }).Temporal;
  for (const name of temporal === undefined ? [] : Object.getOwnPropertyNames(temporal.Now)) {
    lock(temporal!.Now, "Temporal.Now", name);
  }
  replace(globalThis, "Date", ({ value }) => ({ writable: true, value: lockedDate(value) }));
  const { prototype } = Intl.DateTimeFormat;
  replace(prototype, "format", ({ get }) => ({
    get(this: Intl.DateTimeFormat) {
      const format = get!.call(this) as (date?: unknown) => string;
      return isLocked
        ? (date?: unknown) => date === undefined ? refuse("format() without a time") : format(date)
        : format;
    },
  }));
  replace(prototype, "formatToParts", ({ value }) => ({
    writable: true,
    value(this: Intl.DateTimeFormat, date?: Date) {
      return isLocked && date === undefined ? refuse("formatToParts() without a time") : value.call(this, date);
    },
  }));
  return () => {
    for (const each of undo.reverse()) each();
  };
}

// In a context it is not there: `typeof` says so, and using it throws as it would there.
function hidden(name: string, real: PropertyDescriptor): PropertyDescriptor {
  let { value } = real;
  return {
    get(): unknown {
      if (isLocked) {
        missed ||= name;
        return undefined;
      }
      return real.get === undefined ? value : real.get.call(globalThis);
    },
    set(next: unknown) {
      if (real.set !== undefined) real.set.call(globalThis, next);
      else value = next;
    },
  };
}

function lockedDate(real: DateConstructor): DateConstructor {
  return new Proxy(real, {
    apply: (target, self, args) => isLocked ? refuse("Date()") : Reflect.apply(target, self, args),
    construct(target, args, newTarget) {
      if (isLocked && args.length === 0) refuse("new Date() without a time");
      return Reflect.construct(target, args, newTarget);
    },
  });
}

function foreignGlobals(): string[] {
  const own = new Set<string>(vm.runInNewContext("Object.getOwnPropertyNames(globalThis)"));
  for (const name of ABSENT) own.delete(name);
  return Object.getOwnPropertyNames(globalThis).filter((name) => !own.has(name) && !KEPT.has(name));
}
