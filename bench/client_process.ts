/**
 * The client, in a process of its own, so that its cost is not the nodes'. Does what the lines of its standard input say
 * and answers each with a line; ends when the input does.
 *
 *     deno run -A bench/client_process.ts CLIENT_OPTIONS_AS_JSON
 */
import { ReceiptsWriter } from "../cli/audit/receipts_file.ts";
import { CpuRecording } from "./inspector.ts";
import { type Audit, Ledger, type ReceiptRule } from "./ledger.ts";
import { TextLineStream } from "./lines.ts";
import { actorOf, type ActorRange, Messages } from "./messages.ts";
import { Run, type RunResult } from "./run.ts";
import { SENDERS } from "./senders.ts";

/** What holds for all runs. */
export interface ClientOptions {
  urls: string[];
  nodePids: number[];
  /** actors that may be sent to, numbered from 0 */
  actors: number;
  messageBytes: number;
  rule: ReceiptRule;
  /** file for the receipts; null: none */
  receipts: string | null;
}

/** One thing to do. */
export interface Command {
  /** a sender's name */
  bench: string;
  /** sets the run's message ids apart */
  prefix: string;
  inFlight: number;
  /** the actors that are sent to */
  range: ActorRange;
  warmUpMs: number;
  /** null: until `messagesMax` are answered */
  measureMs: number | null;
  /** null: no limit */
  messagesMax: number | null;
  /** file for a CPU profile of the measured time; left out: none is taken */
  profile?: string;
}

/** What came of it. `acknowledged` and all that follows is about everything since the start. */
export interface CommandResult extends RunResult, Audit {
  refused: number;
  unknown: number;
  duplicates: number;
  codes: Record<string, number>;
  wrongReceipts: number;
  firstWrong: string;
}

/** Where the nodes' lists of actors are cut into pages. */
const PAGE = 1000;

async function work(options: ClientOptions): Promise<void> {
  const receipts = options.receipts === null
    ? null
    : new ReceiptsWriter(options.receipts, { clusterId: await clusterIdOf(options) });
  const ledger = new Ledger(options.actors, options.rule);
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  for await (const line of lines) {
    const { bench, prefix, inFlight, range, warmUpMs, measureMs, messagesMax, profile } = JSON.parse(line) as Command;
    const run = new Run({
      messages: new Messages(range, { prefix, messageBytes: options.messageBytes }),
      ledger,
      nodePids: options.nodePids,
      onReceipt: (receipt) => receipts?.take(receipt),
      warmUpMs,
      measureMs: measureMs ?? Infinity,
      messagesMax: messagesMax ?? Infinity,
    });
    const recording = profile === undefined ? null : recordingAfter(warmUpMs);
    const measured = await run.measure((run) => SENDERS[bench](run, { urls: options.urls, inFlight }));
    if (recording !== null) await Deno.writeTextFile(profile!, JSON.stringify(await (await recording).stop()));
    const seqs = await recordedSeqs(options);
    const audit = ledger.audit((actor) => seqs[actor]);
    const { refused, unknown, duplicates, codes, wrongReceipts, firstWrong } = ledger;
    const booked = { refused, unknown, duplicates, codes, wrongReceipts, firstWrong };
    const result: CommandResult = { ...measured, ...audit, ...booked };
    // Before the answer: whoever has it may read the file.
    receipts?.flush();
    console.log(JSON.stringify(result));
  }
  receipts?.close();
}

function recordingAfter(ms: number): Promise<CpuRecording> {
  return new Promise((resolve) => setTimeout(() => resolve(new CpuRecording()), ms));
}

async function clusterIdOf({ urls }: ClientOptions): Promise<string> {
  return (await (await fetch(`${urls[0]}/v1/topology`)).json() as { clusterId: string }).clusterId;
}

/** The last seq of each actor, as their writers say. */
async function recordedSeqs({ urls, actors }: ClientOptions): Promise<Uint32Array> {
  const seqs = new Uint32Array(actors);
  for (const url of urls) {
    for (let after: string | null = ""; after !== null;) {
      const response = await fetch(`${url}/v1/actors?limit=${PAGE}&after=${encodeURIComponent(after)}`);
      const page = await response.json() as { actors: { key: string; seq: number }[]; next: string | null };
      for (const { key, seq } of page.actors) seqs[actorOf(key)] = seq;
      after = page.next;
    }
  }
  return seqs;
}

if (import.meta.main) await work(JSON.parse(Deno.args[0]));
