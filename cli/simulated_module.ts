/**
 * What `waterpark sim` reads: a module with plugins and, if it likes, a plan; and recorded messages.
 *
 *     export default defineHandler({ ... });            // or [defineHandler(...), defineHandler(...)]
 *     export const simulation = { messages: (chance) => ({ key: "HOSPX/1", message: { type: "admit" } }), invariants: {} };
 */
import type { HandlerDefinition } from "../runtime/plugin_host/mod.ts";
import type { AddressedMessage } from "../testing/addressed_messages.ts";
import type { SimulationPlan } from "../testing/simulate.ts";
import { fileState, MisuseError } from "./errors.ts";
import { importModule, optionsIn } from "./imported_module.ts";

/** The fields of a plan. */
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
  const module = await importModule(file, refuse);
  const { default: exported } = module;
  if (exported === undefined) return refuse("it has no default export");
  const plan = optionsIn(module, { name: "simulation", fields: PLAN_FIELDS }, refuse) as SimulationPlan;
  return { plugins: (Array.isArray(exported) ? exported : [exported]) as HandlerDefinition[], plan };
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
