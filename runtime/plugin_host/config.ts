import { SESSION_LIMITS, type SessionLimits } from "./session.ts";

/** Every number of a {@linkcode ProcessHost}. */
export interface ProcessHostConfig extends SessionLimits {
  /** calls without an answer; beyond: `plugin_host/busy` */
  callsMax: number;
  /** bytes of calls without an answer; beyond: `plugin_host/busy`. A longer history must come in slices. */
  callBytesMax: number;
  /** calls on their way at once: the suspects when the process dies, so not many; enough to keep it busy, so not few */
  windowCalls: number;
  /** versions kept loaded */
  versionsMax: number;
  /** a process that owes an answer and gives no sign of life for so long is killed */
  silenceMs: number;
  /** the same for one that starts */
  startMs: number;
  /** how long an actor that was being folded at a death is run alone, if nobody asks for it again */
  suspectMs: number;
  /** V8 heap of the process, in MiB */
  heapMiB: number;
  /** resident memory of the process, in bytes, above which it is killed: buffers are not part of the heap */
  residentBytesMax: number;
  /** how often memory is looked at */
  memoryIntervalMs: number;
  /** how often silence is looked at */
  tickMs: number;
  /** wait before a process that lived only shortly is followed by the next one; doubles */
  backOffMs: number;
  /** longest such wait */
  backOffMsMax: number;
}

/** What holds where nothing else is said. */
export const PROCESS_HOST_CONFIG: ProcessHostConfig = {
  ...SESSION_LIMITS,
  callsMax: 4_096,
  callBytesMax: 32 * 1024 * 1024,
  // With 128, 45,000 to 60,000 messages a second go through a host, with this 63,000, with 512 some 75,000; and each of
  // them is run alone after a death, at about 0.15 ms.
  windowCalls: 256,
  versionsMax: 200,
  silenceMs: 1_500,
  startMs: 15_000,
  suspectMs: 10_000,
  heapMiB: 256,
  residentBytesMax: 512 * 1024 * 1024,
  memoryIntervalMs: 250,
  tickMs: 100,
  backOffMs: 50,
  backOffMsMax: 2_000,
};
