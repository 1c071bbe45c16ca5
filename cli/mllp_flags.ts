/**
 * How a node listens for HL7 over MLLP, as flags.
 *
 * @module
 */
import type { MllpSettings } from "../mod.ts";
import { fileState, MisuseError } from "./errors.ts";

/** The flags of `node start` beside `--mllp`. */
export const MLLP_FLAGS = {
  "mllp-ack": {
    type: "enum",
    choices: ["by-message", "aa", "original"],
    default: "by-message",
    description: "acknowledge as MSH-15 and MSH-16 ask; as they ask, but AA for CA; or always AA, AE or AR",
  },
  "mllp-application": {
    type: "enum",
    choices: ["recorded", "handled"],
    default: "recorded",
    description: "what AA stands for: enough copies have the message; or all handlers are through, and may reply",
  },
  "mllp-conflicts": {
    type: "enum",
    choices: ["reject", "keep"],
    default: "reject",
    description: "another message under a control id that its patient had: AR, or recorded under id~digest",
  },
  "mllp-charset": { type: "string", metavar: "NAME", description: "of messages without MSH-18, as in it: 8859/1" },
  "mllp-facility": { type: "string", metavar: "PATH", description: "where the key's facility stands; usual: MSH-4.1" },
  "mllp-patient": { type: "string", metavar: "PATH", description: "where the patient's id stands; usual: PID-3.1" },
  "mllp-connections": { type: "number", default: 512, description: "connections at a time" },
  "mllp-idle": { type: "number", default: 600, description: "seconds of silence until one is closed, 0 for never" },
  "mllp-cert": { type: "string", metavar: "FILE", description: "certificate chain (PEM), for MLLP over TLS" },
  "mllp-key": { type: "string", metavar: "FILE", description: "its private key (PEM)" },
  "mllp-client-ca": {
    type: "string",
    metavar: "FILE",
    description: "authorities (PEM): only their clients are let in",
  },
} as const;

/** Values of {@linkcode MLLP_FLAGS}. */
export interface MllpFlagValues {
  readonly "mllp-ack": string;
  readonly "mllp-application": string;
  readonly "mllp-conflicts": string;
  readonly "mllp-charset"?: string;
  readonly "mllp-facility"?: string;
  readonly "mllp-patient"?: string;
  readonly "mllp-connections": number;
  readonly "mllp-idle": number;
  readonly "mllp-cert"?: string;
  readonly "mllp-key"?: string;
  readonly "mllp-client-ca"?: string;
}

/**
 * The settings that flags say; reads the files that they name.
 *
 * @throws {MisuseError} when they do not go together, or a file cannot be read
 */
export async function mllpSettings(values: MllpFlagValues): Promise<MllpSettings> {
  const { "mllp-cert": cert, "mllp-key": key, "mllp-client-ca": clientCa } = values;
  if ((cert === undefined) !== (key === undefined) || (clientCa !== undefined && cert === undefined)) {
    throw new MisuseError("Cannot use MLLP over TLS as it takes --mllp-cert and --mllp-key, both");
  }
  const identity = async (cert: string, key: string) => ({
    cert: await textOf(cert),
    key: await textOf(key),
    ...clientCa === undefined ? {} : { clientCa: await textOf(clientCa) },
  });
  const tls = cert === undefined || key === undefined
    ? undefined
    : { ...await identity(cert, key), again: () => identity(cert, key) };
  return {
    tls,
    acknowledge: values["mllp-ack"] as MllpSettings["acknowledge"],
    application: values["mllp-application"] as MllpSettings["application"],
    conflicts: values["mllp-conflicts"] as MllpSettings["conflicts"],
    route: {
      facility: values["mllp-facility"],
      id: values["mllp-patient"],
      charset: values["mllp-charset"],
    },
    connectionsMax: values["mllp-connections"],
    idleMs: values["mllp-idle"] * 1000,
  };
}

async function textOf(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    throw new MisuseError(`Cannot read "${path}" as it must be a PEM file: ${fileState(error)}`);
  }
}
