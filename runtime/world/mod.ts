/**
 * World: the only room that touches clock, chance and the operating system.
 *
 * `World` is time and chance, in two implementations that pass one conformance suite. `gates` are the operating
 * system's doors (sockets, processes, files, signals): thin, without decisions, so that a list of them is a list of
 * everything that a node can do to the outside.
 *
 * @module
 */
export { mintId, mintIncarnation, type Timer, type World } from "./world.ts";
export { type Packer, runPacker, zstdPacker } from "./packing.ts";
export { systemWorld } from "./system_world.ts";
export {
  SeededRandom,
  SimulatedTime,
  simulatedWorld,
  type SimulatedWorldOptions,
  SIMULATION_EPOCH_MS,
} from "./simulated_world.ts";
export * as gates from "./gates.ts";
