/**
 * Metrics: counters and gauges in Prometheus' text form. One registry a node, so that several nodes in one process (tests,
 * the library door) do not add up. Rooms know plain numbers only; what turns them into metrics is the collecting
 * function that `node` hands over, called when somebody scrapes: the hot path pays nothing.
 */
import { Gauge, Registry } from "prom-client";

/** One measured value: name without prefix, meaning, value; with labels, of which all of one name have the same. */
export interface Sample {
  name: string;
  help: string;
  value: number;
  labels?: Readonly<Record<string, string>>;
}

/** A registry whose samples are taken at the scrape. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #collect: () => Sample[];
  readonly #gauges = new Map<string, Gauge>();

  constructor(options: { labels: Record<string, string>; collect: () => Sample[] }) {
    this.#registry.setDefaultLabels(options.labels);
    this.#collect = options.collect;
  }

  /** Prometheus text of now. */
  text(): Promise<string> {
    // What a label named may be gone: it must not be told for ever.
    for (const gauge of this.#gauges.values()) gauge.reset();
    for (const { name, help, value, labels = {} } of this.#collect()) {
      let gauge = this.#gauges.get(name);
      if (gauge === undefined) {
        const labelNames = Object.keys(labels);
        gauge = new Gauge({ name: `waterpark_${name}`, help, labelNames, registers: [this.#registry] });
        this.#gauges.set(name, gauge);
      }
      gauge.set(labels, value);
    }
    return this.#registry.metrics();
  }
}
