/**
 * Hides the environment from packages. `debug`, which the Kafka client brings along, lists all variables at its start: it
 * would need the permission to read every secret of the node. With this module imported first it finds none, and goes on.
 * `Deno.env.get` still reads what the plugin declares.
 *
 * @module
 */
import process from "node:process";

Object.defineProperty(process, "env", { value: {} });
