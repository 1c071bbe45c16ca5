/**
 * What `waterpark sim` reads: a module with plugins and, if it likes, a plan; and recorded messages.
 *
 *     export default defineHandler({ ... });            // or [defineHandler(...), defineHandler(...)]
 *     export const simulation = { messages: (chance) => ({ key: "HOSPX/1", message: { type: "admit" } }), invariants: {} };
 */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { HandlerDefinition } from "../runtime/plugin_host/mod.ts";
import type { AddressedMessage } from "../testing/addressed_messages.ts";
import type { SimulationPlan } from "../testing/simulate.ts";
import { fileState, MisuseError } from "./errors.ts";
import { suggest } from "./suggest.ts";

/** The fields of a plan, so that a typo in one is not silently a check that is not made. */
const PLAN_FIELDS: readonly (keyof SimulationPlan)[] = ["messages", "recorded", "invariants", "inTheEnd"];

/**
 * Loads a module; without one there are no plugins.
 *
 * @param file a path, or a URL
 * @throws {MisuseError} when it cannot be loaded, or exports something else
 */
export async function readSimulatedModule(
  file: string | undefined,
): Promise<{ plugins: HandlerDefinition[]; plan: SimulationPlan }> {
  if (file === undefined) return { plugins: [], plan: {} };
  const refuse = (state: string): never => {
    throw new MisuseError(`Cannot simulate "${file}" as it must be a module with a handler: ${state}`);
  };
  const url = /^(https?|file|data):/.test(file) ? file : pathToFileURL(resolve(file)).href;
  let module: { default?: unknown; simulation?: unknown };
  try {
    if (url.startsWith("file:")) await Deno.stat(new URL(url));
    module = await import(url);
  } catch (error) {
    return refuse(fileState(error).split("\n")[0]);
  }
  const { default: exported, simulation = {} } = module;
  if (exported === undefined) return refuse("it has no default export");
  if (typeof simulation !== "object" || simulation === null) return refuse("its simulation must be an object");
  for (const field of Object.keys(simulation)) {
    if (PLAN_FIELDS.includes(field as keyof SimulationPlan)) continue;
    const meant = suggest(field, PLAN_FIELDS);
    return refuse(`its simulation has no "${field}"${meant === undefined ? "" : `: did you mean "${meant}"?`}`);
  }
  return { plugins: (Array.isArray(exported) ? exported : [exported]) as HandlerDefinition[], plan: simulation };
}

/**
 * Reads recorded messages.
 *
 * @throws {MisuseError} when the file cannot be read, or a message in it
 */
export async function readRecording(file: string): Promise<AddressedMessage[]> {
  const { recordingOf } = await import("../testing/recording.ts");
  let text: string;
  try {
    text = await Deno.readTextFile(file);
  } catch (error) {
    throw new MisuseError(`Cannot read the messages from "${file}" as it must be a file: ${fileState(error)}`);
  }
  try {
    const recording = recordingOf(text);
    if (recording.length > 0) return recording;
  } catch (error) {
    throw new MisuseError((error as Error).message, file);
  }
  throw new MisuseError(`Cannot read the messages from "${file}" as there must be some: there are none`);
}
