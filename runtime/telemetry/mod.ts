/**
 * Telemetry: what an operator sees: logs and metrics. Patient data never enters this room.
 *
 * @module
 */
export { configureLog, log } from "./log.ts";
export { Metrics, type Sample } from "./metrics.ts";
