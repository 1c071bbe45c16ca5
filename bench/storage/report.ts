import { cpuUsage } from "node:process";

/**
 * Prints measurements in one form, a line each: what, how much, of what. Silent in the rounds that only warm up. Times
 * are the processor's (the collector's threads included), with the clock's behind them: the machine may be shared.
 */
export class Report {
  readonly #silent: boolean;
  #startedMs = 0;
  #startedCpu = cpuUsage();

  constructor(silent = false) {
    this.#silent = silent;
  }

  /** From here on time counts. */
  start(): void {
    this.#startedCpu = cpuUsage();
    this.#startedMs = performance.now();
  }

  /** each of `calls` since the start */
  each(what: string, calls: number): void {
    const wallNs = (performance.now() - this.#startedMs) * 1e6 / calls;
    const { user, system } = cpuUsage(this.#startedCpu);
    this.#line(what, ((user + system) * 1000 / calls).toFixed(0), `ns of CPU (${wallNs.toFixed(0)} by the clock)`);
  }

  ms(what: string, ms: number): void {
    this.#line(what, ms.toFixed(1), "ms");
  }

  bytes(what: string, bytes: number): void {
    this.#line(what, bytes.toFixed(0), "bytes");
  }

  ratio(what: string, ratio: number): void {
    this.#line(what, ratio.toFixed(3), "");
  }

  #line(what: string, value: string, unit: string): void {
    if (!this.#silent) console.log(`${what.padEnd(56)} ${value.padStart(8)} ${unit}`);
  }
}
