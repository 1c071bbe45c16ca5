/**
 * A peer's client, in a process of its own, as ours is. Does what the lines of its standard input say and answers each
 * with a line; ends when the input does.
 *
 *     deno run -A bench/peers/client_process.ts OPTIONS_AS_JSON
 */
import { TextLineStream } from "../lines.ts";
import { Messages } from "../messages.ts";
import { type Answer, Run, type RunResult } from "../run.ts";
import { PEER_SENDERS } from "./senders.ts";

/** What holds for all runs. */
export interface PeerClientOptions {
  sender: string;
  ports: number[];
  serverPids: number[];
  actors: number;
  messageBytes: number;
}

/** One run. */
export interface PeerCommand {
  /** sets the run's message ids apart */
  prefix: string;
  inFlight: number;
  warmUpMs: number;
  measureMs: number;
}

/** What came of it. */
export interface PeerRunResult extends RunResult {
  /** messages without the acknowledgement that was asked for; a run with any is worth nothing */
  failed: number;
}

async function work({ sender, ports, serverPids, actors, messageBytes }: PeerClientOptions): Promise<void> {
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  for await (const line of lines) {
    const { prefix, inFlight, warmUpMs, measureMs } = JSON.parse(line) as PeerCommand;
    let failed = 0;
    const run = new Run({
      messages: new Messages({ first: 0, count: actors }, { prefix, messageBytes }),
      ledger: { take: () => {}, takeRefusal: (_: number, _answer: Answer) => void failed++ },
      nodePids: serverPids,
      warmUpMs,
      measureMs,
      messagesMax: Infinity,
    });
    const measured = await run.measure((run) => PEER_SENDERS[sender](run, { ports, inFlight }));
    console.log(JSON.stringify({ ...measured, failed } satisfies PeerRunResult));
  }
}

if (import.meta.main) await work(JSON.parse(Deno.args[0]));
