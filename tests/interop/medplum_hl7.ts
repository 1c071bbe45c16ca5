/**
 * `@medplum/hl7`, an MLLP client and server that others wrote. It is not imported where types are checked, so that a
 * machine that reaches no package registry has the rest: its tests skip, and say so.
 */
const PACKAGE = "npm:@medplum/hl7@5.0.10";

/** A message as it has them. */
export interface MedplumMessage {
  toString(): string;
  buildAck(): MedplumMessage;
  getSegment(name: string): { getComponent(field: number, component: number): string } | undefined;
}

/** What of it is used. */
export interface MedplumHl7 {
  readonly Hl7Server: new (
    handler: (connection: {
      addEventListener(type: "message", listener: (event: { message: MedplumMessage }) => void): void;
      send(reply: MedplumMessage): void;
    }) => void,
  ) => {
    start(port: number, encoding?: string, enhancedMode?: boolean): Promise<void>;
    stop(): Promise<void>;
  };
  readonly Hl7Client: new (options: { host: string; port: number; encoding?: string; keepAlive?: boolean }) => {
    sendAndWait(
      message: unknown,
      options?: { returnAck?: "first" | "application"; timeoutMs?: number },
    ): Promise<MedplumMessage>;
    close(): Promise<void>;
  };
}

/** The package, or null where it cannot be had; `what` then stands in the line that says so. */
export async function medplumHl7(what: string): Promise<MedplumHl7 | null> {
  try {
    return await import(PACKAGE);
  } catch (error) {
    console.error(`skipped: ${what}: ${PACKAGE} cannot be had: ${(error as Error).message.split("\n")[0]}`);
    return null;
  }
}
