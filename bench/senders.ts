/**
 * The ways in that are measured. Each keeps `inFlight` messages under way, spread over all nodes, until the run has no
 * more, and resolves when every one of them has its answer.
 */
import { connect } from "../client.ts";
import { facilityOf, type Message, nameOf } from "./messages.ts";
import type { Answer, Run } from "./run.ts";

/** Where and how many. */
export interface SenderOptions {
  /** URLs of the nodes */
  urls: readonly string[];
  /** messages under way at a time */
  inFlight: number;
}

/** What a refused sender waits before it goes on: a full cluster must not be asked all the harder. */
const PAUSE_MS = 10;

const ENCODER = new TextEncoder();
/** What is known of a message whose connection broke. */
const BROKEN: Answer = { code: "client/broken", outcome: "unknown" };

/** The senders by name. */
export const SENDERS: Record<string, (run: Run, options: SenderOptions) => Promise<void>> = {
  "http-single": sendSingly,
  "ndjson": sendStreams,
  "wire": sendOverWire,
};

/** The client library, by callbacks: it bundles what a turn brings, and goes straight to who writes. */
async function sendOverWire(run: Run, { urls, inFlight }: SenderOptions): Promise<void> {
  using client = connect(urls, { wire: "websocket" });
  await new Promise<void>((resolve) => {
    let open = 0;
    const send = () => {
      const message = run.next();
      if (message === null) {
        if (open === 0) resolve();
        return;
      }
      open++;
      const sentMs = performance.now();
      const { actor, id, value } = message;
      const key = { facility: facilityOf(actor), id: nameOf(actor) };
      client.post({ key, id, message: value }, (answer) => {
        open--;
        run.answered(message, sentMs, answer.state === "recorded" ? answer.receipt : answer.error);
        send();
      });
    };
    for (let i = 0; i < inFlight; i++) send();
  });
}

/** One message a request, over kept connections. */
async function sendSingly(run: Run, { urls, inFlight }: SenderOptions): Promise<void> {
  const senders = Array.from({ length: inFlight }, async (_, i) => {
    const url = urls[i % urls.length];
    for (let message = run.next(); message !== null; message = run.next()) {
      const sentMs = performance.now();
      const answer = await postOne(url, message);
      if (!run.answered(message, sentMs, answer)) await pause();
    }
  });
  await Promise.all(senders);
}

async function postOne(url: string, { key, id, body }: Message): Promise<Answer> {
  try {
    const response = await fetch(`${url}/v1/actors/${key}/messages`, {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": id },
      body,
    });
    return await response.json();
  } catch {
    return BROKEN;
  }
}

/** Streams of lines, one a node, each with its part of the messages under way. */
async function sendStreams(run: Run, { urls, inFlight }: SenderOptions): Promise<void> {
  const streams = Math.min(urls.length, inFlight);
  await Promise.all(Array.from({ length: streams }, (_, i) => {
    const window = Math.floor(inFlight / streams) + (i < inFlight % streams ? 1 : 0);
    return sendStream(run, urls[i], window);
  }));
}

async function sendStream(run: Run, url: string, window: number): Promise<void> {
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  const body = new ReadableStream<Uint8Array>({ start: (c) => void (controller = c) });
  // Answers come in the order of the lines.
  const waiting: { message: Message; sentMs: number }[] = [];
  let isClosed = false;
  const send = (count: number) => {
    let text = "";
    const sentMs = performance.now();
    while (count-- > 0 && !isClosed) {
      const message = run.next();
      if (message === null) {
        isClosed = true;
        break;
      }
      waiting.push({ message, sentMs });
      text += `{"key":"${message.key}","id":"${message.id}","message":${message.body}}\n`;
    }
    if (text !== "") controller.enqueue(ENCODER.encode(text));
    if (isClosed) controller.close();
  };
  send(window);
  try {
    const headers = { "content-type": "application/x-ndjson" };
    const response = await fetch(`${url}/v1/messages`, { method: "POST", headers, body });
    let rest = "";
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop()!;
      let refused = 0;
      const answered = waiting.splice(0, lines.length);
      for (let i = 0; i < lines.length; i++) {
        const { message, sentMs } = answered[i];
        if (!run.answered(message, sentMs, JSON.parse(lines[i]))) refused++;
      }
      if (refused > 0) await pause();
      if (!isClosed) send(lines.length);
    }
  } catch {
    // What was under way is of unknown outcome, below.
  }
  for (const { message, sentMs } of waiting) run.answered(message, sentMs, BROKEN);
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}
