/** V8's own instruments, from inside the process: `node:inspector`, by promises. */
import { Session } from "node:inspector";
import type { Profile } from "./profile/cpu_profile.ts";

/** Half a millisecond: four seconds make 8,000 samples. More often, and what is measured is the measuring. */
const SAMPLE_US = 500;

/** A session with the inspector of this process. */
export class Inspector {
  readonly #session = new Session();

  constructor() {
    this.#session.connect();
  }

  /** Does what the DevTools protocol's method says. */
  ask<T>(method: string, params: Record<string, unknown> = {}): Promise<T> {
    return new Promise((resolve, reject) => {
      const done = (error: Error | null, result: unknown) => error ? reject(error) : resolve(result as T);
      // deno-lint-ignore no-explicit-any
      (this.#session.post as any).call(this.#session, method, params, done);
    });
  }

  [Symbol.dispose](): void {
    this.#session.disconnect();
  }
}

/** A CPU profile of this process that has begun. */
export class CpuRecording {
  readonly #inspector = new Inspector();
  readonly #isStarted: Promise<unknown>;

  constructor() {
    this.#isStarted = Promise.all([
      this.#inspector.ask("Profiler.enable"),
      this.#inspector.ask("Profiler.setSamplingInterval", { interval: SAMPLE_US }),
      this.#inspector.ask("Profiler.start"),
    ]);
  }

  /** Ends it. */
  async stop(): Promise<Profile> {
    await this.#isStarted;
    const { profile } = await this.#inspector.ask<{ profile: Profile }>("Profiler.stop");
    this.#inspector[Symbol.dispose]();
    return profile;
  }
}
